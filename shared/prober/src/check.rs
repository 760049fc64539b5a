//! The check of one target, from the first packet to the outcome.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use portpulse_core::choice::CloseMode;
use portpulse_core::outcome::{Failure, FailureClass, NoData, Opened, Outcome, Phase, Phases, Trust};
use portpulse_core::readiness::{DnsCheck, Protocol, Transport};
use portpulse_core::secret::SecretName;
use portpulse_core::target::{Check, Host, Target};
use portpulse_ready::{
    ExchangeFailure, ExchangeResult, Healthy, OtherHosts, Request, SocketError, TlsClient, exchange,
    exchange_dns_over_udp,
};
use portpulse_secrets::{CachedSecrets, Secret};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::connect::{self, AddressOrder, AttemptSettings, ConnectFailure, Connected, TimeLimit};
use crate::pacing::Lag;
use crate::ping::ping;
use crate::request_secrets;

/// A target with resolved addresses.
pub(crate) struct Resolved<'a> {
    pub(crate) target: &'a Target,
    /// The addresses in the order of attempts; never empty.
    pub(crate) addresses: Vec<SocketAddr>,
    /// The hosts of the addresses that SRV records name.
    pub(crate) hosts: BTreeMap<SocketAddr, Host>,
    /// The time of name resolution, which counts towards the target's timeout; absent for an address.
    pub(crate) dns: Option<Duration>,
}

/// What all checks of one probe share.
#[derive(Clone, Copy)]
pub(crate) struct Shared<'a> {
    pub(crate) deadline: Instant,
    pub(crate) sockets: &'a Semaphore,
    pub(crate) tls: &'a TlsClient,
    pub(crate) other_hosts: &'a Arc<dyn OtherHosts>,
    pub(crate) secrets: &'a CachedSecrets,
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
        mut hosts,
        dns,
    } = resolved;
    // Before the clock of the check starts: the time of the store of secrets is not charged to the target.
    let secrets = match request_secrets::read(shared.secrets, target, shared.deadline).await {
        Ok(secrets) => secrets,
        Err(no_data) => return Outcome::NoData(no_data),
    };
    let started = Instant::now();
    let own_limit = started + target.timeout.saturating_sub(dns.unwrap_or_default());
    let limit = if own_limit <= shared.deadline {
        TimeLimit::Timeout(own_limit)
    } else {
        TimeLimit::Deadline(shared.deadline)
    };
    let (close, order) = match &target.check {
        Check::Ping => {
            let asked = in_turn(&addresses, Datagram::Echo, dns, limit, shared.lag);
            let outcome = Box::pin(asked).await;
            drop(permit);
            return outcome.limited(target.fail_slower_than);
        }
        Check::Connect(close) => (*close, AddressOrder::Race),
        Check::Ready(readiness) => {
            if let Protocol::Dns(question) = readiness.protocol()
                && question.transport() == Transport::Udp
            {
                let asked = in_turn(&addresses, Datagram::Query(question), dns, limit, shared.lag);
                let outcome = Box::pin(asked).await;
                drop(permit);
                return outcome.limited(target.fail_slower_than);
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
        Ok(connected) => {
            let host = hosts
                .remove(&connected.address)
                .unwrap_or_else(|| target.host.clone());
            let outcome = finish(connected, (target, host), phases, limit, shared, secrets).await;
            outcome.limited(target.fail_slower_than)
        }
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

/// Runs the exchange that the check requires on an open connection to a host of the target, then closes the connection.
async fn finish(
    connected: Connected<'_>,
    (target, host): (&Target, Host),
    phases: Phases,
    limit: TimeLimit,
    shared: Shared<'_>,
    secrets: BTreeMap<SecretName, Secret>,
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
        Check::Connect(_) | Check::Ping => {
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
    let request = Request::new(readiness.clone(), host, address.port(), shared.tls);
    let mut request = request.with_secrets(secrets);
    if let Protocol::Http(check) = readiness.protocol()
        && check.follows()
    {
        request = request.with_other_hosts(Arc::clone(shared.other_hosts));
    }
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

/// A check by datagrams, without a connection.
#[derive(Clone, Copy)]
enum Datagram<'a> {
    /// An ICMP echo.
    Echo,
    /// A DNS query over UDP.
    Query(&'a DnsCheck),
}

/// Checks one address after another until one answers, each with an equal share of the remaining time.
async fn in_turn(
    addresses: &[SocketAddr],
    datagram: Datagram<'_>,
    dns: Option<Duration>,
    limit: TimeLimit,
    lag: &Lag,
) -> Outcome {
    let mut found: Option<Outcome> = None;
    for (tried, address) in addresses.iter().enumerate() {
        let now = Instant::now();
        let waiting = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        let share = limit.at_time(now + limit.at().saturating_duration_since(now) / waiting);
        let this = match datagram {
            Datagram::Echo => pinged(*address, dns, share, lag).await,
            Datagram::Query(question) => over_udp(*address, question, dns, share, lag).await,
        };
        if has_answered(&this) {
            return this;
        }
        found = Some(match found {
            Some(before) if outcome_significance(&before) >= outcome_significance(&this) => before,
            Some(_) | None => this,
        });
    }
    found.unwrap_or(Outcome::NoData(NoData::Internal))
}

/// Whether the outcome of an exchange of datagrams proves that the host answers.
fn has_answered(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Open(_) => true,
        Outcome::Failed(failure) => !matches!(
            failure.class,
            FailureClass::Silent | FailureClass::Timeout | FailureClass::Refused | FailureClass::Unreachable
        ),
        Outcome::NoData(_) => false,
    }
}

/// Runs a DNS check over UDP, which has no connect phase.
async fn over_udp(
    address: SocketAddr,
    question: &DnsCheck,
    dns: Option<Duration>,
    limit: TimeLimit,
    lag: &Lag,
) -> Outcome {
    let started = Instant::now();
    let report = exchange_dns_over_udp(address, question, limit.at()).await;
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
    outcome(report.result, address, phases, trust, limit)
}

/// Pings an address. The time to the reply counts as the connect.
async fn pinged(address: SocketAddr, dns: Option<Duration>, limit: TimeLimit, lag: &Lag) -> Outcome {
    let started = Instant::now();
    let phases = |connect| Phases {
        dns,
        connect: Some(connect),
        ..Phases::default()
    };
    match ping(address, limit, lag).await {
        Ok((elapsed, trust)) => Outcome::Open(Opened {
            address,
            phases: phases(elapsed),
            trust,
            warning: None,
            banner: None,
        }),
        Err(SocketError::Local(no_data)) => Outcome::NoData(no_data),
        Err(SocketError::Target { class, detail }) => Outcome::Failed(Failure {
            class,
            phase: Phase::Connect,
            phases: phases(started.elapsed()),
            address: Some(address),
            detail,
        }),
    }
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
