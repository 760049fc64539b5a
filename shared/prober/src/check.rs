//! The check of one target, from the first SYN to the outcome.

use std::net::SocketAddr;
use std::time::Duration;

use portpulse_core::choice::CloseMode;
use portpulse_core::outcome::{Failure, FailureClass, NoData, Opened, Outcome, Phase, Phases, Trust};
use portpulse_core::readiness::{DnsCheck, Protocol, Transport};
use portpulse_core::target::{Check, Target};
use portpulse_ready::{
    ExchangeFailure, ExchangeResult, Healthy, Request, SocketError, TlsClient, exchange,
    exchange_dns_over_udp,
};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::connect::{self, AddressOrder, AttemptSettings, ConnectFailure, Connected, TimeLimit};
use crate::pacing::Lag;

/// A target with resolved addresses.
pub(crate) struct Resolved<'a> {
    pub(crate) target: &'a Target,
    /// The addresses in the order of attempts; never empty.
    pub(crate) addresses: Vec<SocketAddr>,
    /// The time of name resolution, which counts towards the target's timeout; absent for an address.
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

/// Checks one target in the remaining time. `permit` is the permit of its first socket.
pub(crate) async fn check<'a>(
    resolved: Resolved<'a>,
    permit: SemaphorePermit<'a>,
    shared: Shared<'a>,
) -> Outcome {
    let Resolved {
        target,
        addresses,
        dns,
    } = resolved;
    let started = Instant::now();
    let own_limit = started + target.timeout.saturating_sub(dns.unwrap_or_default());
    let limit = if own_limit <= shared.deadline {
        TimeLimit::Timeout(own_limit)
    } else {
        TimeLimit::Deadline(shared.deadline)
    };
    let (close, order) = match &target.check {
        Check::Connect(close) => (*close, AddressOrder::Race),
        Check::Ready(readiness) => {
            if let Protocol::Dns(question) = readiness.protocol()
                && question.transport() == Transport::Udp
            {
                let asked = over_udp(&addresses, question, dns, limit, shared.lag);
                let outcome = Box::pin(asked).await;
                drop(permit);
                return outcome;
            }
            let order = if readiness.protocol().counts_hang_ups() {
                AddressOrder::Sequential
            } else {
                AddressOrder::Race
            };
            (CloseMode::Fin, order)
        }
    };
    let settings = AttemptSettings {
        close,
        order,
        limit,
        sockets: shared.sockets,
        lag: shared.lag,
    };
    let phases = Phases {
        dns,
        ..Phases::default()
    };
    match connect::connect_to_first(&addresses, permit, settings).await {
        Ok(connected) => finish(connected, target, phases, limit, shared.tls).await,
        Err(ConnectFailure { address, error }) => {
            let phases = Phases {
                connect: Some(started.elapsed()),
                ..phases
            };
            match error {
                SocketError::Local(no_data) => Outcome::NoData(no_data),
                SocketError::Target { class, detail } => Outcome::Failed(Failure {
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

/// Runs the exchange that the check requires on an open connection, then closes the connection.
async fn finish(
    connected: Connected<'_>,
    target: &Target,
    phases: Phases,
    limit: TimeLimit,
    tls: &TlsClient,
) -> Outcome {
    let Connected {
        stream,
        address,
        elapsed,
        trust,
        permit,
    } = connected;
    let phases = Phases {
        connect: Some(elapsed),
        ..phases
    };
    let readiness = match &target.check {
        Check::Connect(_) => {
            drop(stream);
            return Outcome::Open(Opened {
                address,
                phases,
                trust,
                warning: None,
                banner: None,
            });
        }
        Check::Ready(readiness) => readiness,
    };
    let request = Request::new(readiness.clone(), target.host.clone(), target.port, tls);
    // Boxed to keep the futures of the many checks without an exchange small.
    let report = Box::pin(exchange(stream, &request, limit.at())).await;
    drop(permit);
    let phases = Phases {
        tls: report.tls,
        ready: report.ready,
        ..phases
    };
    outcome(report.result, address, phases, trust, limit)
}

/// Runs a DNS check over UDP. There is no connect phase, and each address gets an equal share of the remaining time.
async fn over_udp(
    addresses: &[SocketAddr],
    question: &DnsCheck,
    dns: Option<Duration>,
    limit: TimeLimit,
    lag: &Lag,
) -> Outcome {
    let mut found: Option<Outcome> = None;
    for (tried, address) in addresses.iter().enumerate() {
        let started = Instant::now();
        let waiting = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        let share = limit.at_time(started + limit.at().saturating_duration_since(started) / waiting);
        let report = exchange_dns_over_udp(*address, question, share.at()).await;
        let trust = if lag.seen_since(started) {
            Trust::Starved
        } else {
            Trust::Clock
        };
        let phases = Phases {
            dns,
            ready: report.ready,
            ..Phases::default()
        };
        let answered = match &report.result {
            ExchangeResult::Healthy(_) => true,
            ExchangeResult::Failed(error) => !matches!(
                error.class,
                FailureClass::Silent | FailureClass::Refused | FailureClass::Unreachable
            ),
            ExchangeResult::NoData(_) => false,
        };
        let this = outcome(report.result, *address, phases, trust, share);
        if answered {
            return this;
        }
        found = Some(match found {
            Some(before) if outcome_significance(&before) >= outcome_significance(&this) => before,
            Some(_) | None => this,
        });
    }
    found.unwrap_or(Outcome::NoData(NoData::Internal))
}

/// The significance of a check without an answer, on the scale of [`connect::significance`].
fn outcome_significance(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Open(_) => u8::MAX,
        Outcome::Failed(failure) => connect::significance(&SocketError::of_target(failure.class)),
        Outcome::NoData(no_data) => connect::significance(&SocketError::Local(*no_data)),
    }
}

/// Converts the result of an exchange to the outcome of the check.
fn outcome(
    result: ExchangeResult,
    address: SocketAddr,
    phases: Phases,
    trust: Trust,
    limit: TimeLimit,
) -> Outcome {
    match result {
        ExchangeResult::Healthy(Healthy { banner, warning, .. }) => Outcome::Open(Opened {
            address,
            phases,
            trust,
            warning,
            banner,
        }),
        ExchangeResult::Failed(error) if limit.cut_short(error.class) => Outcome::NoData(NoData::OutOfTime),
        ExchangeResult::Failed(ExchangeFailure { class, phase, detail }) => Outcome::Failed(Failure {
            class,
            phase,
            phases,
            address: Some(address),
            detail,
        }),
        ExchangeResult::NoData(no_data) => Outcome::NoData(no_data),
    }
}
