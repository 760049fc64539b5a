//! The door of a page with a token: which sessions have ended, and who has tried too many wrong tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use portpulse_history::view::Audience;

use super::{Refusal, Session, Token, bearer};
use crate::request::Request;

/// The most wrong tokens that are looked at from one network within [`WINDOW`].
const MAX_WRONG: u32 = 10;
/// How long wrong tokens are counted, from the first one; after that, the network may try again.
pub(crate) const WINDOW: SignedDuration = SignedDuration::from_mins(1);
/// The most networks that are counted. Who has more of them is not held up, and still guesses for ever.
const MAX_NETWORKS: usize = 1_024;
/// The most ended sessions that are remembered; each was begun with the right token.
const MAX_ENDED: usize = 10_000;

/// What one process remembers of sessions and of wrong tokens.
#[derive(Debug, Default)]
pub(crate) struct Door {
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    /// The sessions that were ended before their time.
    ended: BTreeSet<Session>,
    /// By network: the first wrong token that counts, and how many there were.
    wrong: BTreeMap<Option<IpAddr>, (Timestamp, u32)>,
}

/// What came of a token that was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// It is the token.
    Right,
    /// It is not.
    Wrong,
    /// It was not looked at.
    TooMany,
}

impl Door {
    /// What the sender of `request` may see, who has a session or shows the token.
    pub(super) fn admit(
        &self,
        token: &Token,
        request: &Request,
        now: Timestamp,
    ) -> Result<Audience, Refusal> {
        if let Some(session) = token.session_of(request, now)
            && !self.memory().ended.contains(&session)
        {
            return Ok(Audience::Private);
        }
        let shown = request.authorization.as_deref().and_then(bearer);
        match shown.map(|text| self.attempt(token, text, request, now)) {
            Some(Attempt::Right) => Ok(Audience::Private),
            Some(Attempt::Wrong) | None => Err(Refusal::SignInFirst),
            Some(Attempt::TooMany) => Err(Refusal::TooManyAttempts),
        }
    }

    /// Whether `text` is the token, unless too many were tried from there. Sessions go on meanwhile.
    pub(crate) fn attempt(&self, token: &Token, text: &str, request: &Request, now: Timestamp) -> Attempt {
        let network = request.sender.map(network);
        let mut memory = self.memory();
        let wrong = &mut memory.wrong;
        // A clock that was set back holds nobody up for longer.
        wrong.retain(|_, (since, _)| (SignedDuration::ZERO..WINDOW).contains(&now.duration_since(*since)));
        if wrong.get(&network).is_some_and(|(_, count)| *count >= MAX_WRONG) {
            return Attempt::TooMany;
        }
        if token.is(text.trim()) {
            return Attempt::Right;
        }
        if wrong.len() >= MAX_NETWORKS {
            wrong.clear();
        }
        wrong.entry(network).or_insert((now, 0)).1 += 1;
        Attempt::Wrong
    }

    /// Ends the session of `request`, if it has one.
    pub(crate) fn end(&self, token: &Token, request: &Request, now: Timestamp) {
        let Some(session) = token.session_of(request, now) else {
            return;
        };
        let mut memory = self.memory();
        let ended = &mut memory.ended;
        ended.retain(|session| session.is_on(now));
        if ended.len() >= MAX_ENDED {
            // The oldest is the nearest to its end.
            ended.pop_first();
        }
        ended.insert(session);
    }

    #[cfg(test)]
    pub(super) fn ended(&self) -> usize {
        self.memory().ended.len()
    }

    #[cfg(test)]
    pub(super) fn networks(&self) -> usize {
        self.memory().wrong.len()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An IPv4 address, or the network of 64 bits that an IPv6 address is in: who has one such address has them all.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address @ IpAddr::V4(_) => address,
    }
}
