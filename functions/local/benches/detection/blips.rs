//! Failures that are too short to be notified.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// The blips of `critical`, which are shorter than its two retries at intervals of 2 s.
const BLIP: std::ops::Range<f64> = 0.1..3.9;

/// A blip in each of some minutes, of a random length, which contains the time of the check.
pub(crate) fn times_of_blips(minutes: u32) -> Vec<(Instant, Instant)> {
    let minute = Duration::from_secs(60);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let into_minute =
        Duration::from_secs(now.as_secs() % 60) + Duration::from_nanos(now.subsec_nanos().into());
    let last = Instant::now() - into_minute;
    let blip = |after| {
        let length = Duration::from_secs_f64(BLIP.start + (BLIP.end - BLIP.start) * fastrand::f64());
        // The first whole minute may be too soon.
        let begin = last + minute * (after + 2) - length.mul_f64(fastrand::f64());
        (begin, begin + length)
    };
    (0..minutes).map(blip).collect()
}

pub(crate) fn is_of_blips(id: &str) -> bool {
    id.starts_with("1m-1-")
}
