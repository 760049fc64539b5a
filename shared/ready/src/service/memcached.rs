//! memcached: sends `version` in the text protocol.
//!
//! | condition | code | outcome | why |
//! |---|---|---|---|
//! | `VERSION …` | – | open | the server answers |
//! | `CLIENT_ERROR unauthenticated` | – | open | the server requires a login |
//! | `ERROR Too many open connections`, before the request | – | busy | no free connections |
//! | `SERVER_ERROR out of memory …` | – | busy | no free memory |
//! | `SERVER_ERROR` with the text of a system error about a connection | – | no_backend | twemproxy reports its server so; Moxi says `proxy downstream …` |
//! | any other `SERVER_ERROR` | – | service_error | not known to come from a server that works |
//! | any other `CLIENT_ERROR` | – | service_error | not known to come from a server that works |
//! | nothing | – | silent | a server at its limit without `maxconns_fast` does not accept connections; a server with `-B binary` waits for its own protocol |
//!
//! twemproxy passes the request on to one of its servers. mcrouter answers it itself, and hides missing servers from other
//! requests too: the result shows that mcrouter works.
//!
//! Sources: `doc/protocol.txt` of memcached; tested with 1.6, also behind twemproxy 0.5; Moxi's "Error Responses".

use portpulse_core::outcome::FailureClass;

use crate::dialogue::{Dialogue, Step};
use crate::input::{Input, PrefixMatch};

#[derive(Debug, Default)]
pub(crate) struct Memcached {
    request_sent: bool,
}

const KNOWN_ANSWERS: [&[u8]; 4] = [
    b"VERSION ",
    b"CLIENT_ERROR ",
    b"SERVER_ERROR ",
    b"ERROR Too many open connections",
];

/// The reports of proxies about their servers.
const PROXY_FAILURES: &[&str] = &[
    "Connection refused",
    "Connection reset by peer",
    "Connection timed out",
    "Host is unreachable",
    "Network is unreachable",
    "No route to host",
    "proxy downstream ",
];

impl Dialogue for Memcached {
    fn next(&mut self, input: &mut Input) -> Step {
        if !self.request_sent {
            self.request_sent = true;
            return Step::send("version", "version\r\n");
        }
        if KNOWN_ANSWERS
            .iter()
            .all(|prefix| input.match_prefix(prefix) == PrefixMatch::Mismatch)
        {
            return Step::WRONG_SERVICE;
        }
        let Some(line) = input.take_line() else {
            return Step::Receive;
        };
        let step = if line.starts_with("VERSION ") || line == "CLIENT_ERROR unauthenticated" {
            Step::healthy(line)
        } else if line.starts_with("ERROR ") || line.starts_with("SERVER_ERROR out of memory") {
            Step::failure(FailureClass::Busy, line)
        } else if let Some(error) = line.strip_prefix("SERVER_ERROR ")
            && PROXY_FAILURES.iter().any(|text| error.starts_with(text))
        {
            Step::failure(FailureClass::NoBackend, line)
        } else {
            Step::failure(FailureClass::ServiceError, line)
        };
        step.with_closing_bytes(b"quit\r\n")
    }

    fn timeout_hint(&self, input: &Input) -> &'static str {
        if input.answer().is_empty() {
            ", as memcached does at its connection limit, and with -B binary"
        } else {
            ""
        }
    }
}

#[cfg(test)]
mod tests;
