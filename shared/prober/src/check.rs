//! One target from its first SYN to its outcome.

use std::net::SocketAddr;
use std::time::Duration;

use portpulse_core::choice::CloseMode;
use portpulse_core::outcome::{Failure, Opened, Outcome, Phase, Phases};
use portpulse_core::target::{Check, Target};
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
        Ok(connected) => finish(connected, &target.check, phases).await,
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
async fn finish(connected: Connected<'_>, check: &Check, phases: Phases) -> Outcome {
    let Connected {
        stream,
        address,
        took,
        trust,
        ..
    } = connected;
    let phases = Phases {
        connect: Some(took),
        ..phases
    };
    match check {
        Check::Connect(_) | Check::Ready(_) => drop(stream),
    }
    Outcome::Open(Opened {
        address,
        phases,
        trust,
        warning: None,
        said: None,
    })
}
