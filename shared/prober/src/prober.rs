//! Probes targets: one outcome for each target, within the limits of sockets, pace and deadline.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use portpulse_core::address::is_own;
use portpulse_core::choice::IpFamily;
use portpulse_core::outcome::{DnsFailure, Failure, FailureClass, NoData, Outcome, Phase, Phases};
use portpulse_core::target::{Host, Target};
use portpulse_ready::{OtherHosts, TlsClient};
use portpulse_secrets::{CachedSecrets, LocalSecrets, ReadSecret};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep_until};

use crate::check::{Resolved, Shared, check};
use crate::error::Error;
use crate::pacing::{Lag, LagWatch, Pacer};
use crate::public_hosts::PublicHosts;
use crate::resolve::{Answer, Found, NameResolver, Question, ResolveError, interleave_families};
use crate::settings::{OwnAddresses, Pace, Settings};

/// Checks targets. Created once; concurrent probes share its sockets.
pub struct Prober {
    resolver: Arc<NameResolver>,
    other_hosts: Arc<dyn OtherHosts>,
    secrets: CachedSecrets,
    sockets: Semaphore,
    tls: TlsClient,
    pace: Pace,
    own_addresses: OwnAddresses,
}

impl Prober {
    /// Reads the system's resolver configuration, which each probe reads again, and the limit of open files, once.
    ///
    /// # Errors
    /// [`Error`]: a setting is zero, no descriptor is left for connections, or the resolver cannot be set up.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let sockets = settings.usable_sockets()?.min(Semaphore::MAX_PERMITS);
        let resolver = Arc::new(NameResolver::new(&settings)?);
        Ok(Self {
            other_hosts: Arc::new(PublicHosts::new(Arc::clone(&resolver))),
            resolver,
            secrets: CachedSecrets::new(LocalSecrets::default()),
            sockets: Semaphore::new(sockets),
            tls: TlsClient::system(),
            pace: settings.pace,
            own_addresses: settings.own_addresses,
        })
    }

    /// The same prober with the secrets of `store`; without this, with environment variables and files.
    #[must_use]
    pub fn with_secrets(self, store: impl ReadSecret + 'static) -> Self {
        Self {
            secrets: CachedSecrets::new(store),
            ..self
        }
    }

    /// Checks all targets and returns one outcome for each, in the order of the targets.
    ///
    /// Returns when all outcomes are known, at the deadline at the latest. Unfinished checks are [`NoData::OutOfTime`].
    /// A target's timeout starts with its own check and includes all phases, but not the wait for a socket, the pace or
    /// a lookup.
    pub async fn probe(&self, targets: &[Target], deadline: Instant) -> Vec<Outcome> {
        let mut outcomes: Vec<Option<Outcome>> = targets.iter().map(|_| None).collect();
        let record = |index: usize, outcome: Outcome| {
            if let Some(slot) = outcomes.get_mut(index) {
                *slot = Some(outcome);
            }
        };
        self.probe_each(targets, deadline, record).await;
        outcomes
            .into_iter()
            .map(|outcome| outcome.unwrap_or(Outcome::NoData(NoData::OutOfTime)))
            .collect()
    }

    /// Like [`Self::probe`], but passes each outcome to `record` as soon as it is known, with the index of its target.
    /// A target that is unfinished at the deadline is not passed.
    pub async fn probe_each(
        &self,
        targets: &[Target],
        deadline: Instant,
        mut record: impl FnMut(usize, Outcome),
    ) {
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
            other_hosts: &self.other_hosts,
            secrets: &self.secrets,
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
                delay = watch.sample(&lag) => pacer.adapt(delay),
                permitted = pacer.next_batch(), if !ready.is_empty() => {
                    let mut started = 0;
                    while started < permitted {
                        let Ok(permit) = self.sockets.try_acquire() else { break };
                        let Some((index, resolved)) = ready.pop_front() else { break };
                        checks.push(async move { (index, check(resolved, permit, shared).await) });
                        started += 1;
                    }
                    pacer.record_started(started);
                }
            }
        }
    }
}

/// The port in the address of a ping, which has none.
const NO_PORT: u16 = 0;

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
                let addresses = vec![SocketAddr::new(*address, target.port.unwrap_or(NO_PORT))];
                plan.ready.push_back((
                    index,
                    Resolved {
                        target,
                        addresses,
                        hosts: BTreeMap::new(),
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
    match &answer.found {
        Ok(_) if answer.elapsed >= target.timeout => failed(DnsFailure::Timeout),
        Ok(found) => {
            let (addresses, hosts) = endpoints(found, target, own_addresses);
            if addresses.is_empty() {
                return Next::Report(Outcome::NoData(NoData::OwnAddress));
            }
            Next::Connect(Resolved {
                target,
                addresses,
                hosts,
                dns,
            })
        }
        Err(ResolveError::NotFound) => failed(DnsFailure::NotFound),
        Err(ResolveError::Refused | ResolveError::ServerFailure) => failed(DnsFailure::ServerFailure),
        Err(ResolveError::Timeout) => failed(DnsFailure::Timeout),
        Err(ResolveError::ResolverDown) => Next::Report(Outcome::NoData(NoData::ResolverDown)),
    }
}

/// The addresses to try in their order, and the hosts of those that SRV records name.
fn endpoints(
    found: &Found,
    target: &Target,
    own_addresses: OwnAddresses,
) -> (Vec<SocketAddr>, BTreeMap<SocketAddr, Host>) {
    let servers = match found {
        Found::Addresses(found) => {
            let permitted = permitted(found, target, own_addresses);
            return (
                interleave_families(permitted, target.port.unwrap_or(NO_PORT)),
                BTreeMap::new(),
            );
        }
        Found::Servers(servers) => servers,
    };
    let (mut addresses, mut hosts) = (Vec::new(), BTreeMap::new());
    for server in servers {
        let permitted = permitted(&server.addresses, target, own_addresses);
        for address in interleave_families(permitted, server.port) {
            if let Entry::Vacant(entry) = hosts.entry(address) {
                entry.insert(server.host.clone());
                addresses.push(address);
            }
        }
    }
    (addresses, hosts)
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
