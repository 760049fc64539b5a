//! PostgreSQL: sends a `StartupMessage` for a user that need not exist. The server reports its state before any login.
//!
//! | condition | code | outcome | why |
//! |---|---|---|---|
//! | `R`, a request for a password or another proof | – | open | the server or its pooler is ready for a login |
//! | `R` 0, then `Z` | – | open | the server accepts logins without a password; an error may follow `R` 0 too |
//! | `E` | `28…` `3D000` `42501` | open | the server decided about the login |
//! | `E` | `57P01` `57P02` `57P03` | starting | the server starts, recovers or shuts down |
//! | `E` | `53…` | busy | too many clients, or no memory or disk space |
//! | `E` | `08000` `08001` `08003` `08004` `08006` `08007` | no_backend | a pooler has no connection to its server |
//! | `E` | any other | service_error | not known to come from a server that works |
//! | `E` with a pooler's decision about the login | – | open | PgBouncer, Odyssey, Supavisor and pgcat use general codes; the text decides |
//! | `E` with a pooler's report about its server | – | no_backend | as above; such as `pgbouncer cannot connect to server`, also with a code of class 28: Odyssey asks its server for the password |
//! | `E` with a pooler's limit | – | busy | as above; such as `no more connections allowed` |
//! | `E` with a pooler's shutdown | – | starting | as above; such as `pooler is shutting down` |
//! | `E` `could not …` without a SQLSTATE | – | busy | the server could not start a process |
//! | `N` in answer to an `SSLRequest` | – | tls | TLS is disabled |
//!
//! A server in recovery answers `SSLRequest` too, so that this answer alone does not prove readiness.
//!
//! Log lines for each check: none if the server asks for a password; under `trust`,
//! `FATAL: role "portpulse" does not exist`, unless that role exists; a refusal is a `FATAL` line, as for every client.
//!
//! A pooler that answers logins itself shows only that the pooler works: whether its server does cannot be known without
//! credentials.
//!
//! Sources: PostgreSQL's documentation, "Message Formats" and "`PostgreSQL` Error Codes"; `client.c` and `objects.c` of
//! PgBouncer, `frontend.c` and `auth.c` of Odyssey, `messages.rs` and `client.rs` of pgcat, `errors` of Supavisor; tested
//! with PostgreSQL 15, PgBouncer 1.18 and Pgpool 4.3.

use portpulse_core::outcome::FailureClass;

use super::USER;
use crate::dialogue::{Dialogue, Step};
use crate::input::{Input, PrefixMatch, be_u32, excerpt, match_prefix};

/// The maximum length of a PostgreSQL message during startup, as in libpq.
const MAX_LENGTH: usize = 30_000;
const TERMINATE: &[u8] = b"X\0\0\0\x04";

#[derive(Debug)]
pub(crate) struct Postgres {
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Upgrade,
    Upgrading,
    Startup,
    Started,
    /// The server accepted the login; the session begins, or an error follows.
    Accepted,
}

impl Postgres {
    pub(crate) fn new(upgrade: bool) -> Self {
        Self {
            state: if upgrade { State::Upgrade } else { State::Startup },
        }
    }
}

impl Dialogue for Postgres {
    fn next(&mut self, input: &mut Input) -> Step {
        match self.state {
            State::Upgrade => {
                self.state = State::Upgrading;
                Step::send("an SSLRequest", [0, 0, 0, 8, 4, 210, 22, 47])
            }
            State::Upgrading => match input.remaining().first() {
                None => Step::Receive,
                // After agreeing to TLS the server waits for the client; more bytes belong to another protocol.
                Some(b'S') if input.remaining().len() > 1 => Step::WRONG_SERVICE,
                Some(b'S') => {
                    input.take(1);
                    self.state = State::Startup;
                    Step::StartTls
                }
                Some(b'N') => Step::failure(
                    FailureClass::Tls,
                    "the server answered N to SSLRequest: TLS is disabled",
                ),
                Some(_) => self.answer(input),
            },
            State::Startup => {
                self.state = State::Started;
                Step::send("a StartupMessage", startup())
            }
            State::Started | State::Accepted => self.answer(input),
        }
    }
}

fn startup() -> Vec<u8> {
    let mut body = vec![0, 3, 0, 0];
    for word in ["user", USER, "database", "postgres"] {
        body.extend_from_slice(word.as_bytes());
        body.push(0);
    }
    body.push(0);
    let mut message = u32::try_from(body.len() + 4)
        .unwrap_or_default()
        .to_be_bytes()
        .to_vec();
    message.append(&mut body);
    message
}

impl Postgres {
    fn answer(&mut self, input: &mut Input) -> Step {
        loop {
            let Some((&kind, after)) = input.remaining().split_first() else {
                return Step::Receive;
            };
            let kinds: &[u8] = match self.state {
                State::Accepted => b"SKNEZ",
                State::Upgrade | State::Upgrading | State::Startup | State::Started => b"RENv",
            };
            if !kinds.contains(&kind) {
                return Step::WRONG_SERVICE;
            }
            if kind == b'E' {
                match match_prefix(after, b"could not ") {
                    PrefixMatch::Full => return unframed(after),
                    PrefixMatch::Partial => return Step::Receive,
                    PrefixMatch::Mismatch => {}
                }
            }
            let Some(length) = be_u32(after, 0) else {
                return Step::Receive;
            };
            let Some(length) = usize::try_from(length)
                .ok()
                .filter(|n| (4..=MAX_LENGTH).contains(n))
            else {
                return Step::WRONG_SERVICE;
            };
            let Some(message) = input.take(1 + length) else {
                return Step::Receive;
            };
            let body = message.get(5..).unwrap_or_default();
            match kind {
                b'R' if be_u32(body, 0) == Some(0) => self.state = State::Accepted,
                b'R' => return authentication(body),
                b'E' => return error(body),
                b'Z' => {
                    return Step::healthy("accepts logins without a password").with_closing_bytes(TERMINATE);
                }
                // A notice, a parameter, or the negotiation of an older protocol version: the answer follows.
                _ => {}
            }
        }
    }
}

fn authentication(body: &[u8]) -> Step {
    match be_u32(body, 0) {
        Some(3 | 5) => Step::healthy("asks for a password"),
        Some(10) => Step::healthy("asks for a password (SASL)"),
        Some(_) => Step::healthy("asks for authentication"),
        None => Step::WRONG_SERVICE,
    }
}

/// Reads an error in the form before protocol 3, which a server uses when it cannot start a process.
fn unframed(text: &[u8]) -> Step {
    match text.iter().position(|&b| b == 0) {
        Some(end) => Step::failure(FailureClass::Busy, excerpt(text.get(..end).unwrap_or_default())),
        None => Step::Receive,
    }
}

fn error(body: &[u8]) -> Step {
    let field = |code: u8| {
        body.split(|&b| b == 0).find_map(|field| {
            field
                .split_first()
                .filter(|(c, _)| **c == code)
                .map(|(_, text)| excerpt(text))
        })
    };
    let (Some(sqlstate), Some(message)) = (field(b'C'), field(b'M')) else {
        return Step::WRONG_SERVICE;
    };
    match meaning(&sqlstate, &message) {
        None => Step::healthy(format!("{sqlstate} {message}")),
        Some(class) => {
            let name = condition_name(&sqlstate).map_or(String::new(), |name| format!(" {name}:"));
            Step::failure(class, format!("{sqlstate}{name} {message}"))
        }
    }
}

/// The name of a condition that keeps a server from serving, as in PostgreSQL's "Error Codes".
fn condition_name(sqlstate: &str) -> Option<&'static str> {
    Some(match sqlstate {
        "08000" => "connection_exception",
        "08001" => "sqlclient_unable_to_establish_sqlconnection",
        "08003" => "connection_does_not_exist",
        "08004" => "sqlserver_rejected_establishment_of_sqlconnection",
        "08006" => "connection_failure",
        "08P01" => "protocol_violation",
        "53000" => "insufficient_resources",
        "53100" => "disk_full",
        "53200" => "out_of_memory",
        "53300" => "too_many_connections",
        "53400" => "configuration_limit_exceeded",
        "55000" => "object_not_in_prerequisite_state",
        "57P01" => "admin_shutdown",
        "57P02" => "crash_shutdown",
        "57P03" => "cannot_connect_now",
        "57P04" => "database_dropped",
        "57P05" => "idle_session_timeout",
        "58000" => "system_error",
        "58030" => "io_error",
        "58P01" => "undefined_file",
        "XX000" => "internal_error",
        "XX001" => "data_corrupted",
        "XX002" => "index_corrupted",
        _ => return None,
    })
}

/// The texts of poolers, which use general codes for their decisions about a login.
const POOLER_DECISIONS: &[(&str, &str)] = &[
    ("08P01", "no such "),
    ("08P01", "SSL required"),
    ("08P01", "SSL is required"),
    ("08P01", "login rejected"),
    ("08P01", "authentication failed"),
    ("58000", "No pool configured for database"),
    ("XX000", "Tenant or user not found"),
    ("XX000", "(ENOTFOUND) "),
    ("XX000", "(EAUTHQUERY) user not found"),
    ("XX000", "(ENOIDENTIFIER) "),
    ("XX000", "(EADDRNOTALLOWED) "),
    ("XX000", "(EINVALIDUSERINFO) "),
    ("XX000", "(ESSLREQUIRED) "),
];
/// The texts of poolers about their servers.
const POOLER_FAILURES: &[(&str, &str)] = &[
    ("08P01", "pgbouncer cannot connect to server"),
    ("08P01", "server login "),
    ("08P01", "client_login_timeout (server down)"),
    ("08P01", "query_wait_timeout"),
    ("28000", "failed to make auth query"),
    ("58000", "Pool down for database"),
    ("58000", "could not get connection from the pool"),
    ("XX000", "pgpool is not accepting any new connections"),
    ("XX000", "failed to create a backend "),
    ("XX000", "all backend nodes are down"),
    ("XX000", "unable to connect to backend"),
    ("XX000", "unable to get session context"),
    ("XX000", "(EAUTHQUERY) authentication query failed"),
    ("XX000", "(EAUTHSECRETS) "),
    ("XX000", "(ECHECKOUT"),
    ("XX000", "(EDBHANDLEREXITED) "),
    ("XX000", "(EPOOLCHECKOUT) "),
    ("XX000", "(EPOOLTERMINATING) "),
    ("XX000", "(ECIRCUITBREAKER) failed to retrieve"),
    ("XX000", "(ECIRCUITBREAKER) too many failed attempts to connect"),
];
/// The texts of poolers about their limits.
const POOLER_LIMITS: &[(&str, &str)] = &[
    ("08P01", "no more connections allowed"),
    ("08P01", "client connections exceeded"),
    ("08P01", "bouncer resources exhaustion"),
    ("08P01", "out of memory"),
    ("08P01", "no memory for "),
    ("XX000", "Max client connections reached"),
    ("XX000", "(EMAXCONN"),
    ("XX000", "(EMAXPOOLSREACHED) "),
];
/// The texts of poolers that shut down.
const POOLER_SHUTDOWNS: &[(&str, &str)] = &[
    ("08006", "gracefully shutting down"),
    ("08006", "performing online restart"),
    ("08P01", "pooler is shutting down"),
    ("08P01", "server shutting down"),
    ("58000", "terminating connection due to administrator command"),
];

/// The failure class of an error; `None` for a decision about the login.
fn meaning(sqlstate: &str, message: &str) -> Option<FailureClass> {
    let is_one_of = |texts: &[(&str, &str)]| {
        texts
            .iter()
            .any(|(code, text)| sqlstate == *code && message.contains(text))
    };
    match sqlstate {
        // First, because a pooler may repeat the decision of its server about the pooler's own login.
        _ if is_one_of(POOLER_FAILURES) => Some(FailureClass::NoBackend),
        _ if is_one_of(POOLER_DECISIONS) => None,
        _ if is_one_of(POOLER_LIMITS) => Some(FailureClass::Busy),
        _ if is_one_of(POOLER_SHUTDOWNS) => Some(FailureClass::Starting),
        "3D000" | "42501" => None,
        "57P01" | "57P02" | "57P03" => Some(FailureClass::Starting),
        "08000" | "08001" | "08003" | "08004" | "08006" | "08007" => Some(FailureClass::NoBackend),
        _ if sqlstate.starts_with("28") => None,
        _ if sqlstate.starts_with("53") => Some(FailureClass::Busy),
        _ => Some(FailureClass::ServiceError),
    }
}

#[cfg(test)]
mod tests;
