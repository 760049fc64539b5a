//! SSH: reads the server's identification and answers with the client's, so that the server logs no error.
//!
//! | condition | code | outcome | why |
//! |---|---|---|---|
//! | `SSH-2.0-…` or `SSH-1.99-…`, also after other lines | – | open | the server speaks SSH 2.0 |
//! | `Exceeded MaxStartups` | – | busy | too many clients that are not logged in |
//! | `Not allowed at this time` | – | blocked | the address is penalised |
//! | `SSH-1.…` | – | wrong_service | an obsolete version |
//!
//! Sources: RFC 4253, section 4.2; `sshd.c` of OpenSSH; tested with 9.2.

use portpulse_core::outcome::FailureClass;

use crate::dialogue::{Dialogue, Step};
use crate::input::Input;

/// The maximum number of lines before the identification. RFC 4253 sets no limit; OpenSSH's client allows 1,024.
const MAX_LINES: u8 = 50;

#[derive(Debug, Default)]
pub(crate) struct Ssh {
    lines: u8,
}

impl Dialogue for Ssh {
    fn next(&mut self, input: &mut Input) -> Step {
        loop {
            if !is_text(input.remaining()) {
                return Step::WRONG_SERVICE;
            }
            let Some(line) = input.take_line() else {
                return Step::Receive;
            };
            if line.starts_with("SSH-2.0-") || line.starts_with("SSH-1.99-") {
                return Step::healthy(line).with_closing_bytes(b"SSH-2.0-portpulse\r\n");
            }
            if line.starts_with("Exceeded MaxStartups") {
                return Step::failure(FailureClass::Busy, line);
            }
            if line.starts_with("Not allowed at this time") {
                return Step::failure(FailureClass::Blocked, line);
            }
            self.lines += 1;
            if self.lines == MAX_LINES || is_other_greeting(&line) {
                return Step::WRONG_SERVICE;
            }
        }
    }
}

/// Whether the first line is text, as RFC 4253 requires before the key exchange.
fn is_text(bytes: &[u8]) -> bool {
    let line = bytes.split(|&b| b == b'\n').next().unwrap_or_default();
    line.iter().all(|&b| b >= b' ' || b == b'\r' || b == b'\t')
}

/// Whether a line is the greeting of a protocol whose server would now wait for the client.
fn is_other_greeting(line: &str) -> bool {
    let greetings = [
        "SSH-", "HTTP/", "+OK", "-ERR", "* OK", "* BYE", "RFB ", "AMQP", "220 ", "220-", "421 ", "554 ",
    ];
    greetings.iter().any(|greeting| line.starts_with(greeting))
}

#[cfg(test)]
mod tests;
