//! Times in buckets as text: each bucket by its distance from the one before, with its count.

use portpulse_core::phase_times::{Bucket, PhaseTimes};

/// Half the size of a map, and still text.
pub(super) fn encode_buckets(times: &PhaseTimes) -> String {
    let mut before = 0;
    let banners = times.buckets().map(|(bucket, count)| {
        let step = bucket - before;
        before = bucket;
        format!("{step}:{count}")
    });
    banners.collect::<Vec<_>>().join(" ")
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
