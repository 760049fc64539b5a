//! Groups: which monitors one tick checks together.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::id::MonitorId;
use crate::text::quoted;
use crate::time::Interval;

/// About how many monitors one group holds; an interval with more of them has several shards.
pub const MONITORS_PER_SHARD: usize = 400;

/// The most monitors that one group may hold: so many fit into its rows whatever happens to them.
///
/// Shards fill unevenly. With 400 on average, one in three million has more than this: five standard deviations.
pub const MAX_MONITORS_PER_GROUP: usize = 500;

/// The monitors of one interval and shard, checked together by one invocation in each region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId {
    /// How often the group is checked.
    pub interval: Interval,
    /// Which of the interval's shards it is, from 0.
    pub shard: u32,
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.interval, self.shard)
    }
}

/// A text that names no group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a group: write an interval and a shard, such as 1m#0")]
pub struct BadGroup {
    pub(crate) found: String,
}

impl FromStr for GroupId {
    type Err = BadGroup;

    fn from_str(text: &str) -> Result<Self, BadGroup> {
        let bad = || BadGroup { found: quoted(text) };
        let (interval, shard) = text.split_once('#').ok_or_else(bad)?;
        let interval = interval.parse().map_err(|_| bad())?;
        let shard = shard.parse().map_err(|_| bad())?;
        Ok(Self { interval, shard })
    }
}

/// How many shards an interval with `monitors` monitors has; at least one.
pub fn shards_for(monitors: usize) -> u32 {
    u32::try_from(monitors.div_ceil(MONITORS_PER_SHARD))
        .unwrap_or(u32::MAX)
        .max(1)
}

/// The shard of a monitor: the first 32 bits of SHA-256 of its id, big-endian, modulo `shards`.
pub fn shard_of(id: &MonitorId, shards: u32) -> u32 {
    let digest = Sha256::digest(id.as_str().as_bytes());
    let first = digest
        .iter()
        .take(4)
        .fold(0u32, |bits, byte| (bits << 8) | u32::from(*byte));
    first.checked_rem(shards).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_follow_the_first_32_bits_of_sha_256() {
        // printf %s orders-db | sha256sum  ->  first eight digits, as a number
        let id: MonitorId = "orders-db".parse().unwrap();
        assert_eq!(shard_of(&id, u32::MAX), 0x2adf_dbb6_u32);
        assert_eq!(shard_of(&id, 1), 0);
        assert_eq!(shard_of(&id, 7), 0x2adf_dbb6_u32 % 7);
    }

    #[test]
    fn a_shard_is_added_for_each_four_hundred_monitors() {
        for (monitors, shards) in [(0, 1), (1, 1), (400, 1), (401, 2), (10_000, 25)] {
            assert_eq!(shards_for(monitors), shards, "{monitors}");
        }
    }

    #[test]
    fn groups_survive_their_text() {
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
