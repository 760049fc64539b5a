//! Sign-in for a page with a token: ended sessions and rate limiting of wrong tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use portpulse_history::view::Audience;

use super::{Refusal, Session, Token, bearer};
use crate::request::Request;

/// The maximum number of wrong tokens that are compared per network within [`ATTEMPT_WINDOW`].
const MAX_WRONG_TOKENS: u32 = 10;
/// How long wrong tokens are counted, from the first one. Afterwards the network may try again.
pub(crate) const ATTEMPT_WINDOW: SignedDuration = SignedDuration::from_mins(1);
/// The maximum number of networks that are counted. An attacker with more networks is not limited, but a token is too
/// long to guess anyway.
const MAX_NETWORKS: usize = 1_024;
/// The maximum number of ended sessions that are remembered. Each of them was started with the right token.
const MAX_ENDED_SESSIONS: usize = 10_000;

/// Ended sessions and wrong tokens, in the memory of one process.
#[derive(Debug, Default)]
pub(crate) struct SignInGuard {
    state: Mutex<GuardState>,
}

#[derive(Debug, Default)]
struct GuardState {
    /// Sessions that a reader ended before they expired.
    ended: BTreeSet<Session>,
    /// By network: the time of the first wrong token that counts, and the number of wrong tokens.
    wrong: BTreeMap<Option<IpAddr>, (Timestamp, u32)>,
}

/// Result of a sign-in attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// The token is right.
    Accepted,
    /// The token is wrong.
    Wrong,
    /// The token was not compared, because the network has tried too often.
    TooMany,
}

impl SignInGuard {
    /// Admits a request that has a valid session or the token.
    pub(super) fn authorize(
        &self,
        token: &Token,
        request: &Request,
        now: Timestamp,
    ) -> Result<Audience, Refusal> {
        if let Some(session) = token.session_of(request, now)
            && !self.state().ended.contains(&session)
        {
            return Ok(Audience::Private);
        }
        let shown = request.authorization.as_deref().and_then(bearer);
        match shown.map(|text| self.attempt(token, text, request, now)) {
            Some(Attempt::Accepted) => Ok(Audience::Private),
            Some(Attempt::Wrong) | None => Err(Refusal::SignInRequired),
            Some(Attempt::TooMany) => Err(Refusal::TooManyAttempts),
        }
    }

    /// Compares `text` with the token, unless the sender's network has tried too often. Sessions stay valid meanwhile.
    pub(crate) fn attempt(&self, token: &Token, text: &str, request: &Request, now: Timestamp) -> Attempt {
        let network = request.sender.map(network);
        let mut state = self.state();
        let wrong = &mut state.wrong;
        // Entries from the future are dropped: a clock that was set back must not extend the lockout.
        wrong.retain(|_, (since, _)| {
            (SignedDuration::ZERO..ATTEMPT_WINDOW).contains(&now.duration_since(*since))
        });
        if wrong
            .get(&network)
            .is_some_and(|(_, count)| *count >= MAX_WRONG_TOKENS)
        {
            return Attempt::TooMany;
        }
        if token.is(text.trim()) {
            return Attempt::Accepted;
        }
        if wrong.len() >= MAX_NETWORKS {
            wrong.clear();
        }
        wrong.entry(network).or_insert((now, 0)).1 += 1;
        Attempt::Wrong
    }

    /// Ends the session of `request`, if the request has one.
    pub(crate) fn end(&self, token: &Token, request: &Request, now: Timestamp) {
        let Some(session) = token.session_of(request, now) else {
            return;
        };
        let mut state = self.state();
        let ended = &mut state.ended;
        ended.retain(|session| session.is_valid(now));
        if ended.len() >= MAX_ENDED_SESSIONS {
            // The oldest session expires first.
            ended.pop_first();
        }
        ended.insert(session);
    }

    #[cfg(test)]
    pub(super) fn ended_sessions(&self) -> usize {
        self.state().ended.len()
    }

    #[cfg(test)]
    pub(super) fn networks(&self) -> usize {
        self.state().wrong.len()
    }

    fn state(&self) -> MutexGuard<'_, GuardState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The network of an address: the address itself for IPv4, the /64 prefix for IPv6, since a /64 usually belongs to one
/// subscriber.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address @ IpAddr::V4(_) => address,
    }
}
