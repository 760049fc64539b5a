//! Compact rollups: the counts and times that pages need, encoded in a few bytes and decoded on access.
//!
//! A page of 1,000 monitors over 90 days from three locations needs 342,000 tallies. A tally takes some 350 bytes in
//! memory, a packed one some 20 bytes.

use std::sync::Arc;
use std::time::Duration;

use portpulse_core::by_phase::ByPhase;
use portpulse_core::id::MonitorId;
use portpulse_core::phase_times::{Bucket, PhaseTimes};
use portpulse_core::rollup::{PhaseRollup, Rollup, Tally};

/// The checks of one monitor from one location over a period. Causes of failures are not distinguished.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CheckCounts {
    /// Checks with the expected result.
    pub(crate) good: u32,
    /// Good checks that failed at first and were good when made again.
    pub(crate) retried: u32,
    /// Checks with another result.
    pub(crate) failing: u32,
    /// Checks without a result.
    pub(crate) no_data: u32,
    /// The total times of good checks.
    pub(crate) total: PhaseTimes,
    /// The times of each phase of good checks, as far as read.
    pub(crate) phases: ByPhase<PhaseTimes>,
}

impl CheckCounts {
    /// Adds the counts of another period or location.
    pub(crate) fn add(&mut self, other: &Self) {
        self.good = self.good.saturating_add(other.good);
        self.retried = self.retried.saturating_add(other.retried);
        self.failing = self.failing.saturating_add(other.failing);
        self.no_data = self.no_data.saturating_add(other.no_data);
        self.total.add(&other.total);
        self.phases.add(&other.phases);
    }

    fn of(tally: &Tally) -> Self {
        Self {
            good: tally.good,
            retried: tally.retried,
            failing: tally.failures(),
            no_data: tally.no_data,
            total: tally.total.clone(),
            phases: tally.phases.clone(),
        }
    }
}

/// A rollup in compact form.
#[derive(Debug, Clone, Default)]
pub struct PackedRollup {
    /// The ids of the monitors, sorted. Shared between rollups of the same monitors, which is the usual case.
    ids: Arc<[MonitorId]>,
    /// The offset of each monitor in `bytes`.
    starts: Box<[u32]>,
    bytes: Box<[u8]>,
}

impl PackedRollup {
    /// Packs a rollup. Shares the ids of `like` if they are equal; contains one monitor only if `only` is given.
    pub(crate) fn of(rollup: &Rollup, like: Option<&Self>, only: Option<&MonitorId>) -> Self {
        let wanted = rollup
            .iter()
            .filter(|(id, _)| only.is_none_or(|only| only == *id));
        let checks = wanted.map(|(id, tally)| (id, CheckCounts::of(tally)));
        Self::pack(checks.collect(), like)
    }

    fn pack(checks: Vec<(&MonitorId, CheckCounts)>, like: Option<&Self>) -> Self {
        let ids = || checks.iter().map(|(id, _)| *id);
        let shared = like.map(|like| &like.ids).filter(|known| ids().eq(known.iter()));
        let (mut starts, mut bytes) = (Vec::with_capacity(checks.len()), Vec::new());
        for (_, checks) in &checks {
            // A DynamoDB item has at most 400 KB.
            starts.push(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
            put(&mut bytes, checks);
        }
        Self {
            ids: shared.map_or_else(|| ids().cloned().collect(), Arc::clone),
            starts: starts.into(),
            bytes: bytes.into(),
        }
    }

    /// Decodes the checks of a monitor.
    pub(crate) fn get(&self, id: &MonitorId) -> Option<CheckCounts> {
        let place = self.ids.binary_search(id).ok()?;
        let start = usize::try_from(*self.starts.get(place)?).ok()?;
        take(&mut self.bytes.get(start..)?)
    }

    /// Whether the rollup contains a monitor.
    pub(crate) fn has(&self, id: &MonitorId) -> bool {
        self.ids.binary_search(id).is_ok()
    }

    /// Adds the times of each phase, which are stored in separate items for the monitors whose checks have more than the
    /// connect.
    pub(crate) fn add_phases(&mut self, phases: &PhaseRollup) {
        let checks = self.ids.iter().filter_map(|id| {
            let mut checks = self.get(id)?;
            checks.phases = match phases.get(id) {
                Some(times) => times.clone(),
                None => ByPhase {
                    connect: checks.total.clone(),
                    ..ByPhase::default()
                },
            };
            Some((id, checks))
        });
        *self = Self::pack(checks.collect(), Some(self));
    }
}

fn put(bytes: &mut Vec<u8>, checks: &CheckCounts) {
    for count in [checks.good, checks.retried, checks.failing, checks.no_data] {
        put_number(bytes, count.into());
    }
    put_times(bytes, &checks.total);
    for (_, times) in checks.phases.each() {
        put_times(bytes, times);
    }
}

fn take(bytes: &mut &[u8]) -> Option<CheckCounts> {
    Some(CheckCounts {
        good: take_count(bytes)?,
        retried: take_count(bytes)?,
        failing: take_count(bytes)?,
        no_data: take_count(bytes)?,
        total: take_times(bytes)?,
        phases: ByPhase {
            dns: take_times(bytes)?,
            connect: take_times(bytes)?,
            tls: take_times(bytes)?,
            ready: take_times(bytes)?,
        },
    })
}

/// Encodes the number of buckets, each bucket with its count, and the maximum unless there are no buckets.
fn put_times(bytes: &mut Vec<u8>, times: &PhaseTimes) {
    let buckets = u64::try_from(times.buckets().count()).unwrap_or(u64::MAX);
    put_number(bytes, buckets);
    for (bucket, count) in times.buckets() {
        bytes.push(bucket);
        put_number(bytes, count.into());
    }
    if let Some(max) = times.max() {
        put_number(bytes, u64::try_from(max.as_nanos()).unwrap_or(u64::MAX));
    }
}

fn take_times(bytes: &mut &[u8]) -> Option<PhaseTimes> {
    let count = take_number(bytes)?;
    if count == 0 {
        return Some(PhaseTimes::default());
    }
    let mut bucket = || -> Option<(Bucket, u32)> {
        let (bucket, rest) = bytes.split_first()?;
        *bytes = rest;
        Some((*bucket, take_count(bytes)?))
    };
    let buckets = (0..count).map(|_| bucket()).collect::<Option<Vec<_>>>()?;
    let max = Duration::from_nanos(take_number(bytes)?);
    Some(PhaseTimes::from_buckets(buckets, max))
}

/// LEB128: seven bits per byte, least significant first; the eighth bit means that more bytes follow.
fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let (mut number, mut shift) = (0u64, 0);
    loop {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
        shift += 7;
    }
}

fn take_count(bytes: &mut &[u8]) -> Option<u32> {
    u32::try_from(take_number(bytes)?).ok()
}

#[cfg(test)]
mod tests {
    use portpulse_core::group_state::Cause;
    use portpulse_core::outcome::FailureClass;
    use portpulse_core::rollup::phase_rollup;
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    use super::*;

    fn times() -> impl Strategy<Value = PhaseTimes> {
        let buckets = btree_map(any::<u8>(), 1u32.., 0..20);
        (buckets, 0u64..1 << 40).prop_map(|(buckets, max)| {
            let max = if buckets.is_empty() { 0 } else { max };
            PhaseTimes::from_buckets(buckets, Duration::from_nanos(max))
        })
    }

    fn tally() -> impl Strategy<Value = Tally> {
        let counts = (any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>());
        (counts, times(), times(), times(), times(), times()).prop_map(
            |((good, retried, failing, no_data), total, dns, connect, tls, ready)| {
                let phases = ByPhase {
                    dns,
                    connect,
                    tls,
                    ready,
                };
                let connect_alone = ByPhase {
                    connect: total.clone(),
                    ..ByPhase::default()
                };
                Tally {
                    good,
                    retried,
                    failing: [(Cause::Failed(FailureClass::Refused), failing)].into(),
                    no_data,
                    phases: if phases.is_connect_alone() {
                        connect_alone
                    } else {
                        phases
                    },
                    total,
                }
            },
        )
    }

    fn rollup() -> impl Strategy<Value = Rollup> {
        btree_map("[a-e]", tally(), 0..5).prop_map(|tallies| {
            let tallies = tallies.into_iter();
            tallies.map(|(id, tally)| (id.parse().unwrap(), tally)).collect()
        })
    }

    proptest! {
        #[test]
        fn packed_rollups_decode_to_the_same_counts(rollups in vec(rollup(), 1..4)) {
            let mut like: Option<PackedRollup> = None;
            for rollup in &rollups {
                let packed = PackedRollup::of(rollup, like.as_ref(), None);
                for id in ["a", "b", "c", "d", "e", "f"] {
                    let id: MonitorId = id.parse().unwrap();
                    prop_assert_eq!(packed.get(&id), rollup.get(&id).map(CheckCounts::of));
                    prop_assert_eq!(packed.has(&id), rollup.contains_key(&id));
                    let alone = PackedRollup::of(rollup, None, Some(&id));
                    prop_assert_eq!(alone.get(&id), packed.get(&id));
                    prop_assert!(alone.ids.len() <= 1);
                }
                like = Some(packed);
            }
        }

        #[test]
        fn separately_stored_phases_are_added(whole in rollup()) {
            let mut apart = whole.clone();
            apart.values_mut().for_each(|tally| tally.phases = ByPhase::default());
            let mut packed = PackedRollup::of(&apart, None, None);
            packed.add_phases(&phase_rollup(&whole));
            for (id, tally) in &whole {
                prop_assert_eq!(packed.get(id), Some(CheckCounts::of(tally)));
            }
        }
    }

    #[test]
    fn rollups_of_same_monitors_share_ids() {
        let rollup: Rollup = ["a", "b"]
            .map(|id| (id.parse().unwrap(), Tally::default()))
            .into();
        let first = PackedRollup::of(&rollup, None, None);
        let second = PackedRollup::of(&rollup, Some(&first), None);
        assert!(Arc::ptr_eq(&first.ids, &second.ids));
    }
}
