//! MySQL and MariaDB: attempts a login for a user that need not exist, until the server refuses it.
//!
//! The server counts a client that leaves before the login is decided, and bans it after `max_connect_errors`; a
//! refused login is not counted. Every exchange therefore continues until the refusal, even if the certificate is
//! invalid or the server offers no TLS.
//!
//! | condition | code | outcome | why |
//! |---|---|---|---|
//! | greeting, then OK | – | open | the server accepts logins without a password |
//! | ERR after the login | `1044` `1045` `1130` `1251` `1275` `1524` `1698` `1820` `1862` `3118` `3159` `3955` `4151` | open | the server decided about the login: user, host, method or account |
//! | ERR instead of a greeting | `1130` | open | the server refuses the address of this client only |
//! | ERR | `1037` `1040` `1041` `1135` `1203` `1226` | busy | no free connections, memory or threads |
//! | ERR | `1053` `1077` `1079` `3032` `3168` | starting | the server shuts down, is offline or not available |
//! | ERR | `1129` | blocked | this client is banned |
//! | ERR | `2000` to `2999` | no_backend | an error of a client: MySQL Router and other proxies report their servers so |
//! | ERR | `9000` to `9999` | no_backend | ProxySQL about its servers; TiDB about its storage |
//! | ERR 1105 with a proxy's report about its server | – | no_backend | `TiProxy`: `No available TiDB instances`, `TiProxy fails to connect to TiDB`, `Require TLS enabled on TiDB` |
//! | ERR | any other | service_error | not known to come from a server that works |
//! | no `CLIENT_SSL`, if TLS is required | – | tls | TLS is disabled |
//!
//! Log line for each check: `[Warning] Access denied for user 'portpulse'@…`; none with `log_warnings` at 1 or below.
//!
//! A proxy that decides about logins itself (ProxySQL, `MaxScale`) shows only that the proxy works.
//!
//! Sources: MySQL's "Client/Server Protocol" and "Error Reference" (1000 to 1999 and from 3000: server; 2000 to 2999:
//! client), `MariaDB`'s "Error Codes", `proxysql_errors.h`, `error.go` of `TiProxy`; tested with `MariaDB` 10.11. ERR 1040 has no
//! SQLSTATE, because the server sends it before the client's capabilities are known.

use portpulse_core::outcome::FailureClass;

use super::USER;
use crate::dialogue::{Dialogue, Step};
use crate::input::{Input, excerpt, le_u16};

const PLUGIN: &str = "mysql_native_password";
const MAX_LENGTH: usize = 8 * 1024;
/// The maximum number of authentication requests. A server may switch the method and then request more data; more
/// rounds than this are not MySQL.
const MAX_ROUNDS: u8 = 4;
/// `CLIENT_LONG_PASSWORD`, `CLIENT_PROTOCOL_41`, `CLIENT_SECURE_CONNECTION`, `CLIENT_PLUGIN_AUTH`.
const CAPABILITIES: u32 = 0x0000_0001 | 0x0000_0200 | 0x0000_8000 | 0x0008_0000;
const CLIENT_SSL: u16 = 0x0800;
/// The first bytes of the expected packets.
const OK: u8 = 0x00;
const AUTH_MORE: u8 = 0x01;
const GREETING: u8 = 0x0a;
const AUTH_SWITCH: u8 = 0xfe;
const ERR: u8 = 0xff;
const COM_QUIT: &[u8] = &[1, 0, 0, 0, 1];

#[derive(Debug)]
pub(crate) struct Mysql {
    upgrade: bool,
    no_tls: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    Greeting,
    StartTls { version: String },
    Login { version: String, sequence: u8 },
    Refusal { version: String, rounds: u8 },
}

impl Mysql {
    pub(crate) fn new(upgrade: bool) -> Self {
        Self {
            upgrade,
            no_tls: false,
            state: State::Greeting,
        }
    }

    fn on_greeting(&mut self, payload: &[u8]) -> Step {
        match payload.split_first() {
            Some((&ERR, error)) => match Error::read(error) {
                Some(error) => error.before_greeting(),
                None => Step::WRONG_SERVICE,
            },
            Some((&GREETING, greeting)) => {
                let Some(end) = greeting.iter().position(|&b| b == 0) else {
                    return Step::WRONG_SERVICE;
                };
                let version = excerpt(greeting.get(..end).unwrap_or_default());
                // The version is followed by the thread id (4 bytes), the scramble (8) and a filler (1).
                let Some(capabilities) = le_u16(greeting, end + 1 + 13) else {
                    return Step::WRONG_SERVICE;
                };
                if self.upgrade && capabilities & CLIENT_SSL != 0 {
                    self.state = State::StartTls { version };
                    return Step::send(
                        "an SSLRequest",
                        packet(1, &prologue(CAPABILITIES | u32::from(CLIENT_SSL))),
                    );
                }
                self.no_tls = self.upgrade;
                self.log_in(version, 1)
            }
            _ => Step::WRONG_SERVICE,
        }
    }

    fn log_in(&mut self, version: String, sequence: u8) -> Step {
        let mut login = prologue(CAPABILITIES | if sequence == 2 { u32::from(CLIENT_SSL) } else { 0 });
        login.extend_from_slice(USER.as_bytes());
        // The end of the user name, then an empty password.
        login.extend_from_slice(&[0, 0]);
        login.extend_from_slice(PLUGIN.as_bytes());
        login.push(0);
        self.state = State::Refusal { version, rounds: 0 };
        Step::send("a login attempt", packet(sequence, &login))
    }

    fn evaluate(&self, banner: String) -> Step {
        if self.no_tls {
            return Step::failure(
                FailureClass::Tls,
                "the server offers no TLS (no CLIENT_SSL in its greeting)",
            );
        }
        Step::healthy(banner)
    }
}

impl Dialogue for Mysql {
    fn next(&mut self, input: &mut Input) -> Step {
        match &mut self.state {
            State::Greeting => match read(input, 0, &[GREETING, ERR]) {
                ReadResult::Incomplete => Step::Receive,
                ReadResult::Invalid => Step::WRONG_SERVICE,
                ReadResult::Packet { payload, .. } => self.on_greeting(&payload),
            },
            State::StartTls { version } => {
                self.state = State::Login {
                    version: std::mem::take(version),
                    sequence: 2,
                };
                Step::StartTls
            }
            State::Login { version, sequence } => {
                let (version, sequence) = (std::mem::take(version), *sequence);
                self.log_in(version, sequence)
            }
            State::Refusal { version, rounds } => {
                // The sequence continues from the client's last packet.
                let expected = 2 + u8::from(self.upgrade && !self.no_tls) + 2 * *rounds;
                // A proxy may send its own error with another number.
                let (payload, sequence) = match read(input, expected, &[OK, AUTH_MORE, AUTH_SWITCH, ERR]) {
                    ReadResult::Incomplete => return Step::Receive,
                    ReadResult::Invalid => return Step::WRONG_SERVICE,
                    ReadResult::Packet { payload, sequence } => (payload, sequence),
                };
                match payload.split_first() {
                    Some((&ERR, error)) => match Error::read(error) {
                        Some(error) => match error.after_login() {
                            Some(class) => Step::failure(class, error.described()),
                            None => {
                                let banner = format!("{version}: {}", error.text());
                                self.evaluate(banner)
                            }
                        },
                        None => Step::WRONG_SERVICE,
                    },
                    Some((&OK, _)) => {
                        let banner = format!("{version}: accepts logins without a password");
                        self.evaluate(banner).with_closing_bytes(COM_QUIT)
                    }
                    Some((&first @ (AUTH_SWITCH | AUTH_MORE), rest)) if *rounds < MAX_ROUNDS => {
                        *rounds += 1;
                        // An empty password is a single NUL byte in the SHA-256 methods, and empty in the others.
                        let sha = first == AUTH_MORE || rest.windows(4).any(|w| w == b"sha2" || w == b"a256");
                        let empty: &[u8] = if sha { &[0] } else { &[] };
                        Step::send("an empty password", packet(sequence.wrapping_add(1), empty))
                    }
                    _ => Step::WRONG_SERVICE,
                }
            }
        }
    }

    fn must_finish(&self) -> bool {
        true
    }
}

/// The common start of an `SSLRequest` and a `HandshakeResponse41`.
fn prologue(capabilities: u32) -> Vec<u8> {
    let mut bytes = capabilities.to_le_bytes().to_vec();
    bytes.extend_from_slice(&(1u32 << 24).to_le_bytes());
    bytes.push(33); // utf8_general_ci, known to all versions
    bytes.extend_from_slice(&[0; 23]);
    bytes
}

fn packet(sequence: u8, payload: &[u8]) -> Vec<u8> {
    let [a, b, c, _] = u32::try_from(payload.len()).unwrap_or_default().to_le_bytes();
    let mut packet = vec![a, b, c, sequence];
    packet.extend_from_slice(payload);
    packet
}

enum ReadResult {
    Incomplete,
    Invalid,
    Packet { payload: Vec<u8>, sequence: u8 },
}

/// Consumes a packet with the expected sequence number, or an error with any number after the login, and one of these first bytes.
fn read(input: &mut Input, expected: u8, kinds: &[u8]) -> ReadResult {
    let Some(&[a, b, c, sequence]) = input.remaining().first_chunk() else {
        return ReadResult::Incomplete;
    };
    let length = usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16;
    let kind = input.remaining().get(4);
    let is_in_order = sequence == expected || expected > 0 && kind.is_none_or(|kind| *kind == ERR);
    if !(1..=MAX_LENGTH).contains(&length) || !is_in_order || kind.is_some_and(|kind| !kinds.contains(kind)) {
        return ReadResult::Invalid;
    }
    match input.take(4 + length) {
        Some(packet) => ReadResult::Packet {
            payload: packet.get(4..).unwrap_or_default().to_vec(),
            sequence,
        },
        None => ReadResult::Incomplete,
    }
}

struct Error {
    code: u16,
    message: String,
}

impl Error {
    fn read(bytes: &[u8]) -> Option<Self> {
        let code = le_u16(bytes, 0)?;
        let text = bytes.get(2..)?;
        let text = if text.first() == Some(&b'#') {
            text.get(6..)?
        } else {
            text
        };
        Some(Self {
            code,
            message: excerpt(text),
        })
    }

    fn text(&self) -> String {
        format!("{} {}", self.code, self.message)
    }

    /// The text of a failure, with the name of the error.
    fn described(&self) -> String {
        match error_name(self.code) {
            Some(name) => format!("{} {name}: {}", self.code, self.message),
            None => self.text(),
        }
    }

    /// The failure class in answer to a login; `None` for a decision about the login.
    fn after_login(&self) -> Option<FailureClass> {
        match self.code {
            1044 | 1045 | 1130 | 1251 | 1275 | 1524 | 1698 | 1820 | 1862 | 3118 | 3159 | 3955 | 4151 => None,
            _ => Some(self.failure()),
        }
    }

    fn before_greeting(&self) -> Step {
        match self.code {
            1130 => Step::healthy(self.text()),
            _ => Step::failure(self.failure(), self.described()),
        }
    }

    /// The failure class of an error that is no decision about a login.
    fn failure(&self) -> FailureClass {
        match self.code {
            1037 | 1040 | 1041 | 1135 | 1203 | 1226 => FailureClass::Busy,
            1053 | 1077 | 1079 | 3032 | 3168 => FailureClass::Starting,
            1129 => FailureClass::Blocked,
            1105 if PROXY_FAILURES.iter().any(|text| self.message.contains(text)) => FailureClass::NoBackend,
            2000..=2999 | 9000..=9999 => FailureClass::NoBackend,
            _ => FailureClass::ServiceError,
        }
    }
}

/// The reports of proxies about their servers with the code 1105, `ER_UNKNOWN_ERROR`.
const PROXY_FAILURES: &[&str] = &[
    "No available TiDB instances",
    "TiProxy fails to connect to TiDB",
    "Require TLS enabled on TiDB",
];

/// The name of an error that keeps a server from serving, as in MySQL's "Error Reference".
fn error_name(code: u16) -> Option<&'static str> {
    Some(match code {
        1037 => "ER_OUTOFMEMORY",
        1040 => "ER_CON_COUNT_ERROR",
        1041 => "ER_OUT_OF_RESOURCES",
        1053 => "ER_SERVER_SHUTDOWN",
        1077 => "ER_NORMAL_SHUTDOWN",
        1079 => "ER_SHUTDOWN_COMPLETE",
        1129 => "ER_HOST_IS_BLOCKED",
        1135 => "ER_CANT_CREATE_THREAD",
        1203 => "ER_TOO_MANY_USER_CONNECTIONS",
        1226 => "ER_USER_LIMIT_REACHED",
        2002 => "CR_CONNECTION_ERROR",
        2003 => "CR_CONN_HOST_ERROR",
        2006 => "CR_SERVER_GONE_ERROR",
        2013 => "CR_SERVER_LOST",
        3032 => "ER_SERVER_OFFLINE_MODE",
        3168 => "ER_SERVER_ISNT_AVAILABLE",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
