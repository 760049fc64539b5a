//! Groups: the monitors that one invocation checks together.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::id::MonitorId;
use crate::text::quoted;
use crate::time::Interval;

/// The average number of monitors in a group. An interval with more monitors has several shards.
pub const MONITORS_PER_SHARD: usize = 400;

/// The maximum number of monitors in a group. The sizes of items are tested against their limits with this number.
///
/// A hash fills the shards, to [`MONITORS_PER_SHARD`] on average. A shard exceeds this maximum with a probability of
/// about one in a million: five standard deviations of a Poisson distribution with a mean of 400.
pub const MAX_MONITORS_PER_GROUP: usize = 500;

/// The number of locations with which the largest items and messages are computed: as many as a monitor can list.
pub const MAX_LOCATIONS: usize = 50;

/// The monitors of one interval and shard, checked together by one invocation in each location.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId {
    /// The interval between checks.
    pub interval: Interval,
    /// The shard of the interval, from 0.
    pub shard: u32,
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.interval, self.shard)
    }
}

/// A text that is not a group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a group: write an interval and a shard, such as 1m#0")]
pub struct InvalidGroup {
    pub(crate) found: String,
}

impl FromStr for GroupId {
    type Err = InvalidGroup;

    fn from_str(text: &str) -> Result<Self, InvalidGroup> {
        let invalid = || InvalidGroup { found: quoted(text) };
        let (interval, shard) = text.split_once('#').ok_or_else(invalid)?;
        let interval = interval.parse().map_err(|_| invalid())?;
        let shard = shard.parse().map_err(|_| invalid())?;
        Ok(Self { interval, shard })
    }
}

/// The number of shards of an interval with `monitors` monitors; at least one.
pub fn shards_for(monitors: usize) -> u32 {
    u32::try_from(monitors.div_ceil(MONITORS_PER_SHARD))
        .unwrap_or(u32::MAX)
        .max(1)
}

/// The shard of a monitor: the first 32 bits of SHA-256 of its id, big-endian, modulo `shards`.
pub fn shard_of(id: &MonitorId, shards: u32) -> u32 {
    hashed(id, 0).checked_rem(shards).unwrap_or(0)
}

/// The part of a monitor when data of its group is split: the second 32 bits of the same hash, because monitors of one
/// group share bits of the first.
pub fn part_of(id: &MonitorId, parts: u32) -> u32 {
    hashed(id, 4).checked_rem(parts).unwrap_or(0)
}

/// 32 bits of SHA-256 of an id, big-endian, starting at the byte `from`.
fn hashed(id: &MonitorId, from: usize) -> u32 {
    let digest = Sha256::digest(id.as_str().as_bytes());
    let bytes = digest.iter().skip(from).take(4);
    bytes.fold(0u32, |bits, byte| (bits << 8) | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shard_is_first_32_bits_of_sha_256_modulo_shards() {
        // printf %s orders-db | sha256sum  ->  first eight digits, as a number
        let id: MonitorId = "orders-db".parse().unwrap();
        assert_eq!(shard_of(&id, u32::MAX), 0x2adf_dbb6_u32);
        assert_eq!(shard_of(&id, 1), 0);
        assert_eq!(shard_of(&id, 7), 0x2adf_dbb6_u32 % 7);
    }

    #[test]
    fn parts_of_a_shard_are_even() {
        let ids = (0..4_000).map(|number| format!("db-{number}").parse().unwrap());
        let ids: Vec<MonitorId> = ids.filter(|id| shard_of(id, 10) == 4).collect();
        for parts in [2, 4, 5, 10] {
            let mut held = vec![0; parts];
            for id in &ids {
                held[part_of(id, u32::try_from(parts).unwrap()) as usize] += 1;
            }
            let fair = ids.len() / parts;
            assert!(
                held.iter().all(|held| (fair / 2..fair * 2).contains(held)),
                "{held:?}"
            );
        }
    }

    #[test]
    fn shards_grow_by_one_per_400_monitors() {
        for (monitors, shards) in [(0, 1), (1, 1), (400, 1), (401, 2), (10_000, 25)] {
            assert_eq!(shards_for(monitors), shards, "{monitors}");
        }
    }

    #[test]
    fn group_round_trips_through_text() {
        let group = GroupId {
            interval: Interval::FiveMinutes,
            shard: 12,
        };
        assert_eq!(group.to_string().parse(), Ok(group));
        for bad in ["", "1m", "1m#", "3m#0", "1m#-1", "1m#0#0"] {
            assert!(bad.parse::<GroupId>().is_err(), "{bad}");
        }
    }
}
