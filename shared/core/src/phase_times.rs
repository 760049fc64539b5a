//! Histograms of phase times. A sum of histograms gives the same percentiles as the checks themselves.

use std::collections::BTreeMap;
use std::time::Duration;

/// A histogram of the times of one phase: exact below 0.08 ms, then eight buckets for each doubling.
///
/// A percentile differs by at most 1/16 (6.25 %) from the time of the check at that rank, in any order of summation;
/// the maximum is exact. Rounding of the recorded times comes on top.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PhaseTimes {
    buckets: BTreeMap<Bucket, u32>,
    max: Duration,
}

/// The index of a bucket. Buckets 0 to 7 hold that many hundredths of a millisecond; from there, each eight buckets
/// cover one doubling. Bucket 255 is beyond any timeout.
pub type Bucket = u8;

/// The number of buckets for each doubling, as a power of two.
const BITS: u32 = 3;

impl PhaseTimes {
    /// Restores a histogram from stored buckets and the stored maximum.
    pub fn from_buckets(buckets: impl IntoIterator<Item = (Bucket, u32)>, max: Duration) -> Self {
        let mut times = Self {
            buckets: BTreeMap::new(),
            max,
        };
        for (bucket, count) in buckets {
            times.fill(bucket, count);
        }
        times
    }

    /// Records a time.
    pub fn record(&mut self, time: Duration) {
        self.fill(bucket_of(time), 1);
        self.max = self.max.max(time);
    }

    /// Adds another histogram.
    pub fn add(&mut self, other: &Self) {
        for (bucket, count) in &other.buckets {
            self.fill(*bucket, *count);
        }
        self.max = self.max.max(other.max);
    }

    /// The number of recorded times.
    pub fn count(&self) -> u64 {
        self.buckets.values().map(|count| u64::from(*count)).sum()
    }

    /// Whether no time was recorded.
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// The nonempty buckets with their counts, in ascending order.
    pub fn buckets(&self) -> impl Iterator<Item = (Bucket, u32)> {
        self.buckets.iter().map(|(bucket, count)| (*bucket, *count))
    }

    /// The maximum; `None` if no time was recorded.
    pub fn max(&self) -> Option<Duration> {
        (!self.buckets.is_empty()).then_some(self.max)
    }

    /// The nearest-rank percentile; `None` if no time was recorded.
    pub fn percentile(&self, percent: u8) -> Option<Duration> {
        let rank = (self.count() * u64::from(percent.min(100))).div_ceil(100).max(1);
        let mut counted = 0;
        for (bucket, count) in &self.buckets {
            counted += u64::from(*count);
            if counted >= rank {
                return Some(middle_of(*bucket).min(self.max));
            }
        }
        None
    }

    fn fill(&mut self, bucket: Bucket, count: u32) {
        if count > 0 {
            let held = self.buckets.entry(bucket).or_insert(0);
            *held = held.saturating_add(count);
        }
    }
}

fn bucket_of(time: Duration) -> Bucket {
    let hundredths = u64::try_from(time.as_micros() / 10).unwrap_or(u64::MAX);
    let doublings = hundredths.checked_ilog2().unwrap_or(0);
    let bucket = match doublings.checked_sub(BITS) {
        None => hundredths,
        Some(shift) => (u64::from(shift) << BITS) + (hundredths >> shift),
    };
    Bucket::try_from(bucket).unwrap_or(Bucket::MAX)
}

fn middle_of(bucket: Bucket) -> Duration {
    let bucket = u64::from(bucket);
    let micros = match (bucket >> BITS).checked_sub(1) {
        None => bucket * 10,
        Some(shift) => {
            let lowest = (bucket - (shift << BITS)) << shift;
            // The middle of the bucket, in hundredths of a millisecond, including its last value.
            lowest * 10 + ((1 << shift) - 1) * 5
        }
    };
    Duration::from_micros(micros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn hundredths(number: u64) -> Duration {
        Duration::from_micros(number * 10)
    }

    fn of(times: &[u64]) -> PhaseTimes {
        let mut all = PhaseTimes::default();
        for time in times {
            all.record(hundredths(*time));
        }
        all
    }

    #[test]
    fn doublings_have_eight_buckets() {
        for (time, bucket) in [
            (0, 0),
            (7, 7),
            (8, 8),
            (15, 15),
            (16, 16),
            (17, 16),
            (18, 17),
            (31, 23),
            (32, 24),
            (1_000, 63),
            (3_000_000, 155),
            (u64::MAX / 20, 255),
        ] {
            assert_eq!(bucket_of(hundredths(time)), bucket, "{time}");
        }
    }

    #[test]
    fn percentile_uses_nearest_rank() {
        let none = PhaseTimes::default();
        assert_eq!((none.percentile(50), none.max()), (None, None));
        // Five of 0.05 ms, four of 0.06, one of 20 ms.
        let times = of(&[5, 5, 5, 5, 5, 6, 6, 6, 6, 2_000]);
        for (percent, time) in [(0, 5), (50, 5), (51, 6), (90, 6)] {
            assert_eq!(times.percentile(percent), Some(hundredths(time)), "{percent}");
        }
        // 20 ms falls into 19.20 to 20.47.
        assert_eq!(times.percentile(95), Some(Duration::from_micros(19_835)));
        assert_eq!(times.max(), Some(hundredths(2_000)));
        assert_eq!(
            of(&[1_921]).percentile(50),
            Some(hundredths(1_921)),
            "never above the maximum"
        );
    }

    proptest! {
        #[test]
        fn percentile_error_is_at_most_one_sixteenth(
            mut times in vec(prop_oneof![0u64..300, 0u64..3_000_000], 1..200),
            percent in 0u8..=100,
        ) {
            let estimate = of(&times).percentile(percent).unwrap().as_micros() as f64;
            times.sort_unstable();
            let rank = (times.len() * usize::from(percent)).div_ceil(100).max(1);
            let exact = times[rank - 1] as f64 * 10.0;
            prop_assert!((estimate - exact).abs() <= exact / 16.0, "{} for {}", estimate, exact);
        }

        #[test]
        fn sum_of_parts_equals_the_whole(
            parts in vec(vec(0u64..3_000_000, 0..30), 0..6),
            order in any::<prop::sample::Index>(),
        ) {
            let whole = of(&parts.concat());
            let mut parts: Vec<_> = parts.iter().map(|part| of(part)).collect();
            let turns = order.index(parts.len().max(1));
            parts.rotate_left(turns);
            let mut sum = PhaseTimes::default();
            for part in &parts {
                sum.add(part);
            }
            prop_assert_eq!(&sum, &whole);
            let read_back = PhaseTimes::from_buckets(sum.buckets(), sum.max().unwrap_or_default());
            prop_assert_eq!(read_back, whole);
        }
    }
}
