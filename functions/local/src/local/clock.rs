//! A clock that may run faster than the machine's: minutes pass sooner, timeouts do not.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use portpulse_checker::Clock;
use tokio::time::Instant;

/// Tells the time since `start`, `speed` times as fast as it really passes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FastClock {
    start: Timestamp,
    began: Instant,
    speed: u32,
}

impl FastClock {
    /// A clock that shows `start` now.
    pub(crate) fn starting(start: Timestamp, speed: u32) -> Self {
        let (began, speed) = (Instant::now(), speed.max(1));
        Self { start, began, speed }
    }

    /// When it will show `time`; an instant in the past if it already has.
    pub(crate) fn instant_of(&self, time: Timestamp) -> Instant {
        let ahead = Duration::try_from(time.duration_since(self.start)).unwrap_or_default();
        self.began + ahead / self.speed
    }

    /// How many times faster than the machine's it runs.
    pub(crate) fn speed(&self) -> u32 {
        self.speed
    }

    /// By how much it moves on while this much time really passes.
    pub(crate) fn shown_in(&self, passed: SignedDuration) -> SignedDuration {
        let speed = i32::try_from(self.speed).unwrap_or(i32::MAX);
        passed.checked_mul(speed).unwrap_or(SignedDuration::MAX)
    }

    /// How long an interval of this clock really takes.
    pub(crate) fn really(&self, interval: Duration) -> Duration {
        interval / self.speed
    }
}

impl Clock for FastClock {
    fn now(&self) -> Timestamp {
        let passed = self.began.elapsed().saturating_mul(self.speed);
        let passed = SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
        self.start.saturating_add(passed).unwrap_or(Timestamp::MAX)
    }

    fn passed_since(&self, began: Timestamp) -> Duration {
        self.really(Duration::try_from(self.now().duration_since(began)).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn minutes_pass_as_many_times_faster() {
        let start: Timestamp = "2026-11-22T05:41:00Z".parse().unwrap();
        let clock = FastClock::starting(start, 20);
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(clock.now().to_string(), "2026-11-22T05:42:00Z");
        let next = clock.instant_of("2026-11-22T05:43:00Z".parse().unwrap());
        assert_eq!(next - Instant::now(), Duration::from_secs(3));
        assert!(clock.instant_of("2026-11-22T05:40:00Z".parse().unwrap()) <= Instant::now());
        assert_eq!(clock.really(Duration::from_secs(60)), Duration::from_secs(3));
        assert_eq!(
            clock.passed_since(start),
            Duration::from_secs(3),
            "what limits a tick passes no faster"
        );
    }
}
