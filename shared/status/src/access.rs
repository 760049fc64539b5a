//! Who may read, and what: decided from the request alone, in time that says nothing of a secret.

use std::fmt;
use std::net::IpAddr;

use hmac::digest::Key;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use portpulse_history::view::Audience;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::request::{Request, Signature};

/// Who may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Anybody: names, verdicts, uptime and times of maintenance.
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
    /// Its signature was not verified.
    Unsigned,
    /// It names a host that is not this machine's loopback.
    ForeignHost,
}

impl Access {
    /// What the sender of `request` may see.
    pub(crate) fn admit(&self, request: &Request, now: Timestamp) -> Result<Audience, Refusal> {
        match self {
            Self::Public => Ok(Audience::Public),
            Self::Loopback if names_loopback(request) => Ok(Audience::Private),
            Self::Loopback => Err(Refusal::ForeignHost),
            Self::Signed => match request.signature {
                Signature::Verified => Ok(Audience::Private),
                Signature::None => Err(Refusal::Unsigned),
            },
            Self::Token(token) if token.is_shown_by(request, now) => Ok(Audience::Private),
            Self::Token(_) => Err(Refusal::SignInFirst),
        }
    }
}

/// Whether the host of a request is `localhost` or a loopback address.
fn names_loopback(request: &Request) -> bool {
    let Some(host) = request.host.as_deref() else {
        return false;
    };
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let is_address = name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    is_address || name.eq_ignore_ascii_case("localhost")
}

/// How long a browser stays signed in.
const SESSION: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The token of a private page. It shows itself to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    text: String,
    transport: Transport,
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
        Ok(Self { text, transport })
    }

    /// Whether a text is this token. The digests are compared, so that the time tells neither content nor length.
    pub(crate) fn is(&self, text: &str) -> bool {
        let (ours, theirs) = (Sha256::digest(&self.text), Sha256::digest(text));
        ours.as_slice().ct_eq(theirs.as_slice()).into()
    }

    fn is_shown_by(&self, request: &Request, now: Timestamp) -> bool {
        let bearer = request.authorization.as_deref().and_then(bearer);
        if bearer.is_some_and(|text| self.is(text.trim())) {
            return true;
        }
        let session = request.cookie(self.cookie_name());
        session.is_some_and(|session| self.signed(session, now))
    }

    const fn cookie_name(&self) -> &'static str {
        match self.transport {
            Transport::Tls => "__Host-portpulse",
            Transport::Plain => "portpulse",
        }
    }

    /// The header that signs a browser in: until when, signed with the token, which it does not hold. `Lax`, so that a
    /// link in an alert opens the page; no request changes anything.
    pub(crate) fn session(&self, now: Timestamp) -> String {
        let until = now.saturating_add(SESSION).unwrap_or(Timestamp::MAX).as_second();
        let signature = self.signature(until).finalize().into_bytes();
        self.cookie(&format!("{until}.{}", hex(&signature)), SESSION.as_secs())
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

    fn signed(&self, session: &str, now: Timestamp) -> bool {
        let Some((until, signature)) = session.split_once('.') else {
            return false;
        };
        let (Ok(until), Some(signature)) = (until.parse::<i64>(), unhex(signature)) else {
            return false;
        };
        // Compares in constant time.
        now.as_second() < until && self.signature(until).verify_slice(&signature).is_ok()
    }

    fn signature(&self, until: i64) -> Hmac<Sha256> {
        // A key shorter than a block is filled up with zeros, as RFC 2104 has it.
        let mut key = Key::<Hmac<Sha256>>::default();
        for (place, byte) in key.iter_mut().zip(Sha256::digest(&self.text)) {
            *place = byte;
        }
        let mut mac = Hmac::<Sha256>::new(&key);
        mac.update(format!("portpulse status page until {until}").as_bytes());
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
