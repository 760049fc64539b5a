//! The schedule: invokes the handler for each group in each location at every tick, as EventBridge does in AWS.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use portpulse_alert::SnsTopic;
use portpulse_checker::{Checker, Clock as _, Invocation, MAX_TICK_TIME, Probe, TickEvent, TickReport};
use portpulse_core::definition::{Defined, DefinitionFile};
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{Status, Track};
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::outbox::Claimant;
use portpulse_core::outcome::Outcome;
use portpulse_core::page_url::PageUrl;
use portpulse_core::target::Target;
use portpulse_core::time::{Tick, format_duration};
use portpulse_prober::Prober;
use portpulse_store::Store;
use portpulse_store::dynamo::DynamoTable;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::clock::FastClock;
use crate::output::with_help;

/// A handled tick of one group in one location.
#[derive(Debug)]
pub(crate) struct FinishedTick {
    pub(crate) report: TickReport,
    /// The open incidents of the group; `None` if they could not be read.
    pub(crate) open: Option<BTreeMap<MonitorId, Status>>,
}

/// One prober for all locations, because they share the sockets of this machine.
#[derive(Clone)]
pub(crate) struct SharedProber(pub(crate) Rc<Prober>);

impl Probe for SharedProber {
    async fn probe(&self, tick: Tick, targets: &[Target], budget: Duration) -> Vec<Outcome> {
        Probe::probe(self.0.as_ref(), tick, targets, budget).await
    }
}

type LocalChecker = Checker<DynamoTable, SharedProber, SnsTopic, FastClock>;

/// The parts that all checkers share.
pub(crate) struct CheckerParts {
    pub(crate) store: Store<DynamoTable>,
    pub(crate) prober: SharedProber,
    pub(crate) topic: SnsTopic,
    pub(crate) clock: FastClock,
    pub(crate) locations: BTreeSet<Location>,
    pub(crate) page: Option<PageUrl>,
}

/// Starts the schedule on the current `LocalSet`. When `stop` becomes true, each task ends after its current tick.
pub(crate) fn start(
    checker_parts: &CheckerParts,
    file: &DefinitionFile,
    ticked: &mpsc::UnboundedSender<FinishedTick>,
    stop: &watch::Receiver<bool>,
) -> JoinSet<()> {
    let groups: BTreeSet<_> = file.monitors().iter().map(|defined| defined.group).collect();
    let mut tasks = JoinSet::new();
    for location in &checker_parts.locations {
        let checker = Checker::new(
            checker_parts.store.clone(),
            checker_parts.prober.clone(),
            checker_parts.topic.clone(),
            checker_parts.clock,
            location.clone(),
            checker_parts.locations.clone(),
        );
        let checker = Rc::new(checker.with_page(checker_parts.page.clone()));
        for group in &groups {
            let schedule = GroupSchedule {
                checker: Rc::clone(&checker),
                store: checker_parts.store.clone(),
                clock: checker_parts.clock,
                location: location.clone(),
                group: *group,
                ticked: ticked.clone(),
            };
            tasks.spawn_local(schedule.run(stop.clone()));
        }
    }
    tasks
}

/// The schedule of one group in one location.
struct GroupSchedule {
    checker: Rc<LocalChecker>,
    store: Store<DynamoTable>,
    clock: FastClock,
    location: Location,
    group: GroupId,
    ticked: mpsc::UnboundedSender<FinishedTick>,
}

impl GroupSchedule {
    async fn run(self, mut stop: watch::Receiver<bool>) {
        let interval = self.group.interval;
        // Starts with the current tick, so that the first result does not take a whole interval.
        let mut tick = Tick::containing(self.clock.now(), interval);
        while !*stop.borrow() {
            let report = self.handle(tick).await;
            let open = self.open().await;
            if self.ticked.send(FinishedTick { report, open }).is_err() {
                return;
            }
            // Missed ticks are skipped, as when a function is throttled.
            tick = tick
                .later(interval, 1)
                .max(Tick::containing(self.clock.now(), interval));
            tokio::select! {
                () = sleep_until(self.clock.instant_of(tick.timestamp())) => {}
                // An error means that the sender is gone.
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    async fn handle(&self, tick: Tick) -> TickReport {
        let started = jiff::Timestamp::now().as_nanosecond();
        let invocation = Invocation {
            // Unique, because the ticks of one schedule are handled one after another.
            claimant: Claimant::new(format!("{}-{}-{started}", self.location, self.group)),
            remaining: self
                .clock
                .real_duration(self.group.interval.length())
                .max(MAX_TICK_TIME),
        };
        self.checker
            .handle(&TickEvent::new(tick.timestamp(), self.group), &invocation)
            .await
    }

    async fn open(&self) -> Option<BTreeMap<MonitorId, Status>> {
        let incidents = self
            .store
            .group_state(self.group)
            .await
            .ok()?
            .group_state
            .decision
            .incidents;
        let mut open = BTreeMap::new();
        for track in [Track::Visibility, Track::Quality, Track::Health] {
            let of_track = incidents.iter().filter(|((_, of), _)| *of == track);
            open.extend(of_track.map(|((id, _), incident)| (id.clone(), incident.status)));
        }
        Some(open)
    }
}

/// The monitors for which `--speed` is too high: a check must end before the next tick.
pub(crate) fn speed_problems(monitors: &[Defined], speed: u32) -> Vec<String> {
    let problem = |defined: &Defined| {
        let monitor = &defined.monitor;
        let (interval, timeout) = (monitor.rule().interval.length(), monitor.target().timeout);
        if timeout < interval / speed {
            return None;
        }
        let max = (interval.as_nanos().saturating_sub(1)) / timeout.as_nanos().max(1);
        Some(with_help(
            format_args!(
                "--speed {speed} is too high: monitor {} has a timeout of {} and would be checked every {}",
                monitor.id(),
                format_duration(timeout),
                format_duration(interval / speed),
            ),
            format_args!("use --speed {max} or less, or a shorter timeout"),
        ))
    };
    monitors.iter().filter_map(problem).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use portpulse_core::definition::NetworkAccess;

    fn check(speed: u32, expected: &[&str]) {
        let text = "monitors:\n  a: { host: 127.0.0.1, port: 1, tier: critical, timeout: 3s }\n";
        let file = portpulse_monitors_file::read(text, NetworkAccess::OwnNetwork).unwrap();
        assert_eq!(speed_problems(file.monitors(), speed), expected);
    }

    #[test]
    fn speed_is_refused_if_a_check_could_outlast_its_interval() {
        check(19, &[]);
        check(
            20,
            &[
                "--speed 20 is too high: monitor a has a timeout of 3s and would be checked every 3s\n  \
                 help: use --speed 19 or less, or a shorter timeout",
            ],
        );
    }
}
