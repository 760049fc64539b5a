//! Connects to the first address that answers (RFC 8305), with connect times measured by the kernel.

use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use portpulse_core::choice::CloseMode;
use portpulse_core::outcome::{FailureClass, NoData, Trust};
use portpulse_ready::{SocketError, start_connect};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::kernel::{TcpState, tcp_info};
use crate::pacing::Lag;

/// The "Connection Attempt Delay" of RFC 8305, section 5.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// The minimum time before a SYN is sent again (RFC 6298, section 2.1).
const MIN_RETRANSMIT_TIMEOUT: Duration = Duration::from_secs(1);

/// An established connection.
pub(crate) struct Connected<'a> {
    pub(crate) stream: TcpStream,
    pub(crate) address: SocketAddr,
    /// The time from SYN to SYN-ACK.
    pub(crate) elapsed: Duration,
    pub(crate) trust: Trust,
    /// The permit of the socket, held until the socket is closed.
    pub(crate) permit: SemaphorePermit<'a>,
}

/// The last address that failed, with the most significant error of all addresses.
pub(crate) struct ConnectFailure {
    pub(crate) address: SocketAddr,
    pub(crate) error: SocketError,
}

/// How several addresses are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddressOrder {
    /// RFC 8305: the next address is tried after 250 ms, or immediately after a failure.
    Race,
    /// The next address is tried after the previous one failed, each with an equal share of the time. Used for services
    /// that count an abandoned connection against the client.
    Sequential,
}

/// What all connection attempts of one target share.
#[derive(Clone, Copy)]
pub(crate) struct AttemptSettings<'a> {
    pub(crate) close: CloseMode,
    pub(crate) order: AddressOrder,
    pub(crate) limit: TimeLimit,
    pub(crate) sockets: &'a Semaphore,
    pub(crate) lag: &'a Lag,
}

/// The end of the available time, and whose limit this is.
#[derive(Clone, Copy)]
pub(crate) enum TimeLimit {
    /// The target's own timeout: silence until then is a failure of the target.
    Timeout(Instant),
    /// The deadline of the whole probe: silence until then proves nothing.
    Deadline(Instant),
}

impl TimeLimit {
    pub(crate) fn at(self) -> Instant {
        match self {
            Self::Timeout(at) | Self::Deadline(at) => at,
        }
    }

    /// Whether a failure of this class only shows that the probe's deadline passed.
    pub(crate) fn cut_short(self, class: FailureClass) -> bool {
        let silence = matches!(
            class,
            FailureClass::Silent | FailureClass::Timeout | FailureClass::Tls
        );
        matches!(self, Self::Deadline(at) if silence && Instant::now() >= at)
    }

    /// The same kind of limit at another time.
    pub(crate) fn at_time(self, at: Instant) -> Self {
        match self {
            Self::Timeout(_) => Self::Timeout(at),
            Self::Deadline(_) => Self::Deadline(at),
        }
    }

    pub(crate) fn expired(self) -> SocketError {
        match self {
            Self::Timeout(_) => SocketError::of_target(FailureClass::Timeout),
            Self::Deadline(_) => SocketError::Local(NoData::OutOfTime),
        }
    }
}

/// Connects to the first of `addresses` that answers; the first attempt uses `permit`.
///
/// Attempts that are still running when another one succeeds are cancelled.
pub(crate) async fn connect_to_first<'a>(
    addresses: &[SocketAddr],
    permit: SemaphorePermit<'a>,
    settings: AttemptSettings<'a>,
) -> Result<Connected<'a>, ConnectFailure> {
    match addresses {
        [only] => attempt(*only, permit, settings).await,
        several => match settings.order {
            AddressOrder::Race => Box::pin(race(several, permit, settings)).await,
            AddressOrder::Sequential => Box::pin(sequential(several, permit, settings)).await,
        },
    }
}

async fn sequential<'a>(
    addresses: &[SocketAddr],
    permit: SemaphorePermit<'a>,
    settings: AttemptSettings<'a>,
) -> Result<Connected<'a>, ConnectFailure> {
    let limit = settings.limit.at();
    let mut permit = Some(permit);
    let mut most_significant = None;
    for (tried, address) in addresses.iter().copied().enumerate() {
        let now = Instant::now();
        let waiting = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        let share = settings
            .limit
            .at_time(now + limit.saturating_duration_since(now) / waiting);
        let settings = AttemptSettings {
            limit: share,
            ..settings
        };
        let socket = match permit.take() {
            Some(permit) => Some(permit),
            None => timeout_at(share.at(), settings.sockets.acquire())
                .await
                .ok()
                .and_then(Result::ok),
        };
        let failed = match socket {
            Some(permit) => match attempt(address, permit, settings).await {
                Ok(connected) => return Ok(connected),
                Err(failed) => failed,
            },
            None => ConnectFailure {
                address,
                error: SocketError::Local(NoData::OutOfResources),
            },
        };
        most_significant = Some(more_significant(most_significant, failed));
    }
    Err(most_significant.unwrap_or_else(no_attempt))
}

async fn race<'a>(
    addresses: &[SocketAddr],
    permit: SemaphorePermit<'a>,
    settings: AttemptSettings<'a>,
) -> Result<Connected<'a>, ConnectFailure> {
    let limit = settings.limit.at();
    let mut waiting = addresses.iter().copied();
    let mut permit = Some(permit);
    let mut running = FuturesUnordered::new();
    let mut due = Instant::now();
    let mut most_significant: Option<ConnectFailure> = None;
    while waiting.len() > 0 || !running.is_empty() {
        let next_permit = async {
            if waiting.len() == 0 {
                return pending().await;
            }
            sleep_until(due).await;
            match permit.take() {
                Some(permit) => Some(permit),
                None => timeout_at(limit, settings.sockets.acquire()).await.ok()?.ok(),
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
            permit = next_permit => {
                let Some(address) = waiting.next() else { continue };
                match permit {
                    Some(permit) if Instant::now() < limit => {
                        due = Instant::now() + ATTEMPT_DELAY;
                        running.push(attempt(address, permit, settings));
                        continue;
                    }
                    // The attempt was due in time, but no socket was free, or this process was late.
                    _ if due < limit => ConnectFailure { address, error: SocketError::Local(NoData::OutOfResources) },
                    _ => ConnectFailure { address, error: settings.limit.expired() },
                }
            }
        };
        most_significant = Some(more_significant(most_significant, failed));
    }
    Err(most_significant.unwrap_or_else(no_attempt))
}

/// The later address, with the more significant error.
fn more_significant(known: Option<ConnectFailure>, failed: ConnectFailure) -> ConnectFailure {
    match known {
        Some(ConnectFailure { error, .. }) if significance(&error) >= significance(&failed.error) => {
            ConnectFailure { error, ..failed }
        }
        Some(_) | None => failed,
    }
}

/// The significance of an error of one address, if all addresses of a name fail. The most significant error is
/// reported.
///
/// Local errors come first, because an address that could not be tried may be open. An answer comes before silence,
/// because a refusal proves that the host is up, which silence does not disprove. A missing route for one address
/// family comes last.
pub(crate) fn significance(error: &SocketError) -> u8 {
    match error {
        SocketError::Local(NoData::NoRoute) => 0,
        SocketError::Target {
            class: FailureClass::Timeout | FailureClass::Silent,
            ..
        } => 1,
        SocketError::Target {
            class: FailureClass::Unreachable,
            ..
        } => 2,
        SocketError::Target {
            class: FailureClass::Refused,
            ..
        } => 4,
        SocketError::Target { .. } => 3,
        SocketError::Local(_) => 5,
    }
}

/// Cannot occur: there is always an address, and each attempt succeeds or fails.
fn no_attempt() -> ConnectFailure {
    ConnectFailure {
        address: SocketAddr::from(([0; 4], 0)),
        error: SocketError::Local(NoData::Internal),
    }
}

/// Connects to one address, and reads the connect time from the kernel.
async fn attempt<'a>(
    address: SocketAddr,
    permit: SemaphorePermit<'a>,
    settings: AttemptSettings<'a>,
) -> Result<Connected<'a>, ConnectFailure> {
    let failed = |error| ConnectFailure { address, error };
    let (stream, started) = start_connect(address, settings.close).map_err(failed)?;
    loop {
        let time_up = timeout_at(settings.limit.at(), stream.writable()).await.is_err();
        let clock = started.elapsed();
        // The kernel is asked before a timeout is reported, because this process may read an event late.
        let info = tcp_info(&stream).map_err(|error| failed(SocketError::from_call(&error, address)))?;
        match info.state {
            TcpState::Connecting if time_up => return Err(failed(settings.limit.expired())),
            TcpState::Connecting => clear_readiness(&stream),
            TcpState::Closed => return Err(failed(connect_error(&stream, address))),
            TcpState::Connected => {
                let minimum = info.round_trip.unwrap_or_default() + MIN_RETRANSMIT_TIMEOUT * info.resent;
                if time_up && minimum > settings.limit.at().duration_since(started) {
                    return Err(failed(settings.limit.expired()));
                }
                let was_starved = time_up || settings.lag.seen_since(started);
                let (elapsed, trust) = connect_time(info.round_trip, info.resent, clock, was_starved);
                return Ok(Connected {
                    stream,
                    address,
                    elapsed,
                    trust,
                    permit,
                });
            }
        }
    }
}

/// Clears the readiness after a spurious wake-up, otherwise `writable` would return immediately again.
fn clear_readiness(stream: &TcpStream) {
    let _ = stream.try_io(Interest::WRITABLE, || {
        Err::<(), _>(std::io::ErrorKind::WouldBlock.into())
    });
}

/// Why the kernel closed a socket that was connecting.
fn connect_error(stream: &TcpStream, address: SocketAddr) -> SocketError {
    match stream.take_error() {
        Ok(Some(error)) => SocketError::from_network(&error, address),
        Ok(None) => SocketError::of_target(FailureClass::Reset),
        Err(error) => SocketError::from_call(&error, address),
    }
}

/// The connect time: as the kernel measured it, unless a SYN was resent or the kernel has no measurement.
fn connect_time(
    round_trip: Option<Duration>,
    resent: u32,
    clock: Duration,
    was_starved: bool,
) -> (Duration, Trust) {
    match round_trip {
        _ if resent > 0 => (clock, Trust::Retransmitted),
        Some(round_trip) if round_trip <= clock => (round_trip, Trust::Kernel),
        _ if was_starved => (clock, Trust::Starved),
        _ => (clock, Trust::Clock),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_outranks_silence_and_missing_resources_outrank_all() {
        let order = [
            SocketError::Local(NoData::NoRoute),
            SocketError::of_target(FailureClass::Timeout),
            SocketError::of_target(FailureClass::Unreachable),
            SocketError::of_target(FailureClass::Reset),
            SocketError::of_target(FailureClass::Refused),
            SocketError::Local(NoData::OutOfResources),
        ];
        assert!(
            order.is_sorted_by(|a, b| significance(a) < significance(b)),
            "{order:?}"
        );
    }
}
