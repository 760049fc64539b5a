//! Paces the start of connections, and detects when this process is scheduled late.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::adaptive_pace::{AdaptivePace, MAX_TIMER_DELAY, Usage};
use crate::settings::Pace;

/// How often the scheduling delay is sampled. Each sample wakes the process up, which is expensive when processor time
/// is scarce.
const LAG_SAMPLE_INTERVAL: Duration = Duration::from_millis(20);

fn steady_interval(first: Instant, every: Duration) -> Interval {
    let mut interval = interval_at(first, every);
    // Missed ticks are not repeated, because the pace must prevent bursts.
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// Paces the start of connections in batches, as fast as the event loop keeps up with.
pub(crate) struct Pacer {
    pace: AdaptivePace,
    usage: Usage,
    interval: Interval,
}

impl Pacer {
    /// Creates a pacer whose first batch may start immediately.
    pub(crate) fn new(configured: Pace) -> Self {
        Self {
            pace: AdaptivePace::new(configured),
            usage: Usage::Partial,
            interval: steady_interval(Instant::now(), configured.every),
        }
    }

    /// Waits for the next batch and returns the number of connections that may start. Cancel safe.
    pub(crate) async fn next_batch(&mut self) -> usize {
        self.interval.tick().await;
        self.pace.current().starts
    }

    /// Records how many connections of a batch were started.
    pub(crate) fn record_started(&mut self, count: usize) {
        if count >= self.pace.current().starts {
            self.usage = Usage::Full;
        }
    }

    /// Adapts the pace to a sample of the scheduling delay.
    pub(crate) fn adapt(&mut self, delay: Duration) {
        let previous = self.pace.current().every;
        self.pace.observe(delay, self.usage);
        self.usage = Usage::Partial;
        let every = self.pace.current().every;
        if every != previous {
            self.interval = steady_interval(Instant::now() + every, every);
        }
    }
}

/// Samples the scheduling delay of this process.
pub(crate) struct LagWatch {
    interval: Interval,
}

impl LagWatch {
    pub(crate) fn new() -> Self {
        Self {
            interval: steady_interval(Instant::now(), LAG_SAMPLE_INTERVAL),
        }
    }

    /// Waits for the next sample, records in `lag` if the sample is late, and returns its delay. Cancel safe.
    pub(crate) async fn sample(&mut self, lag: &Lag) -> Duration {
        let due = self.interval.tick().await;
        let now = Instant::now();
        let delay = now.duration_since(due);
        if delay > MAX_TIMER_DELAY {
            lag.record(now);
        }
        delay
    }
}

/// The last time at which this process was scheduled late.
pub(crate) struct Lag {
    started: Instant,
    /// Microseconds since `started`, plus one; 0 means never.
    last: AtomicU64,
}

impl Lag {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            last: AtomicU64::new(0),
        }
    }

    fn record(&self, at: Instant) {
        let micros = u64::try_from(at.duration_since(self.started).as_micros()).unwrap_or(u64::MAX - 1);
        self.last.store(micros + 1, Ordering::Relaxed);
    }

    /// Whether the process was scheduled late after `since`.
    pub(crate) fn seen_since(&self, since: Instant) -> bool {
        let since = u64::try_from(since.duration_since(self.started).as_micros()).unwrap_or(u64::MAX);
        self.last.load(Ordering::Relaxed) > since
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn batches_keep_interval_and_missed_ones_are_skipped() {
        let started = Instant::now();
        let mut pacer = Pacer::new(Pace {
            starts: 10,
            every: Duration::from_millis(10),
        });
        let mut batches = Vec::new();
        for busy in [0, 0, 95, 0, 0] {
            assert_eq!(pacer.next_batch().await, 10);
            batches.push(started.elapsed().as_millis());
            tokio::time::advance(Duration::from_millis(busy)).await;
        }
        assert_eq!(batches, [0, 10, 20, 115, 125]);
    }

    #[tokio::test(start_paused = true)]
    async fn pace_follows_samples_of_full_batches_only() {
        let started = Instant::now();
        let mut pacer = Pacer::new(Pace {
            starts: 10,
            every: Duration::from_millis(8),
        });
        let mut batches = Vec::new();
        let (punctual, late) = (0, 6);
        for (count, delay) in [
            (9, punctual),
            (10, punctual),
            (9, punctual),
            (10, punctual),
            (10, punctual),
            (10, punctual),
            (10, late),
            (10, punctual),
        ] {
            assert_eq!(pacer.next_batch().await, 10);
            batches.push(started.elapsed().as_millis());
            pacer.record_started(count);
            pacer.adapt(Duration::from_millis(delay));
        }
        // Three full batches with punctual samples halve the pause of 8 ms, and a late one doubles it.
        assert_eq!(batches, [0, 8, 16, 24, 32, 36, 40, 48]);
    }

    #[tokio::test(start_paused = true)]
    async fn late_sample_is_seen_by_running_checks() {
        let (lag, mut watch) = (Lag::new(), LagWatch::new());
        watch.sample(&lag).await;
        watch.sample(&lag).await;
        let before = Instant::now();
        assert!(!lag.seen_since(before));
        tokio::time::advance(LAG_SAMPLE_INTERVAL + MAX_TIMER_DELAY + Duration::from_millis(1)).await;
        watch.sample(&lag).await;
        assert!(lag.seen_since(before));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!lag.seen_since(Instant::now()));
    }
}
