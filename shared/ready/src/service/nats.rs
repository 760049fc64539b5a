//! NATS: waits for `INFO`, then sends `PING`. A full server sends `INFO` too, so that `INFO` alone does not prove
//! readiness.
//!
//! | condition | code | outcome | why |
//! |---|---|---|---|
//! | `INFO`, then `PONG` | – | open | the server answers |
//! | `INFO`, then `-ERR 'Authorization Violation'` | – | open | the server requires a login |
//! | `INFO` with `ldm` | – | starting | the server shuts down (lame duck mode) |
//! | `-ERR` that starts with `maximum`, such as `maximum connections exceeded` | – | busy | no free connections |
//! | any other `-ERR` | – | service_error | not known to come from a server that works |
//! | `INFO` with `tls_required`, in a check without TLS | – | tls | the server requires TLS |
//! | `INFO` without `tls_required` and `tls_available`, if TLS is required | – | tls | TLS is disabled |
//!
//! Log line for each check: none without a login; `[ERR] … authentication error` where the server requires one.
//!
//! Sources: NATS documentation, "Client Protocol"; `errors.go` and `parser.go` of nats-server; tested with 2.9.

use portpulse_core::outcome::FailureClass;
use serde_json::Value;

use crate::dialogue::{Dialogue, Step};
use crate::input::{Input, PrefixMatch};

#[derive(Debug)]
pub(crate) struct Nats {
    upgrade: bool,
    banner: String,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Info,
    Upgraded,
    Ping,
}

impl Nats {
    pub(crate) fn new(upgrade: bool) -> Self {
        Self {
            upgrade,
            banner: String::new(),
            state: State::Info,
        }
    }

    fn ping(&mut self) -> Step {
        self.state = State::Ping;
        Step::send("PING", "PING\r\n")
    }

    /// Reads the first line, and reports what keeps the server from answering `PING`.
    fn on_info(&mut self, info: &str, input: &Input) -> Step {
        let Ok(info) = serde_json::from_str::<serde_json::Map<String, Value>>(info) else {
            return Step::WRONG_SERVICE;
        };
        let Some(version) = info.get("version").and_then(Value::as_str) else {
            return Step::WRONG_SERVICE;
        };
        self.banner = format!("NATS {version}");
        let is_set = |name| info.get(name) == Some(&Value::Bool(true));
        if is_set("ldm") {
            return Step::failure(FailureClass::Starting, "the server shuts down (lame duck mode)");
        }
        match (self.upgrade, is_set("tls_required"), is_set("tls_available")) {
            (true, false, false) => Step::failure(
                FailureClass::Tls,
                "the server offers no TLS (neither tls_required nor tls_available in its INFO)",
            ),
            (false, true, _) => {
                Step::failure(FailureClass::Tls, "the server requires TLS: use `tls: starttls`")
            }
            // An error follows instead of the handshake.
            (true, ..) if !input.remaining().is_empty() => {
                self.state = State::Ping;
                Step::Receive
            }
            (true, ..) => {
                self.state = State::Upgraded;
                Step::StartTls
            }
            (false, false, _) => self.ping(),
        }
    }
}

impl Dialogue for Nats {
    fn next(&mut self, input: &mut Input) -> Step {
        loop {
            let expected: &[&[u8]] = match self.state {
                State::Info => &[b"INFO ", b"-ERR '"],
                State::Upgraded => return self.ping(),
                State::Ping => &[b"PONG\r\n", b"-ERR '", b"INFO ", b"PING\r\n", b"+OK\r\n"],
            };
            let mismatch = |prefix: &&[u8]| input.match_prefix(prefix) == PrefixMatch::Mismatch;
            if expected.iter().all(mismatch) {
                return Step::WRONG_SERVICE;
            }
            let Some(line) = input.take_line() else {
                return Step::Receive;
            };
            if let Some(error) = line.strip_prefix("-ERR ") {
                return self.refusal(error.trim().trim_matches('\''));
            }
            match (self.state, line.strip_prefix("INFO ")) {
                (State::Info, Some(info)) => match self.on_info(info, input) {
                    Step::Receive => {}
                    step @ (Step::Send { .. } | Step::StartTls | Step::Done(..)) => return step,
                },
                (_, None) if line == "PONG" => return Step::healthy(std::mem::take(&mut self.banner)),
                // Further information, a `PING` of the server or an acknowledgement may precede the answer.
                _ => {}
            }
        }
    }
}

impl Nats {
    fn refusal(&mut self, error: &str) -> Step {
        let lower = error.to_ascii_lowercase();
        if lower == "authorization violation" && matches!(self.state, State::Ping) {
            return Step::healthy(format!("{}, requires a login", self.banner));
        }
        let class = if lower.starts_with("maximum ") {
            FailureClass::Busy
        } else {
            FailureClass::ServiceError
        };
        Step::failure(class, error)
    }
}

#[cfg(test)]
mod tests;
