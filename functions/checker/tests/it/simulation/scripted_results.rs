//! The results of the checks of a schedule, and the probe that returns them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use fastrand::Rng;
use portpulse_checker::Probe;
use portpulse_core::outcome::Outcome;
use portpulse_core::target::Target;
use portpulse_core::time::Tick;
use portpulse_testkit::memory_table::yield_once;

use super::cadence::Cadence;
use super::oracle::Rule;
use crate::rig::{ProbeResult, outcome};

/// The result of each check, by location, tick and monitor.
pub(super) struct ScriptedResults {
    results: BTreeMap<(usize, i64, usize), ProbeResult>,
    /// Failing checks that are good from this retry on.
    heals_after: BTreeMap<(usize, i64, usize), u32>,
}

impl ScriptedResults {
    /// Creates random results. All monitors have the outages in `shared`, and their own.
    pub(super) fn new(
        rng: &mut Rng,
        cadence: Cadence,
        locations: usize,
        rules: &[Rule],
        ticks: i64,
        shared: &[(i64, i64)],
    ) -> Self {
        let (faulty, until_good) = (cadence.faulty(), cadence.until_good());
        let (mut results, mut heals_after) = (BTreeMap::new(), BTreeMap::new());
        for (monitor, rule) in rules.iter().enumerate() {
            let mut outages: Vec<_> = (0..rng.usize(0..3)).map(|_| span(rng, faulty)).collect();
            outages.extend(shared);
            let blocks: Vec<_> = (0..rng.usize(0..3))
                .map(|_| (rng.usize(0..locations), span(rng, faulty)))
                .collect();
            let down_in_the_end = rng.bool();
            for (tick, location) in (0..ticks).flat_map(|tick| (0..locations).map(move |r| (tick, r))) {
                let out = outages
                    .iter()
                    .any(|(from, until)| (*from..*until).contains(&tick));
                let blocked = blocks
                    .iter()
                    .any(|(r, (from, until))| *r == location && (*from..*until).contains(&tick));
                let result = match tick {
                    _ if tick >= until_good => ProbeResult::Good,
                    _ if tick >= faulty && down_in_the_end => ProbeResult::Failing,
                    _ if tick >= faulty => ProbeResult::Good,
                    _ if rng.u8(..100) < 4 => ProbeResult::NoData,
                    _ if out || blocked || rng.u8(..100) < 5 => ProbeResult::Failing,
                    _ => ProbeResult::Good,
                };
                let retries = rule.retries;
                if tick < faulty && result == ProbeResult::Failing && retries > 0 && rng.u8(..3) == 0 {
                    heals_after.insert((location, tick, monitor), rng.u32(1..=retries));
                }
                results.insert((location, tick, monitor), result);
            }
        }
        Self { results, heals_after }
    }

    /// Results in which each monitor has one outage, or none, in all locations. All other failures are healed by retries.
    pub(super) fn without_noise(
        rng: &mut Rng,
        cadence: Cadence,
        locations: usize,
        rules: &[Rule],
        ticks: i64,
    ) -> (Self, Vec<Option<i64>>) {
        let (mut results, mut heals_after) = (BTreeMap::new(), BTreeMap::new());
        let outages: Vec<_> = rules
            .iter()
            .map(|_| rng.bool().then(|| rng.i64(2..cadence.faulty())))
            .collect();
        for ((monitor, rule), outage) in rules.iter().enumerate().zip(&outages) {
            let until = cadence.until_good();
            for (tick, location) in (0..ticks).flat_map(|tick| (0..locations).map(move |at| (tick, at))) {
                let key = (location, tick, monitor);
                let is_out = outage.is_some_and(|from| (from..until).contains(&tick));
                let blips = rule.retries > 0 && tick < cadence.faulty() && rng.u8(..4) == 0;
                if blips && !is_out {
                    heals_after.insert(key, rng.u32(1..=rule.retries));
                }
                let result = if is_out || blips {
                    ProbeResult::Failing
                } else {
                    ProbeResult::Good
                };
                results.insert(key, result);
            }
        }
        (Self { results, heals_after }, outages)
    }

    /// The result of an attempt: 0 for the first check, 1 for its first retry.
    fn attempt(&self, location: usize, tick: i64, monitor: usize, attempt: u32) -> ProbeResult {
        match self.heals_after(location, tick, monitor) {
            Some(after) if attempt >= after => ProbeResult::Good,
            Some(_) | None => self.result(location, tick, monitor),
        }
    }

    /// The retry from which on a failing check is good; `None` if it is the same in each attempt.
    pub(super) fn heals_after(&self, location: usize, tick: i64, monitor: usize) -> Option<u32> {
        self.heals_after.get(&(location, tick, monitor)).copied()
    }

    /// The result of the first check.
    pub(super) fn result(&self, location: usize, tick: i64, monitor: usize) -> ProbeResult {
        self.results[&(location, tick, monitor)]
    }
}

/// A random range of ticks that begins among those with faults.
pub(super) fn span(rng: &mut Rng, faulty: i64) -> (i64, i64) {
    let from = rng.i64(0..faulty);
    (from, from + rng.i64(1..7))
}

/// Returns scripted results, of retries too. Monitor `n` has port `1000 + n`.
pub(super) struct RetriedProbe {
    pub(super) cadence: Cadence,
    pub(super) scripted_results: Rc<ScriptedResults>,
    pub(super) location: usize,
    /// The number of attempts by tick and monitor.
    pub(super) attempts: RefCell<BTreeMap<(i64, usize), u32>>,
}

impl Probe for RetriedProbe {
    async fn probe(&self, tick: Tick, targets: &[Target], _: Duration) -> Vec<Outcome> {
        yield_once().await;
        let tick = self.cadence.number(tick);
        let result = |target: &Target| {
            let monitor = usize::from(target.port.unwrap()) - 1000;
            let mut attempts = self.attempts.borrow_mut();
            let attempt = attempts.entry((tick, monitor)).or_default();
            let result = self
                .scripted_results
                .attempt(self.location, tick, monitor, *attempt);
            *attempt += 1;
            outcome(result)
        };
        targets.iter().map(result).collect()
    }
}
