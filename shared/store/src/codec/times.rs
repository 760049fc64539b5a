//! Counts of times by bucket, as text: the distance of each bucket from the previous one, and the count.

use portpulse_core::phase_times::{Bucket, PhaseTimes};

/// Encodes buckets as text, in half the size of a map.
pub(super) fn encode_buckets(times: &PhaseTimes) -> String {
    let mut before = 0;
    let steps = times.buckets().map(|(bucket, count)| {
        let step = bucket - before;
        before = bucket;
        format!("{step}:{count}")
    });
    steps.collect::<Vec<_>>().join(" ")
}

pub(super) fn decode_buckets(text: &str) -> Option<Vec<(Bucket, u32)>> {
    let mut bucket: Bucket = 0;
    let next = |word: &str| {
        let (step, count) = word.split_once(':')?;
        bucket = bucket.checked_add(step.parse().ok()?)?;
        Some((bucket, count.parse().ok()?))
    };
    text.split(' ').map(next).collect()
}
