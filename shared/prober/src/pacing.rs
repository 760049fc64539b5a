//! When the next batch of connections may start, and whether this process is served promptly.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use crate::settings::Pace;

/// A timer that fires later than this shows that the process is starved. Timers are exact to a millisecond.
const PROMPT: Duration = Duration::from_millis(5);

/// How often to look whether the process is starved; rare, since each look costs a starved process a wake-up.
const WATCH: Duration = Duration::from_millis(20);

fn beat(every: Duration) -> Interval {
    let mut interval = interval(every);
    // Missed beats are not made up for: a burst is what the pace is there to prevent.
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// The beat to which connections start.
pub(crate) struct Pacer {
    starts: usize,
    beat: Interval,
}

impl Pacer {
    /// A beat whose first batch may start at once.
    pub(crate) fn new(pace: Pace) -> Self {
        Self {
            starts: pace.starts,
            beat: beat(pace.every),
        }
    }

    /// Waits for the next beat and returns how many connections may start. Safe to drop and call again.
    pub(crate) async fn beat(&mut self) -> usize {
        self.beat.tick().await;
        self.starts
    }
}

/// Looks again and again whether this process is served promptly.
pub(crate) struct Watch {
    beat: Interval,
}

impl Watch {
    pub(crate) fn new() -> Self {
        Self { beat: beat(WATCH) }
    }

    /// Waits for the next look, and notes in `lag` if it came late. Safe to drop and call again.
    pub(crate) async fn look(&mut self, lag: &Lag) {
        let due = self.beat.tick().await;
        let now = Instant::now();
        if now.duration_since(due) > PROMPT {
            lag.note(now);
        }
    }
}

/// When this process was last seen to be served late.
pub(crate) struct Lag {
    began: Instant,
    /// Microseconds from `began`, plus one; 0 is never.
    last: AtomicU64,
}

impl Lag {
    pub(crate) fn new() -> Self {
        Self {
            began: Instant::now(),
            last: AtomicU64::new(0),
        }
    }

    fn note(&self, at: Instant) {
        let micros = u64::try_from(at.duration_since(self.began).as_micros()).unwrap_or(u64::MAX - 1);
        self.last.store(micros + 1, Ordering::Relaxed);
    }

    /// Whether the process was served late at any time since then.
    pub(crate) fn seen_since(&self, since: Instant) -> bool {
        let since = u64::try_from(since.duration_since(self.began).as_micros()).unwrap_or(u64::MAX);
        self.last.load(Ordering::Relaxed) > since
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn batches_keep_their_distance_and_missed_beats_are_not_made_up_for() {
        let began = Instant::now();
        let mut pacer = Pacer::new(Pace {
            starts: 10,
            every: Duration::from_millis(10),
        });
        let mut beats = Vec::new();
        for busy in [0, 0, 95, 0, 0] {
            assert_eq!(pacer.beat().await, 10);
            beats.push(began.elapsed().as_millis());
            tokio::time::advance(Duration::from_millis(busy)).await;
        }
        assert_eq!(beats, [0, 10, 20, 115, 125]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_look_is_remembered_for_those_under_way() {
        let (lag, mut watch) = (Lag::new(), Watch::new());
        watch.look(&lag).await;
        watch.look(&lag).await;
        let before = Instant::now();
        assert!(!lag.seen_since(before));
        tokio::time::advance(WATCH + PROMPT + Duration::from_millis(1)).await;
        watch.look(&lag).await;
        assert!(lag.seen_since(before));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!lag.seen_since(Instant::now()));
    }
}
