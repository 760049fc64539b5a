//! One target from its first SYN to its outcome.

use std::net::SocketAddr;
use std::time::Duration;

use portpulse_core::choice::CloseMode;
use portpulse_core::outcome::{Failure, NoData, Opened, Outcome, Phase, Phases};
use portpulse_core::target::{Check, Target};
use portpulse_ready::{Finding, Healthy, Request, TlsClient, Trouble, exchange};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::connect::{self, Connected, Limit, Terms, Unconnected};
use crate::failure::Fault;
use crate::pacing::Lag;

/// A target whose addresses are known.
pub(crate) struct Resolved<'a> {
    pub(crate) target: &'a Target,
    /// In the order in which to try them; never empty.
    pub(crate) addresses: Vec<SocketAddr>,
    /// What name resolution took of the target's time; absent for an address.
    pub(crate) dns: Option<Duration>,
}

/// What all checks of one probe share.
#[derive(Clone, Copy)]
pub(crate) struct Shared<'a> {
    pub(crate) deadline: Instant,
    pub(crate) sockets: &'a Semaphore,
    pub(crate) tls: &'a TlsClient,
    pub(crate) lag: &'a Lag,
}

/// Checks one target, in the time it has left; `place` is its first socket's.
pub(crate) async fn check<'a>(
    resolved: Resolved<'a>,
    place: SemaphorePermit<'a>,
    shared: Shared<'a>,
) -> Outcome {
    let Resolved {
        target,
        addresses,
        dns,
    } = resolved;
    let began = Instant::now();
    let own_limit = began + target.timeout.saturating_sub(dns.unwrap_or_default());
    let limit = if own_limit <= shared.deadline {
        Limit::Timeout(own_limit)
    } else {
        Limit::Deadline(shared.deadline)
    };
    let close = match target.check {
        Check::Connect(close) => close,
        Check::Ready(_) => CloseMode::Fin,
    };
    let terms = Terms {
        close,
        limit,
        sockets: shared.sockets,
        lag: shared.lag,
    };
    let phases = Phases {
        dns,
        ..Phases::default()
    };
    match connect::first_of(&addresses, place, terms).await {
        Ok(connected) => finish(connected, target, phases, limit, shared.tls).await,
        Err(Unconnected { address, fault }) => {
            let phases = Phases {
                connect: Some(began.elapsed()),
                ..phases
            };
            match fault {
                Fault::Ours(no_data) => Outcome::NoData(no_data),
                Fault::Target { class, detail } => Outcome::Failed(Failure {
                    class,
                    phase: Phase::Connect,
                    phases,
                    address: Some(address),
                    detail,
                }),
            }
        }
    }
}

/// Does what the check asks of an open connection, then closes it.
async fn finish(
    connected: Connected<'_>,
    target: &Target,
    phases: Phases,
    limit: Limit,
    tls: &TlsClient,
) -> Outcome {
    let Connected {
        stream,
        address,
        took,
        trust,
        place,
    } = connected;
    let phases = Phases {
        connect: Some(took),
        ..phases
    };
    let service = match &target.check {
        Check::Connect(_) => {
            drop(stream);
            return Outcome::Open(Opened {
                address,
                phases,
                trust,
                warning: None,
                said: None,
            });
        }
        Check::Ready(service) => *service,
    };
    let request = Request::for_service(service, target.host.clone(), target.port, tls);
    // Boxed, so that the many checks without an exchange stay small.
    let report = Box::pin(exchange(stream, &request, limit.at())).await;
    drop(place);
    let phases = Phases {
        tls: report.tls,
        ready: report.ready,
        ..phases
    };
    match report.finding {
        Finding::Healthy(Healthy { said, warning, .. }) => Outcome::Open(Opened {
            address,
            phases,
            trust,
            warning,
            said,
        }),
        Finding::Trouble(trouble) if limit.cut_short(trouble.class) => Outcome::NoData(NoData::OutOfTime),
        Finding::Trouble(Trouble { class, phase, detail }) => Outcome::Failed(Failure {
            class,
            phase,
            phases,
            address: Some(address),
            detail,
        }),
        Finding::NoData(no_data) => Outcome::NoData(no_data),
    }
}
