//! Telling of a region once, however many groups notice: the groups note their troubles in one row.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::Input;
use super::fit::{self, SizeLimit};
use super::tally::elapsed;
use crate::board::{FleetRow, FleetTrouble, RegionState, Trouble, Urgency, Verdict, VerdictRow};
use crate::id::Region;
use crate::outbox::{Kind, Pending, Subject};

/// A group confirms its note this often while the trouble lasts.
const CONFIRM_EVERY: Duration = Duration::from_secs(12 * 3600);
/// A note older than this is of a group that is gone.
const NOTE_LIFETIME: Duration = Duration::from_secs(25 * 3600);

/// The next fleet row, or `None` if it would not change.
pub(super) fn step(input: &Input<'_>, verdict: &VerdictRow, limit: &impl SizeLimit) -> Option<FleetRow> {
    let (before, now) = (input.fleet?, input.stamp());
    let mut next = FleetRow {
        revision: before.revision + 1,
        ..before.clone()
    };
    let mine: BTreeMap<(Region, Trouble), Timestamp> = verdict
        .regions
        .iter()
        .filter_map(|(region, state)| match state {
            RegionState::Silent(since) => Some(((region.clone(), Trouble::Silent), *since)),
            RegionState::Suspect(since) => Some(((region.clone(), Trouble::Suspect), *since)),
            RegionState::Awaited(_) | RegionState::Returned => None,
        })
        .collect();

    let revision = next.revision;
    for (key, since) in &mine {
        let trouble = next.troubles.entry(key.clone()).or_insert_with(|| {
            next.outbox
                .push(pending(key, Change::Begins, *since, revision, now));
            FleetTrouble {
                since: *since,
                revision,
                groups: BTreeMap::new(),
            }
        });
        let note = trouble.groups.entry(input.group).or_insert(now);
        if elapsed(*note, now) >= CONFIRM_EVERY {
            *note = now;
        }
    }
    let mut over = Vec::new();
    for (key, trouble) in &mut next.troubles {
        if !mine.contains_key(key) {
            trouble.groups.remove(&input.group);
        }
        trouble
            .groups
            .retain(|_, note| elapsed(*note, now) < NOTE_LIFETIME);
        if trouble.groups.is_empty() {
            over.push((key.clone(), trouble.clone()));
        }
    }
    for (key, trouble) in over {
        next.troubles.remove(&key);
        // A region that is no longer expected is forgotten without a word.
        if input.expected().contains(&key.0) {
            next.outbox
                .push(pending(&key, Change::Ends, trouble.since, trouble.revision, now));
        }
    }
    next.outbox.claim(input.me, now, usize::MAX);
    if next.is_same(before) {
        return None;
    }
    let next = fit::fleet(input, before, next, limit);
    (!next.is_same(before)).then_some(next)
}

#[derive(Clone, Copy)]
enum Change {
    Begins,
    Ends,
}

fn pending(
    (region, trouble): &(Region, Trouble),
    change: Change,
    since: Timestamp,
    revision: u64,
    now: Timestamp,
) -> Pending {
    let kind = match (trouble, change) {
        (Trouble::Silent, Change::Begins) => Kind::RegionSilent,
        (Trouble::Silent, Change::Ends) => Kind::RegionBack,
        (Trouble::Suspect, Change::Begins) => Kind::RegionSuspect,
        (Trouble::Suspect, Change::Ends) => Kind::RegionTrusted,
    };
    Pending {
        id: format!("{region}.{revision}/{kind}"),
        kind,
        subject: Subject::Region(region.clone()),
        verdict: Verdict::Unknown,
        cause: None,
        urgency: Urgency::Usual,
        since,
        at: now,
        claim: None,
    }
}
