//! One probe: every target to exactly one outcome, within the sockets, the pace and the deadline.

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
use crate::pacing::{Lag, Pacer, Watch};
use crate::resolve::{Answer, Names, NoAddress, Question, in_order};
use crate::settings::{NamesLeadTo, Pace, Settings};

/// Checks targets. Built once; probes may run side by side and share its sockets.
pub struct Prober {
    names: Names,
    sockets: Semaphore,
    tls: TlsClient,
    pace: Pace,
    names_lead_to: NamesLeadTo,
}

impl Prober {
    /// Reads the system's resolver configuration and the limit of open files, both once.
    ///
    /// # Errors
    /// [`Error`]: a setting is zero, no descriptor is left for connections, or the resolver cannot be set up.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let sockets = settings.usable_sockets()?.min(Semaphore::MAX_PERMITS);
        Ok(Self {
            names: Names::new(&settings)?,
            sockets: Semaphore::new(sockets),
            tls: TlsClient::system(),
            pace: settings.pace,
            names_lead_to: settings.names_lead_to,
        })
    }

    /// Checks all targets; the outcomes come in the targets' order, one for each.
    ///
    /// It returns when all are known, and at the deadline at the latest; what is not finished by then is
    /// [`NoData::OutOfTime`]. A target's timeout runs from its own start, over all its phases; waiting for a socket,
    /// the pace or a lookup is not part of it.
    pub async fn probe(&self, targets: &[Target], deadline: Instant) -> Vec<Outcome> {
        let mut outcomes: Vec<Option<Outcome>> = targets.iter().map(|_| None).collect();
        let mut record = |index: usize, outcome: Outcome| {
            if let Some(slot) = outcomes.get_mut(index) {
                *slot = Some(outcome);
            }
        };
        let Plan {
            questions,
            waiting,
            mut ready,
            known,
        } = plan(targets);
        for (index, outcome) in known {
            record(index, outcome);
        }
        let (answered, mut answers) = mpsc::unbounded_channel();
        let mut lookups = pin!(self.names.look_up(questions, answered));
        let (mut looking_up, mut more_answers) = (true, true);

        let lag = Lag::new();
        let shared = Shared {
            deadline,
            sockets: &self.sockets,
            tls: &self.tls,
            lag: &lag,
        };
        let (mut pacer, mut watch) = (Pacer::new(self.pace), Watch::new());
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
                        match next_step(target, &answer, self.names_lead_to) {
                            Next::Connect(resolved) => ready.push_back((*index, resolved)),
                            Next::Report(outcome) => record(*index, outcome),
                        }
                    }
                }
                () = &mut lookups, if looking_up => looking_up = false,
                () = &mut time_up => break,
                () = watch.look(&lag) => {}
                allowed = pacer.beat(), if !ready.is_empty() => {
                    for _ in 0..allowed.min(ready.len()) {
                        let Ok(place) = self.sockets.try_acquire() else { break };
                        let Some((index, resolved)) = ready.pop_front() else { break };
                        checks.push(async move { (index, check(resolved, place, shared).await) });
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

/// Targets, sorted by what has to happen first.
#[derive(Default)]
struct Plan<'a> {
    /// Names to ask for.
    questions: Vec<Question>,
    /// The targets that wait for each of them, by their positions.
    waiting: Vec<Vec<usize>>,
    /// Targets that can start at once.
    ready: VecDeque<(usize, Resolved<'a>)>,
    /// Targets that cannot be tried at all.
    known: Vec<(usize, Outcome)>,
}

fn plan(targets: &[Target]) -> Plan<'_> {
    let mut names: BTreeMap<(&str, IpFamily), (Question, Vec<usize>)> = BTreeMap::new();
    let mut plan = Plan::default();
    for (index, target) in targets.iter().enumerate() {
        match &target.host {
            Host::Address(address) if is_of(*address, target.ip) => {
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
            Host::Address(_) => plan.known.push((index, dns_failure(DnsFailure::NotFound, None))),
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

fn is_of(address: IpAddr, family: IpFamily) -> bool {
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

/// How it goes on for a target whose name was looked up.
enum Next<'a> {
    Connect(Resolved<'a>),
    Report(Outcome),
}

/// What an answer means to one of the targets that waited for it.
fn next_step<'a>(target: &'a Target, answer: &Answer, names_lead_to: NamesLeadTo) -> Next<'a> {
    let dns = Some(answer.took);
    let failed = |kind| Next::Report(dns_failure(kind, dns));
    match &answer.addresses {
        Ok(_) if answer.took >= target.timeout => failed(DnsFailure::Timeout),
        Ok(found) => match allowed(found, target, names_lead_to) {
            allowed if allowed.is_empty() => Next::Report(Outcome::NoData(NoData::OwnAddress)),
            allowed => Next::Connect(Resolved {
                target,
                addresses: in_order(allowed, target.port),
                dns,
            }),
        },
        Err(NoAddress::NotFound) => failed(DnsFailure::NotFound),
        Err(NoAddress::ServerFailure) => failed(DnsFailure::ServerFailure),
        Err(NoAddress::Timeout) => failed(DnsFailure::Timeout),
        Err(NoAddress::ResolverDown) => Next::Report(Outcome::NoData(NoData::ResolverDown)),
    }
}

/// Those of a name's addresses that may be tried; of the others the log tells.
fn allowed(found: &[IpAddr], target: &Target, names_lead_to: NamesLeadTo) -> Vec<IpAddr> {
    let (own, allowed): (Vec<_>, Vec<_>) = match names_lead_to {
        NamesLeadTo::Anywhere => (Vec::new(), found.to_vec()),
        NamesLeadTo::Elsewhere => found.iter().copied().partition(|address| is_own(*address)),
    };
    for address in own {
        tracing::warn!(
            "{target} has the address {address}, which is the checker's own, so it is not tried; \
             write the address in place of the name if it is to be watched"
        );
    }
    allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compiles only if a probe may be spawned on a runtime of many threads.
    #[test]
    fn a_probe_may_move_between_threads() {
        let prober = Prober::new(Settings::default()).unwrap();
        fn movable(_: impl Send) {}
        movable(prober.probe(&[], Instant::now()));
    }
}
