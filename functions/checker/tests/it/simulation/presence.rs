//! Locations that a deployment adds and removes during a schedule.

use std::ops::Range;

use fastrand::Rng;
use portpulse_store::Store;
use portpulse_store::keys;
use portpulse_testkit::memory_table::MemoryTable;

use super::cadence::Cadence;
use crate::rig::{location, run};

/// When a location checks, and when it is listed: from before its first tick until after its last tick, which may still be
/// running then.
#[derive(Debug, Clone)]
pub(super) struct Presence {
    cadence: Cadence,
    location: usize,
    ticks: Range<i64>,
    listed_ms: Range<i64>,
}

/// The change of a location's listing.
pub(super) enum Listing {
    Added,
    Removed,
    Unchanged,
}

impl Presence {
    /// Presences for listed locations. All locations but the last are always present. The last one is added, and possibly
    /// removed, during the ticks with faults. Empty for schedules without listed locations, which are most.
    pub(super) fn some(rng: &mut Rng, cadence: Cadence, locations: usize, ticks: i64) -> Vec<Self> {
        if locations < 2 || rng.u8(..3) > 0 {
            return Vec::new();
        }
        let throughout = |location| Self {
            cadence,
            location,
            ticks: 0..ticks,
            listed_ms: i64::MIN..i64::MAX,
        };
        let (faulty, ms) = (cadence.faulty(), cadence.ms());
        let from = rng.i64(0..faulty);
        let until = if rng.bool() {
            rng.i64(from + 1..=faulty)
        } else {
            ticks
        };
        let unlisted = if until < ticks {
            (until - 1) * ms + rng.i64(1..ms)
        } else {
            i64::MAX
        };
        let last = Self {
            cadence,
            location: locations - 1,
            ticks: from..until,
            listed_ms: from * ms - rng.i64(1..90_000)..unlisted,
        };
        (0..locations - 1).map(throughout).chain([last]).collect()
    }

    /// Whether `location` is invoked for a tick.
    pub(super) fn covers(&self, location: usize, tick: i64) -> bool {
        self.location == location && self.ticks.contains(&tick)
    }

    /// Updates the list of expected locations.
    pub(super) fn list(&self, table: &MemoryTable, now_ms: i64) -> Listing {
        let key = keys::expectation(self.cadence.group(), &location(self.location));
        let (listed, is_due) = (table.peek(&key.pk, &key.sk), self.listed_ms.contains(&now_ms));
        match (listed, is_due) {
            (None, true) => {
                let scratch = MemoryTable::new();
                let listing = Store::new(scratch.clone());
                run(listing.list_location(self.cadence.group(), &location(self.location))).unwrap();
                table.overwrite(scratch.peek(&key.pk, &key.sk).unwrap());
                Listing::Added
            }
            (Some(_), false) => {
                table.remove(&key.pk, &key.sk);
                Listing::Removed
            }
            (None, false) | (Some(_), true) => Listing::Unchanged,
        }
    }
}
