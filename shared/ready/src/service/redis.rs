//! Redis and Valkey: sends `PING`, which the server also answers before a login, with an error; after `PONG` sends
//! `TYPE portpulse`, because proxies answer `PING` themselves.
//!
//! | condition | code | outcome | why |
//! |---|---|---|---|
//! | `+` and a type of a key, in answer to `TYPE` | – | open | the server behind a proxy answers too |
//! | `-` and a word, in answer to `TYPE` | `MOVED` `ASK` | open | a node of a cluster decided about the key |
//! | `-` and a word, in answer to `TYPE` | `NOAUTH` `NOPERM` | open | the server permits `PING` only |
//! | `-` and a word, in answer to `TYPE` | `LOADING` `MASTERDOWN` | starting | as in answer to `PING` |
//! | `-` and a word, in answer to `TYPE` | `BUSY` `OOM` | busy | as in answer to `PING` |
//! | `-` and a word, in answer to `TYPE` | any other | service_error | such as `CLUSTERDOWN`: the cluster answers no command |
//! | `-` and a word | `NOAUTH` `NOPERM` | open | the server requires a login |
//! | `-ERR unknown command`, `-ERR operation not permitted` | – | open | the server decided about the command; old servers require a login so, and Sentinel has no keys |
//! | `-` and a word | `LOADING` `MASTERDOWN` | starting | the server loads its data, or waits for its primary |
//! | `-` and a word | `BUSY` `OOM` | busy | a script runs, or the memory is used up |
//! | `-ERR max number of clients` | – | busy | no free connections |
//! | `-` and a word | `DENIED` | blocked | protected mode refuses remote clients |
//! | a proxy's report about its server | – | no_backend | Envoy: `no upstream host`, `upstream failure`; twemproxy: the text of the system error |
//! | `-` and a word | any other | service_error | such as `MISCONF`: the server cannot persist, for example because the disk is full |
//!
//! The commands are sent as arrays, which proxies understand too: twemproxy closes on an inline command. `TYPE` reads one key
//! that need not exist, and changes nothing; proxies forward it unchanged, while Envoy splits `EXISTS` and hides the error of
//! its server. Behind a proxy that requires a login, only the proxy is checked.
//!
//! Each check adds one to `keyspace_misses`, and, where the default user may not use `TYPE`, to an entry of `ACL LOG`. The log
//! file has no line.
//!
//! Sources: the Redis serialization protocol specification; `server.c`, `networking.c` and `db.c` of Redis; "Redis cluster
//! specification", sections on `MOVED` and `ASK`; tested with 7.0, also as a node of a cluster and as Sentinel;
//! `nc_response.c` of twemproxy, tested with 0.5; `conn_pool_impl.cc`, `command_splitter_impl.h` and `supported_commands.h`
//! of Envoy.

use portpulse_core::outcome::FailureClass;

use crate::dialogue::{Dialogue, DialogueResult, Step};
use crate::input::{Input, PrefixMatch};

const PING: &str = "*1\r\n$4\r\nPING\r\n";
const TYPE: &str = "*2\r\n$4\r\nTYPE\r\n$9\r\nportpulse\r\n";
/// The types of keys (`TYPE` of Redis), and that of a key that does not exist.
const TYPES: &[&str] = &["none", "string", "list", "set", "zset", "hash", "stream"];

#[derive(Debug, Default)]
pub(crate) struct Redis {
    state: State,
}

#[derive(Debug, Clone, Copy, Default)]
enum State {
    #[default]
    Begin,
    Ping,
    Type,
}

impl Dialogue for Redis {
    fn next(&mut self, input: &mut Input) -> Step {
        if matches!(self.state, State::Begin) {
            self.state = State::Ping;
            return Step::send("PING", PING);
        }
        let is_type = matches!(self.state, State::Type);
        match input.remaining().first() {
            None => Step::Receive,
            Some(b'+') if is_type => match input.take_line() {
                Some(line) if line.strip_prefix('+').is_some_and(|name| TYPES.contains(&name)) => {
                    Step::healthy("PONG")
                }
                Some(_) => Step::WRONG_SERVICE,
                None => Step::Receive,
            },
            Some(b'+') => match input.match_prefix(b"+PONG\r\n") {
                PrefixMatch::Full => {
                    let _ = input.take_line();
                    self.state = State::Type;
                    Step::send("TYPE", TYPE)
                }
                PrefixMatch::Partial => Step::Receive,
                PrefixMatch::Mismatch => Step::WRONG_SERVICE,
            },
            Some(b'-') => match input.take_line() {
                Some(line) => {
                    let error = line.strip_prefix('-').unwrap_or(&line);
                    let is_redirected = ["MOVED ", "ASK "].iter().any(|code| error.starts_with(code));
                    match refusal(error) {
                        _ if is_type && is_redirected => Step::healthy("PONG"),
                        // The same text at each check, whatever the server says of the key.
                        Step::Done(DialogueResult::Healthy { .. }, _) if is_type => Step::healthy("PONG"),
                        step @ (Step::Receive | Step::Send { .. } | Step::StartTls | Step::Done(..)) => step,
                    }
                }
                None => Step::Receive,
            },
            Some(_) => Step::WRONG_SERVICE,
        }
    }
}

/// The reports of proxies about their servers.
const PROXY_FAILURES: &[&str] = &[
    "no upstream host",
    "upstream failure",
    "upstream protocol error",
    "ERR Connection refused",
    "ERR Connection reset by peer",
    "ERR Connection timed out",
    "ERR Host is unreachable",
    "ERR No route to host",
];

fn refusal(error: &str) -> Step {
    if PROXY_FAILURES.iter().any(|text| error.starts_with(text)) {
        return Step::failure(FailureClass::NoBackend, error);
    }
    let code = error.split(' ').next().unwrap_or_default();
    // Every error of a server starts with a word in capital letters.
    if code.is_empty() || !code.bytes().all(|b| b.is_ascii_uppercase()) {
        return Step::WRONG_SERVICE;
    }
    match code {
        "NOAUTH" | "NOPERM" => Step::healthy(error),
        "ERR"
            if error.starts_with("ERR unknown command")
                || error.starts_with("ERR operation not permitted") =>
        {
            Step::healthy(error)
        }
        "ERR" if error.starts_with("ERR max number of clients") => Step::failure(FailureClass::Busy, error),
        "BUSY" | "OOM" => Step::failure(FailureClass::Busy, error),
        "LOADING" | "MASTERDOWN" => Step::failure(FailureClass::Starting, error),
        "DENIED" => Step::failure(FailureClass::Blocked, error),
        _ => Step::failure(FailureClass::ServiceError, error),
    }
}

#[cfg(test)]
mod tests;
