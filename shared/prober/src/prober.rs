//! Probes targets: one outcome for each target, within the limits of sockets, pace and deadline.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use portpulse_core::address::is_own;
use portpulse_core::choice::IpFamily;
use portpulse_core::outcome::{DnsFailure, Failure, FailureClass, NoData, Outcome, Phase, Phases};
use portpulse_core::target::{Host, Target};
use portpulse_ready::TlsClient;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep_until};

use crate::check::{Resolved, Shared, check};
use crate::error::Error;
use crate::pacing::{Lag, LagWatch, Pacer};
use crate::resolve::{Answer, NameResolver, Question, ResolveError, interleave_families};
use crate::settings::{OwnAddresses, Pace, Settings};

/// Checks targets. Created once; concurrent probes share its sockets.
pub struct Prober {
    resolver: NameResolver,
    sockets: Semaphore,
    tls: TlsClient,
    pace: Pace,
    own_addresses: OwnAddresses,
}

impl Prober {
    /// Reads the system's resolver configuration and the limit of open files, once.
    ///
    /// # Errors
    /// [`Error`]: a setting is zero, no descriptor is left for connections, or the resolver cannot be set up.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let sockets = settings.usable_sockets()?.min(Semaphore::MAX_PERMITS);
        Ok(Self {
            resolver: NameResolver::new(&settings)?,
            sockets: Semaphore::new(sockets),
            tls: TlsClient::system(),
            pace: settings.pace,
            own_addresses: settings.own_addresses,
        })
    }

    /// Checks all targets and returns one outcome for each, in the order of the targets.
    ///
    /// Returns when all outcomes are known, at the deadline at the latest. Unfinished checks are [`NoData::OutOfTime`].
    /// A target's timeout starts with its own check and includes all phases, but not the wait for a socket, the pace or
    /// a lookup.
    pub async fn probe(&self, targets: &[Target], deadline: Instant) -> Vec<Outcome> {
        let mut outcomes: Vec<Option<Outcome>> = targets.iter().map(|_| None).collect();
        let mut record = |index: usize, outcome: Outcome| {
            if let Some(slot) = outcomes.get_mut(index) {
                *slot = Some(outcome);
            }
        };
        let ProbePlan {
            questions,
            waiting,
            mut ready,
            decided,
        } = plan(targets);
        for (index, outcome) in decided {
            record(index, outcome);
        }
        let (answered, mut answers) = mpsc::unbounded_channel();
        let mut lookup = pin!(self.resolver.look_up(questions, answered));
        let (mut looking_up, mut more_answers) = (true, true);

        let lag = Lag::new();
        let shared = Shared {
            deadline,
            sockets: &self.sockets,
            tls: &self.tls,
            lag: &lag,
        };
        let (mut pacer, mut watch) = (Pacer::new(self.pace), LagWatch::new());
        let mut checks = FuturesUnordered::new();
        let mut time_up = pin!(sleep_until(deadline));
        while more_answers || !ready.is_empty() || !checks.is_empty() {
            tokio::select! {
                biased;
                Some((index, outcome)) = checks.next(), if !checks.is_empty() => record(index, outcome),
                answer = answers.recv(), if more_answers => {
                    let Some((position, answer)) = answer else {
                        more_answers = false;
                        continue;
                    };
                    for index in waiting.get(position).into_iter().flatten() {
                        let Some(target) = targets.get(*index) else { continue };
                        match next_step(target, &answer, self.own_addresses) {
                            Next::Connect(resolved) => ready.push_back((*index, resolved)),
                            Next::Report(outcome) => record(*index, outcome),
                        }
                    }
                }
                () = &mut lookup, if looking_up => looking_up = false,
                () = &mut time_up => break,
                () = watch.sample(&lag) => {}
                permitted = pacer.next_batch(), if !ready.is_empty() => {
                    for _ in 0..permitted.min(ready.len()) {
                        let Ok(permit) = self.sockets.try_acquire() else { break };
                        let Some((index, resolved)) = ready.pop_front() else { break };
                        checks.push(async move { (index, check(resolved, permit, shared).await) });
                    }
                }
            }
        }
        outcomes
            .into_iter()
            .map(|outcome| outcome.unwrap_or(Outcome::NoData(NoData::OutOfTime)))
            .collect()
    }
}

/// Targets by their first step.
#[derive(Default)]
struct ProbePlan<'a> {
    /// The names to look up.
    questions: Vec<Question>,
    /// For each question, the positions of the targets that wait for the answer.
    waiting: Vec<Vec<usize>>,
    /// Targets that can be checked immediately.
    ready: VecDeque<(usize, Resolved<'a>)>,
    /// Targets whose outcome is known without a check.
    decided: Vec<(usize, Outcome)>,
}

fn plan(targets: &[Target]) -> ProbePlan<'_> {
    let mut names: BTreeMap<(&str, IpFamily), (Question, Vec<usize>)> = BTreeMap::new();
    let mut plan = ProbePlan::default();
    for (index, target) in targets.iter().enumerate() {
        match &target.host {
            Host::Address(address) if matches_family(*address, target.ip) => {
                let addresses = vec![SocketAddr::new(*address, target.port)];
                plan.ready.push_back((
                    index,
                    Resolved {
                        target,
                        addresses,
                        dns: None,
                    },
                ));
            }
            Host::Address(_) => plan
                .decided
                .push((index, dns_failure(DnsFailure::NotFound, None))),
            Host::Name(name) => {
                let (question, waiting) = names.entry((name, target.ip)).or_insert_with(|| {
                    let question = Question {
                        name: name.clone(),
                        ip: target.ip,
                        limit: target.timeout,
                    };
                    (question, Vec::new())
                });
                question.limit = question.limit.max(target.timeout);
                waiting.push(index);
            }
        }
    }
    (plan.questions, plan.waiting) = names.into_values().unzip();
    plan
}

fn matches_family(address: IpAddr, family: IpFamily) -> bool {
    match family {
        IpFamily::Any => true,
        IpFamily::V4 => address.is_ipv4(),
        IpFamily::V6 => address.is_ipv6(),
    }
}

fn dns_failure(kind: DnsFailure, dns: Option<Duration>) -> Outcome {
    Outcome::Failed(Failure {
        class: FailureClass::Dns(kind),
        phase: Phase::Dns,
        phases: Phases {
            dns,
            ..Phases::default()
        },
        address: None,
        detail: None,
    })
}

/// The next step of a target after the lookup of its name.
enum Next<'a> {
    Connect(Resolved<'a>),
    Report(Outcome),
}

/// Determines the next step of a target from the answer to its question.
fn next_step<'a>(target: &'a Target, answer: &Answer, own_addresses: OwnAddresses) -> Next<'a> {
    let dns = Some(answer.elapsed);
    let failed = |kind| Next::Report(dns_failure(kind, dns));
    match &answer.addresses {
        Ok(_) if answer.elapsed >= target.timeout => failed(DnsFailure::Timeout),
        Ok(found) => match permitted(found, target, own_addresses) {
            permitted if permitted.is_empty() => Next::Report(Outcome::NoData(NoData::OwnAddress)),
            permitted => Next::Connect(Resolved {
                target,
                addresses: interleave_families(permitted, target.port),
                dns,
            }),
        },
        Err(ResolveError::NotFound) => failed(DnsFailure::NotFound),
        Err(ResolveError::ServerFailure) => failed(DnsFailure::ServerFailure),
        Err(ResolveError::Timeout) => failed(DnsFailure::Timeout),
        Err(ResolveError::ResolverDown) => Next::Report(Outcome::NoData(NoData::ResolverDown)),
    }
}

/// Filters the addresses of a name that may be checked, and logs the others.
fn permitted(found: &[IpAddr], target: &Target, own_addresses: OwnAddresses) -> Vec<IpAddr> {
    let (own, permitted): (Vec<_>, Vec<_>) = match own_addresses {
        OwnAddresses::Allow => (Vec::new(), found.to_vec()),
        OwnAddresses::Skip => found.iter().copied().partition(|address| is_own(*address)),
    };
    for address in own {
        tracing::warn!(
            "{target} resolves to {address}, an address of the checker's own machine, which is not checked; \
             to monitor that address, set it as the host instead of the name"
        );
    }
    permitted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compiles only if the future may be spawned on a multi-threaded runtime.
    #[test]
    fn probe_future_is_send() {
        let prober = Prober::new(Settings::default()).unwrap();
        fn movable(_: impl Send) {}
        movable(prober.probe(&[], Instant::now()));
    }
}
