//! Locations that come and go in the middle of a schedule, as a deployment adds and removes them.

use std::ops::Range;

use fastrand::Rng;
use portpulse_store::Store;
use portpulse_store::keys;
use portpulse_testkit::memory_table::MemoryTable;

use super::schedule::STORM;
use crate::rig::{GROUP, location, run};

/// When a location checks, and when the board lists it: from before its first tick until after its last, which may still
/// be under way then.
#[derive(Debug, Clone)]
pub(super) struct Stay {
    location: usize,
    ticks: Range<i64>,
    listed_ms: Range<i64>,
}

/// What became of a location's place on the board's list.
pub(super) enum Listing {
    Came,
    Went,
    Same,
}

impl Stay {
    /// All locations but the last are there throughout; that one comes, and may go again, before the world is held still.
    /// Nothing where no board lists anything, as in most schedules.
    pub(super) fn some(rng: &mut Rng, locations: usize, ticks: i64) -> Vec<Self> {
        if locations < 2 || rng.u8(..3) > 0 {
            return Vec::new();
        }
        let throughout = |location| Self {
            location,
            ticks: 0..ticks,
            listed_ms: i64::MIN..i64::MAX,
        };
        let from = rng.i64(0..STORM);
        let until = if rng.bool() {
            rng.i64(from + 1..=STORM)
        } else {
            ticks
        };
        let unlisted = if until < ticks {
            (until - 1) * 60_000 + rng.i64(1..60_000)
        } else {
            i64::MAX
        };
        let last = Self {
            location: locations - 1,
            ticks: from..until,
            listed_ms: from * 60_000 - rng.i64(1..90_000)..unlisted,
        };
        (0..locations - 1).map(throughout).chain([last]).collect()
    }

    /// Whether its location is invoked for a tick.
    pub(super) fn covers(&self, location: usize, tick: i64) -> bool {
        self.location == location && self.ticks.contains(&tick)
    }

    /// Brings the board's list up to date.
    pub(super) fn list(&self, table: &MemoryTable, now_ms: i64) -> Listing {
        let key = keys::expectation(GROUP, &location(self.location));
        let (listed, is_due) = (table.peek(&key.pk, &key.sk), self.listed_ms.contains(&now_ms));
        match (listed, is_due) {
            (None, true) => {
                let scratch = MemoryTable::new();
                let listing = Store::new(scratch.clone());
                run(listing.list_location(GROUP, &location(self.location))).unwrap();
                table.overwrite(scratch.peek(&key.pk, &key.sk).unwrap());
                Listing::Came
            }
            (Some(_), false) => {
                table.remove(&key.pk, &key.sk);
                Listing::Went
            }
            (None, false) | (Some(_), true) => Listing::Same,
        }
    }
}
