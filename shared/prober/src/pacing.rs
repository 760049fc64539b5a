//! When the next batch of connections may start, and whether this process is served promptly.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use crate::settings::Pace;

/// A timer that fires later than this shows that the process is starved. Timers are exact to a millisecond.
const PROMPT: Duration = Duration::from_millis(5);

/// How often to look when nothing is to be started: rare, since each look costs a starved process a wake-up.
const IDLE: Duration = Duration::from_millis(50);

/// The beat to which connections start.
pub(crate) struct Pacer {
    pace: Pace,
    interval: Interval,
}

impl Pacer {
    /// A beat whose first batch may start at once.
    pub(crate) fn new(pace: Pace) -> Self {
        let mut interval = interval(pace.every);
        // Missed beats are not made up for: a burst is what the pace is there to prevent.
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { pace, interval }
    }

    /// Waits for the next beat and returns how many connections may start; notes in `lag` if it came late.
    ///
    /// Safe to drop and call again.
    pub(crate) async fn beat(&mut self, work: Work, lag: &Lag) -> usize {
        let due = self.interval.tick().await;
        let now = Instant::now();
        if now.duration_since(due) > PROMPT {
            lag.note(now);
        }
        match work {
            Work::Waiting => {}
            Work::None => self.interval.reset_after(IDLE),
        }
        self.pace.starts
    }

    /// Brings the next beat forward, now that there is work again.
    pub(crate) fn hurry(&mut self) {
        self.interval.reset_after(self.pace.every);
    }
}

/// Whether connections wait to be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Waiting,
    None,
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

    const PACE: Pace = Pace {
        starts: 10,
        every: Duration::from_millis(10),
    };

    #[tokio::test(start_paused = true)]
    async fn batches_keep_their_distance_and_missed_beats_are_not_made_up_for() {
        let began = Instant::now();
        let (lag, mut pacer) = (Lag::new(), Pacer::new(PACE));
        let mut beats = Vec::new();
        for busy in [0, 0, 95, 0, 0] {
            assert_eq!(pacer.beat(Work::Waiting, &lag).await, 10);
            beats.push(began.elapsed().as_millis());
            tokio::time::advance(Duration::from_millis(busy)).await;
        }
        assert_eq!(beats, [0, 10, 20, 115, 125]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_beat_is_remembered_for_those_under_way() {
        let (lag, mut pacer) = (Lag::new(), Pacer::new(PACE));
        pacer.beat(Work::Waiting, &lag).await;
        let before = Instant::now();
        assert!(!lag.seen_since(before));
        tokio::time::advance(Duration::from_millis(17)).await;
        pacer.beat(Work::Waiting, &lag).await;
        assert!(lag.seen_since(before));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!lag.seen_since(Instant::now()));
    }
}
