//! One connection to the first address that answers: RFC 8305, with times taken from the kernel.

use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use portpulse_core::choice::CloseMode;
use portpulse_core::outcome::{FailureClass, NoData, Trust};
use portpulse_ready::{Fault, begin_connect};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::kernel::{TcpState, tcp_info};
use crate::pacing::Lag;

/// The "Connection Attempt Delay" of RFC 8305, section 5.
const STAGGER: Duration = Duration::from_millis(250);

/// The shortest wait before a SYN is sent again (RFC 6298, section 2.1).
const RESEND: Duration = Duration::from_secs(1);

/// A connection that was made.
pub(crate) struct Connected<'a> {
    pub(crate) stream: TcpStream,
    pub(crate) address: SocketAddr,
    /// SYN to SYN-ACK.
    pub(crate) took: Duration,
    pub(crate) trust: Trust,
    /// Its place among the sockets, to be held until it is closed.
    pub(crate) place: SemaphorePermit<'a>,
}

/// The last address that failed, and the fault that tells most.
pub(crate) struct Unconnected {
    pub(crate) address: SocketAddr,
    pub(crate) fault: Fault,
}

/// How several addresses are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// RFC 8305: the next is tried after 250 ms, or at once when one fails.
    Race,
    /// The next is tried when the one before has failed, within an equal share of the time: where a connection that
    /// comes second, and is given up, would be held against us.
    OneByOne,
}

/// What all attempts at one target share.
#[derive(Clone, Copy)]
pub(crate) struct Terms<'a> {
    pub(crate) close: CloseMode,
    pub(crate) order: Order,
    pub(crate) limit: Limit,
    pub(crate) sockets: &'a Semaphore,
    pub(crate) lag: &'a Lag,
}

/// When the time is up, and whose time it was.
#[derive(Clone, Copy)]
pub(crate) enum Limit {
    /// The target's own timeout: silence until then is the target's fault.
    Timeout(Instant),
    /// The deadline of the whole probe: silence until then tells nothing.
    Deadline(Instant),
}

impl Limit {
    pub(crate) fn at(self) -> Instant {
        match self {
            Self::Timeout(at) | Self::Deadline(at) => at,
        }
    }

    /// Whether silence of that kind was only found because the probe's time was up.
    pub(crate) fn cut_short(self, class: FailureClass) -> bool {
        let silence = matches!(
            class,
            FailureClass::Silent | FailureClass::Timeout | FailureClass::Tls
        );
        matches!(self, Self::Deadline(at) if silence && Instant::now() >= at)
    }

    /// The same limit at another time.
    pub(crate) fn by(self, at: Instant) -> Self {
        match self {
            Self::Timeout(_) => Self::Timeout(at),
            Self::Deadline(_) => Self::Deadline(at),
        }
    }

    fn fault(self) -> Fault {
        match self {
            Self::Timeout(_) => Fault::of_target(FailureClass::Timeout),
            Self::Deadline(_) => Fault::Ours(NoData::OutOfTime),
        }
    }
}

/// Connects to the first of `addresses` that answers; the first attempt uses `place`.
///
/// Attempts still under way when one succeeds are given up.
pub(crate) async fn first_of<'a>(
    addresses: &[SocketAddr],
    place: SemaphorePermit<'a>,
    terms: Terms<'a>,
) -> Result<Connected<'a>, Unconnected> {
    match addresses {
        [only] => attempt(*only, place, terms).await,
        several => match terms.order {
            Order::Race => Box::pin(race(several, place, terms)).await,
            Order::OneByOne => Box::pin(one_by_one(several, place, terms)).await,
        },
    }
}

async fn one_by_one<'a>(
    addresses: &[SocketAddr],
    place: SemaphorePermit<'a>,
    terms: Terms<'a>,
) -> Result<Connected<'a>, Unconnected> {
    let limit = terms.limit.at();
    let mut place = Some(place);
    let mut worst = None;
    for (tried, address) in addresses.iter().copied().enumerate() {
        let now = Instant::now();
        let waiting = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        let share = terms
            .limit
            .by(now + limit.saturating_duration_since(now) / waiting);
        let terms = Terms {
            limit: share,
            ..terms
        };
        let socket = match place.take() {
            Some(place) => Some(place),
            None => timeout_at(share.at(), terms.sockets.acquire())
                .await
                .ok()
                .and_then(Result::ok),
        };
        let failed = match socket {
            Some(place) => match attempt(address, place, terms).await {
                Ok(connected) => return Ok(connected),
                Err(failed) => failed,
            },
            None => Unconnected {
                address,
                fault: Fault::Ours(NoData::OutOfResources),
            },
        };
        worst = Some(the_worse(worst, failed));
    }
    Err(worst.unwrap_or_else(nothing_tried))
}

async fn race<'a>(
    addresses: &[SocketAddr],
    place: SemaphorePermit<'a>,
    terms: Terms<'a>,
) -> Result<Connected<'a>, Unconnected> {
    let limit = terms.limit.at();
    let mut waiting = addresses.iter().copied();
    let mut place = Some(place);
    let mut running = FuturesUnordered::new();
    let mut due = Instant::now();
    let mut worst: Option<Unconnected> = None;
    while waiting.len() > 0 || !running.is_empty() {
        let next_place = async {
            if waiting.len() == 0 {
                return pending().await;
            }
            sleep_until(due).await;
            match place.take() {
                Some(place) => Some(place),
                None => timeout_at(limit, terms.sockets.acquire()).await.ok()?.ok(),
            }
        };
        let failed = tokio::select! {
            biased;
            Some(result) = running.next(), if !running.is_empty() => match result {
                Ok(connected) => return Ok(connected),
                Err(failed) => {
                    due = due.min(Instant::now());
                    failed
                }
            },
            place = next_place => {
                let Some(address) = waiting.next() else { continue };
                match place {
                    Some(place) if Instant::now() < limit => {
                        due = Instant::now() + STAGGER;
                        running.push(attempt(address, place, terms));
                        continue;
                    }
                    // It was due, but there was no socket for it, or we were not there to see to it.
                    _ if due < limit => Unconnected { address, fault: Fault::Ours(NoData::OutOfResources) },
                    _ => Unconnected { address, fault: terms.limit.fault() },
                }
            }
        };
        worst = Some(the_worse(worst, failed));
    }
    Err(worst.unwrap_or_else(nothing_tried))
}

/// The last address that failed, with the fault that tells more.
fn the_worse(known: Option<Unconnected>, failed: Unconnected) -> Unconnected {
    match known {
        Some(Unconnected { fault, .. }) if weight(&fault) >= weight(&failed.fault) => {
            Unconnected { fault, ..failed }
        }
        Some(_) | None => failed,
    }
}

/// How much a fault tells of a name whose addresses all failed; the greatest is reported.
///
/// What we could not try for want of resources might have been open, so it silences the rest. Then an answer beats
/// silence: a refusal proves that the host lives, which silence does not disprove. A family without a route tells
/// nothing as long as the other family tells anything.
pub(crate) fn weight(fault: &Fault) -> u8 {
    match fault {
        Fault::Ours(NoData::NoRoute) => 0,
        Fault::Target {
            class: FailureClass::Timeout | FailureClass::Silent,
            ..
        } => 1,
        Fault::Target {
            class: FailureClass::Unreachable,
            ..
        } => 2,
        Fault::Target {
            class: FailureClass::Refused,
            ..
        } => 4,
        Fault::Target { .. } => 3,
        Fault::Ours(_) => 5,
    }
}

/// There is always an address, and each either answered or left its fault.
fn nothing_tried() -> Unconnected {
    Unconnected {
        address: SocketAddr::from(([0; 4], 0)),
        fault: Fault::Ours(NoData::Internal),
    }
}

/// Connects to one address and reads from the kernel how long that took.
async fn attempt<'a>(
    address: SocketAddr,
    place: SemaphorePermit<'a>,
    terms: Terms<'a>,
) -> Result<Connected<'a>, Unconnected> {
    let failed = |fault| Unconnected { address, fault };
    let (stream, began) = begin_connect(address, terms.close).map_err(failed)?;
    loop {
        let time_up = timeout_at(terms.limit.at(), stream.writable()).await.is_err();
        let clock = began.elapsed();
        // The kernel is asked before time is called up: an event that we read late is still an event.
        let info = tcp_info(&stream).map_err(|error| failed(Fault::at_once(&error, address)))?;
        match info.state {
            TcpState::Connecting if time_up => return Err(failed(terms.limit.fault())),
            TcpState::Connecting => {
                // A wake-up without cause: say so, or `writable` would answer at once for ever.
                let _ = stream.try_io(Interest::WRITABLE, || {
                    Err::<(), _>(std::io::ErrorKind::WouldBlock.into())
                });
            }
            TcpState::Closed => {
                return Err(failed(match stream.take_error() {
                    Ok(Some(error)) => Fault::reported(&error, address),
                    Ok(None) => Fault::of_target(FailureClass::Reset),
                    Err(error) => Fault::at_once(&error, address),
                }));
            }
            TcpState::Connected => {
                let least = info.round_trip.unwrap_or_default() + RESEND * info.resent;
                if time_up && least > terms.limit.at().duration_since(began) {
                    return Err(failed(terms.limit.fault()));
                }
                let (took, trust) = match info.round_trip {
                    _ if info.resent > 0 => (clock, Trust::Retransmitted),
                    Some(round_trip) if round_trip <= clock => (round_trip, Trust::Kernel),
                    _ if time_up || terms.lag.seen_since(began) => (clock, Trust::Starved),
                    _ => (clock, Trust::Clock),
                };
                return Ok(Connected {
                    stream,
                    address,
                    took,
                    trust,
                    place,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_beats_silence_and_want_of_resources_beats_all() {
        let order = [
            Fault::Ours(NoData::NoRoute),
            Fault::of_target(FailureClass::Timeout),
            Fault::of_target(FailureClass::Unreachable),
            Fault::of_target(FailureClass::Reset),
            Fault::of_target(FailureClass::Refused),
            Fault::Ours(NoData::OutOfResources),
        ];
        assert!(order.is_sorted_by(|a, b| weight(a) < weight(b)), "{order:?}");
    }
}
