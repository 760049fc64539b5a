//! Who may read, and what: decided from the request alone, in time that says nothing of a secret.

mod door;

use std::fmt;
use std::net::IpAddr;

use hmac::digest::Key;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use portpulse_history::view::Audience;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::request::{Request, Signature};

pub use door::network;
pub(crate) use door::{Attempt, Door, WINDOW};

/// Who may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Anybody: names, statuses, uptime and times of maintenance.
    Public,
    /// Whoever this machine lets onto its loopback interface: everything. The request must name a loopback host, so
    /// that no page of another site reads it under a name that was made to point here.
    Loopback,
    /// Callers whose signature AWS has verified: everything.
    Signed,
    /// Whoever knows the token: everything.
    Token(Token),
}

/// Why a request is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It must show the token.
    SignInFirst,
    /// Too many wrong tokens came from there.
    TooManyAttempts,
    /// Its signature was not verified.
    Unsigned,
    /// It names a host that is not this machine's loopback.
    ForeignHost,
}

impl Access {
    /// What the sender of `request` may see.
    pub(crate) fn admit(&self, door: &Door, request: &Request, now: Timestamp) -> Result<Audience, Refusal> {
        match self {
            Self::Public => Ok(Audience::Public),
            Self::Loopback if names_loopback(request) => Ok(Audience::Private),
            Self::Loopback => Err(Refusal::ForeignHost),
            Self::Signed => match request.signature {
                Signature::Verified => Ok(Audience::Private),
                Signature::None => Err(Refusal::Unsigned),
            },
            Self::Token(token) => door.admit(token, request, now),
        }
    }
}

/// Whether the host of a request is `localhost` or a loopback address.
fn names_loopback(request: &Request) -> bool {
    let Some(host) = request.host.as_deref() else {
        return false;
    };
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) if port.is_empty() || port.starts_with(':') => address,
        Some(_) => return false,
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let is_address = name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    is_address || name.eq_ignore_ascii_case("localhost")
}

/// How long a browser stays signed in, unless it signs out.
const SESSION: SignedDuration = SignedDuration::from_hours(12);

/// A session, named by the time at which it began, in nanoseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Session(i128);

impl Session {
    /// Whether it is not over yet.
    fn is_on(self, now: Timestamp) -> bool {
        now.as_nanosecond() < self.0.saturating_add(SESSION.as_nanos())
    }
}

/// The token of a private page. It shows itself to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    text: String,
    transport: Transport,
    /// The run of the program that sessions are bound to; empty if they are bound to none.
    run: String,
}

/// How requests come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transport {
    /// Over TLS, as function URLs are reached: browsers send the cookie over TLS alone.
    Tls,
    /// As they are, on one's own network.
    #[default]
    Plain,
}

/// Why a text cannot be the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the token is too short: it needs at least {} characters that nobody can guess, as from `openssl rand -hex 32`",
    Token::FEWEST
)]
pub struct ShortToken;

impl Token {
    /// The fewest characters a token has.
    pub const FEWEST: usize = 32;

    /// A token; white space around it is not part of it.
    ///
    /// # Errors
    /// When it is too short to be one.
    pub fn new(text: &str, transport: Transport) -> Result<Self, ShortToken> {
        let text = text.trim();
        if text.chars().count() < Self::FEWEST {
            return Err(ShortToken);
        }
        let text = text.to_owned();
        let run = String::new();
        Ok(Self { text, transport, run })
    }

    /// The same token, whose sessions end with the run of the program that has this name. A process remembers which
    /// sessions were ended: where there is but one, nothing that was ended comes back.
    #[must_use]
    pub fn bound_to(self, run: impl Into<String>) -> Self {
        Self {
            run: run.into(),
            ..self
        }
    }

    /// Whether a text is this token. The digests are compared, so that the time tells neither content nor length.
    pub(crate) fn is(&self, text: &str) -> bool {
        let (ours, theirs) = (Sha256::digest(&self.text), Sha256::digest(text));
        ours.as_slice().ct_eq(theirs.as_slice()).into()
    }

    const fn cookie_name(&self) -> &'static str {
        match self.transport {
            Transport::Tls => "__Host-portpulse",
            Transport::Plain => "portpulse",
        }
    }

    /// The header that signs a browser in: since when, signed with the token, which it does not hold. `Lax`, so that a
    /// link in an alert opens the page; no request changes anything.
    pub(crate) fn session(&self, now: Timestamp) -> String {
        let session = Session(now.as_nanosecond());
        let signature = self.signature(session).finalize().into_bytes();
        self.cookie(&format!("{}.{}", session.0, hex(&signature)), SESSION.as_secs())
    }

    /// The header that signs a browser out.
    pub(crate) fn no_session(&self) -> String {
        self.cookie("", 0)
    }

    fn cookie(&self, value: &str, seconds: i64) -> String {
        let secure = match self.transport {
            Transport::Tls => "; Secure",
            Transport::Plain => "",
        };
        let name = self.cookie_name();
        format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
    }

    /// The session that a request shows, if it is one of this token's and not over. It may have been ended.
    fn session_of(&self, request: &Request, now: Timestamp) -> Option<Session> {
        let (session, signature) = request.cookie(self.cookie_name())?.split_once('.')?;
        let (session, signature) = (Session(session.parse().ok()?), unhex(signature)?);
        // Compares in constant time.
        let is_ours = self.signature(session).verify_slice(&signature).is_ok();
        (is_ours && session.is_on(now)).then_some(session)
    }

    fn signature(&self, Session(began): Session) -> Hmac<Sha256> {
        // A key shorter than a block is filled up with zeros, as RFC 2104 has it.
        let mut key = Key::<Hmac<Sha256>>::default();
        for (place, byte) in key.iter_mut().zip(Sha256::digest(&self.text)) {
            *place = byte;
        }
        let mut mac = Hmac::<Sha256>::new(&key);
        mac.update(format!("portpulse status page since {began} {}", self.run).as_bytes());
        mac
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// What stands behind `Bearer`.
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, text) = authorization.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(text)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pair = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).ok()?;
        let digits = pair.bytes().all(|byte| byte.is_ascii_hexdigit());
        digits.then(|| u8::from_str_radix(pair, 16).ok()).flatten()
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests;
