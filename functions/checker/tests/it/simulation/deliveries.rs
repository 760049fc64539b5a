//! The deliveries of events: at their time, or late, doubled, reordered and lost.

use fastrand::Rng;

use super::cadence::Cadence;
use super::presence::Presence;

/// The faults of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FaultLevel {
    /// None: all ticks are run at their time, and each outage is seen by all locations.
    None,
    /// Ticks are late, doubled, reordered and lost.
    Delivery,
    /// Also, checkers are killed, and tables and topics fail.
    All,
}

/// One delivery of an event to one location.
pub(super) struct Delivery {
    pub(super) at_ms: i64,
    /// The first tick of the event.
    pub(super) tick: i64,
    pub(super) location: usize,
    /// The number of polls after which the checker is killed.
    pub(super) killed_after: Option<usize>,
}

/// The deliveries of a schedule, the last one first.
pub(super) fn deliveries(
    rng: &mut Rng,
    cadence: Cadence,
    locations: usize,
    ticks: i64,
    fault_level: FaultLevel,
    presences: &[Presence],
) -> Vec<Delivery> {
    let mut all = Vec::new();
    let per_invocation = cadence.per_invocation();
    let events = (0..ticks).filter(|tick| tick % per_invocation == 0);
    let invoked = events.flat_map(|tick| (0..locations).map(move |location| (tick, location)));
    // The maximum delay of most events, so that their first tick is fresh.
    let max_late = 20_000.min(cadence.ms() / 2);
    for (tick, location) in invoked {
        if !presences.is_empty() && !presences.iter().any(|presence| presence.covers(location, tick)) {
            continue;
        }
        if fault_level == FaultLevel::None {
            all.push(Delivery {
                at_ms: tick * cadence.ms() + rng.i64(0..300),
                tick,
                location,
                killed_after: None,
            });
            continue;
        }
        let faultless = tick >= cadence.faulty();
        let copies = match rng.u8(..100) {
            0..6 if !faultless => 0,
            6..16 => 2,
            16..18 => 3,
            _ => 1,
        };
        for copy in 0..copies {
            let late = match rng.u8(..100) {
                0..6 if !faultless => rng.i64(30_000..130_000),
                _ if copy > 0 => rng.i64(0..90_000),
                _ => rng.i64(0..max_late),
            };
            let killed = fault_level == FaultLevel::All && !faultless && rng.u8(..100) < 10;
            let killed_after = killed.then(|| rng.usize(1..45 * usize::try_from(per_invocation).unwrap()));
            all.push(Delivery {
                at_ms: tick * cadence.ms() + late,
                tick,
                location,
                killed_after,
            });
        }
    }
    all.sort_by_key(|delivery| std::cmp::Reverse(delivery.at_ms));
    all
}
