//! The schedule: each group in each location at every tick of its interval, as EventBridge would have it.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use portpulse_alert::SnsTopic;
use portpulse_checker::{Checker, Clock as _, Invocation, Probe, Report, TickEvent};
use portpulse_core::definition::{Defined, DefinitionFile};
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{Status, Track};
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::outbox::Claimant;
use portpulse_core::outcome::Outcome;
use portpulse_core::target::Target;
use portpulse_core::time::{Tick, format_duration};
use portpulse_prober::Prober;
use portpulse_store::Store;
use portpulse_store::dynamo::DynamoTable;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::clock::FastClock;

/// What the handler keeps of an invocation's time to commit and deliver; the checks get the rest.
const RESERVE: Duration = Duration::from_secs(10);

/// A group was handled in a location.
#[derive(Debug)]
pub(crate) struct Ticked {
    pub(crate) report: Report,
    /// What is open in the group now; `None` if it could not be read.
    pub(crate) open: Option<BTreeMap<MonitorId, Status>>,
}

/// One prober for all locations: they share this machine's sockets.
#[derive(Clone)]
pub(crate) struct SharedProber(pub(crate) Rc<Prober>);

impl Probe for SharedProber {
    async fn probe(&self, targets: &[Target], budget: Duration) -> Vec<Outcome> {
        Probe::probe(self.0.as_ref(), targets, budget).await
    }
}

type LocalChecker = Checker<DynamoTable, SharedProber, SnsTopic, FastClock>;

/// What every checker is made of.
pub(crate) struct Parts {
    pub(crate) store: Store<DynamoTable>,
    pub(crate) prober: SharedProber,
    pub(crate) topic: SnsTopic,
    pub(crate) clock: FastClock,
    pub(crate) locations: BTreeSet<Location>,
}

/// Starts the schedule on the current `LocalSet`. The tasks end once `stop` says so and their tick is done.
pub(crate) fn start(
    parts: &Parts,
    file: &DefinitionFile,
    ticked: &mpsc::UnboundedSender<Ticked>,
    stop: &watch::Receiver<bool>,
) -> JoinSet<()> {
    let groups: BTreeSet<_> = file.monitors().iter().map(|defined| defined.group).collect();
    let mut tasks = JoinSet::new();
    for location in &parts.locations {
        let checker = Rc::new(Checker::new(
            parts.store.clone(),
            parts.prober.clone(),
            parts.topic.clone(),
            parts.clock,
            location.clone(),
            parts.locations.clone(),
        ));
        for group in &groups {
            let line = Line {
                checker: Rc::clone(&checker),
                store: parts.store.clone(),
                clock: parts.clock,
                location: location.clone(),
                group: *group,
                ticked: ticked.clone(),
            };
            tasks.spawn_local(line.run(stop.clone()));
        }
    }
    tasks
}

/// One group in one location, tick after tick.
struct Line {
    checker: Rc<LocalChecker>,
    store: Store<DynamoTable>,
    clock: FastClock,
    location: Location,
    group: GroupId,
    ticked: mpsc::UnboundedSender<Ticked>,
}

impl Line {
    async fn run(self, mut stop: watch::Receiver<bool>) {
        let interval = self.group.interval;
        // The tick that is due now: nobody wants to wait an hour for the first result.
        let mut tick = Tick::containing(self.clock.now(), interval);
        while !*stop.borrow() {
            let report = self.handle(tick).await;
            let open = self.open().await;
            if self.ticked.send(Ticked { report, open }).is_err() {
                return;
            }
            // A tick that was missed is missed, as where a function is throttled.
            tick = tick
                .later(interval, 1)
                .max(Tick::containing(self.clock.now(), interval));
            tokio::select! {
                () = sleep_until(self.clock.instant_of(tick.timestamp())) => {}
                // An error means that nobody is left to tell us.
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    async fn handle(&self, tick: Tick) -> Report {
        let started = jiff::Timestamp::now().as_nanosecond();
        let invocation = Invocation {
            // Ticks of one line follow each other, so that no other invocation has this name.
            claimant: Claimant::new(format!("{}-{}-{started}", self.location, self.group)),
            remaining: self.clock.really(self.group.interval.length()) + RESERVE,
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
            .status
            .incidents;
        let mut open = BTreeMap::new();
        for track in [Track::Visibility, Track::Quality, Track::Health] {
            let of_track = incidents.iter().filter(|((_, of), _)| *of == track);
            open.extend(of_track.map(|((id, _), incident)| (id.clone(), incident.status)));
        }
        Some(open)
    }
}

/// Why the monitors cannot be watched so fast: a check must end before the next tick of its monitor.
pub(crate) fn too_fast(monitors: &[Defined], speed: u32) -> Vec<String> {
    let complain = |defined: &Defined| {
        let monitor = &defined.monitor;
        let (interval, timeout) = (monitor.rule().interval.length(), monitor.target().timeout);
        if timeout < interval / speed {
            return None;
        }
        let most = (interval.as_nanos().saturating_sub(1)) / timeout.as_nanos().max(1);
        Some(format!(
            "--speed {speed}: {} has a timeout of {}, and its ticks would come every {} (use --speed {most} or less, \
             or shorten the timeout)",
            monitor.id(),
            format_duration(timeout),
            format_duration(interval / speed),
        ))
    };
    monitors.iter().filter_map(complain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use portpulse_core::definition::NetworkAccess;

    fn check(speed: u32, expected: &[&str]) {
        let text = "monitors:\n  a: { host: 127.0.0.1, port: 1, tier: critical, timeout: 3s }\n";
        let file = portpulse_monitors_file::read(text, NetworkAccess::OwnNetwork).unwrap();
        assert_eq!(too_fast(file.monitors(), speed), expected);
    }

    #[test]
    fn a_check_must_end_before_the_next_tick() {
        check(19, &[]);
        check(
            20,
            &[
                "--speed 20: a has a timeout of 3s, and its ticks would come every 3s (use --speed 19 or less, or \
               shorten the timeout)",
            ],
        );
    }
}
