//! Access control: decides from the request alone who may read what. Secrets are compared in constant time.

mod sign_in_guard;

use std::fmt;
use std::net::IpAddr;

use hmac::digest::Key;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use portpulse_history::view::Audience;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::request::{Request, Signature, Transport};

pub use sign_in_guard::network;
pub(crate) use sign_in_guard::{ATTEMPT_WINDOW, Attempt, SignInGuard};

/// Who may read the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Anyone may read names, statuses, uptime and maintenance windows.
    Public,
    /// Users of this machine's loopback interface may read everything. The request must name a loopback host, which
    /// protects against DNS rebinding.
    Loopback,
    /// Callers with a signature that AWS has verified may read everything.
    Signed,
    /// Readers with the token may read everything.
    Token(Token),
}

/// Why access is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The request has neither the token nor a valid session.
    SignInRequired,
    /// Too many wrong tokens came from the sender's network.
    TooManyAttempts,
    /// The request has no verified signature.
    Unsigned,
    /// The `Host` header does not name a loopback host.
    ForeignHost,
}

impl Access {
    /// Returns what the sender of `request` may see.
    pub(crate) fn authorize(
        &self,
        guard: &SignInGuard,
        request: &Request,
        now: Timestamp,
    ) -> Result<Audience, Refusal> {
        match self {
            Self::Public => Ok(Audience::Public),
            Self::Loopback if has_loopback_host(request) => Ok(Audience::Private),
            Self::Loopback => Err(Refusal::ForeignHost),
            Self::Signed => match request.signature {
                Signature::Verified => Ok(Audience::Private),
                Signature::None => Err(Refusal::Unsigned),
            },
            Self::Token(token) => guard.authorize(token, request, now),
        }
    }
}

/// Whether the host of a request is `localhost` or a loopback address.
fn has_loopback_host(request: &Request) -> bool {
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

/// The secret from which the token in forms is derived. Pages of other origins cannot read the token, so they cannot post a
/// form in the reader's name. `Debug` does not print the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct FormSecret(String);

impl FormSecret {
    /// Creates a secret from random text, the same in all processes that serve a page.
    pub fn new(random: impl Into<String>) -> Self {
        Self(random.into())
    }

    /// The token in the forms of the page.
    pub(crate) fn token(&self) -> FormToken {
        let digest = Sha256::digest(format!("portpulse form {}", self.0));
        FormToken(hex(&digest))
    }

    /// Whether a form contains the token.
    pub(crate) fn is_in(&self, request: &Request) -> bool {
        let found = request.form_value("token").unwrap_or_default();
        self.token().0.as_bytes().ct_eq(found.as_bytes()).into()
    }
}

impl fmt::Debug for FormSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FormSecret(…)")
    }
}

/// The token in forms, which proves that the page of this origin was read.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct FormToken(String);

impl fmt::Display for FormToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How long a session lasts unless the reader signs out.
const SESSION: SignedDuration = SignedDuration::from_hours(12);

/// A session, identified by its start time in nanoseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Session(i128);

impl Session {
    /// Whether the session has not expired.
    fn is_valid(self, now: Timestamp) -> bool {
        now.as_nanosecond() < self.0.saturating_add(SESSION.as_nanos())
    }
}

/// The token of a private page. `Debug` does not print the token.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    text: String,
    transport: Transport,
    /// The program instance that sessions are bound to; empty if sessions survive a restart.
    instance: String,
}

/// Error: the token is too short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the token is too short: it needs at least {} random characters, such as the output of `openssl rand -hex 32`",
    Token::MIN_LENGTH
)]
pub struct ShortToken;

impl Token {
    /// The minimum number of characters of a token.
    pub const MIN_LENGTH: usize = 32;

    /// Creates a token. White space around `text` is ignored.
    ///
    /// # Errors
    /// If the token has fewer than [`Token::MIN_LENGTH`] characters.
    pub fn new(text: &str, transport: Transport) -> Result<Self, ShortToken> {
        let text = text.trim();
        if text.chars().count() < Self::MIN_LENGTH {
            return Err(ShortToken);
        }
        let text = text.to_owned();
        let instance = String::new();
        Ok(Self {
            text,
            transport,
            instance,
        })
    }

    /// Binds sessions to a program instance: they end when the program restarts under another instance name. Ended
    /// sessions are remembered in memory only; without the binding they would be valid again after a restart.
    #[must_use]
    pub fn bound_to(self, instance: impl Into<String>) -> Self {
        Self {
            instance: instance.into(),
            ..self
        }
    }

    /// The secret of the forms, the same in all instances of a function: whoever may read the page has the token anyway.
    pub fn form_secret(&self) -> FormSecret {
        FormSecret::new(self.text.as_str())
    }

    /// Whether `text` is this token. Compares digests, so that the time depends neither on the content nor on the length.
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

    /// The `Set-Cookie` value that signs a browser in: the session's start time, signed with the token. The cookie does
    /// not contain the token. `SameSite=Lax`, so that a link in a notification opens the page; `GET` changes nothing.
    pub(crate) fn session(&self, now: Timestamp) -> String {
        let session = Session(now.as_nanosecond());
        let signature = self.signature(session).finalize().into_bytes();
        self.cookie(&format!("{}.{}", session.0, hex(&signature)), SESSION.as_secs())
    }

    /// The `Set-Cookie` value that signs a browser out.
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

    /// The session in the request's cookie, if the signature is valid and the session has not expired. The caller must
    /// check whether the reader has signed out.
    fn session_of(&self, request: &Request, now: Timestamp) -> Option<Session> {
        let (session, signature) = request.cookie(self.cookie_name())?.split_once('.')?;
        let (session, signature) = (Session(session.parse().ok()?), unhex(signature)?);
        // `verify_slice` compares in constant time.
        let is_ours = self.signature(session).verify_slice(&signature).is_ok();
        (is_ours && session.is_valid(now)).then_some(session)
    }

    fn signature(&self, Session(began): Session) -> Hmac<Sha256> {
        // RFC 2104: a key shorter than a block is padded with zeros.
        let mut key = Key::<Hmac<Sha256>>::default();
        for (place, byte) in key.iter_mut().zip(Sha256::digest(&self.text)) {
            *place = byte;
        }
        let mut mac = Hmac::<Sha256>::new(&key);
        mac.update(format!("portpulse status page since {began} {}", self.instance).as_bytes());
        mac
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The token of a `Bearer` authorization header.
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
