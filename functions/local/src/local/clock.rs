//! A clock that can run faster than real time. It drives the schedule; timeouts stay in real time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use portpulse_checker::Clock;
use tokio::time::Instant;

/// Starts at `start` and advances `speed` times faster than real time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FastClock {
    start: Timestamp,
    began: Instant,
    speed: u32,
}

impl FastClock {
    /// A clock whose current time is `start`.
    pub(crate) fn starting(start: Timestamp, speed: u32) -> Self {
        let (began, speed) = (Instant::now(), speed.max(1));
        Self { start, began, speed }
    }

    /// The instant at which the clock reaches `time`; in the past if it already has.
    pub(crate) fn instant_of(&self, time: Timestamp) -> Instant {
        let ahead = Duration::try_from(time.duration_since(self.start)).unwrap_or_default();
        self.began + ahead / self.speed
    }

    /// The factor by which the clock is faster than real time.
    pub(crate) fn speed(&self) -> u32 {
        self.speed
    }

    /// The clock time that passes during a real duration.
    pub(crate) fn clock_duration(&self, passed: SignedDuration) -> SignedDuration {
        let speed = i32::try_from(self.speed).unwrap_or(i32::MAX);
        passed.checked_mul(speed).unwrap_or(SignedDuration::MAX)
    }

    /// The real time that an interval of clock time takes.
    pub(crate) fn real_duration(&self, interval: Duration) -> Duration {
        interval / self.speed
    }
}

impl Clock for FastClock {
    fn now(&self) -> Timestamp {
        let passed = self.began.elapsed().saturating_mul(self.speed);
        let passed = SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
        self.start.saturating_add(passed).unwrap_or(Timestamp::MAX)
    }

    async fn wait(&self, length: Duration) {
        self.sleep(self.real_duration(length)).await;
    }

    fn passed_since(&self, began: Timestamp) -> Duration {
        self.real_duration(Duration::try_from(self.now().duration_since(began)).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn clock_runs_faster_by_the_speed_factor() {
        let start: Timestamp = "2026-11-22T05:41:00Z".parse().unwrap();
        let clock = FastClock::starting(start, 20);
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(clock.now().to_string(), "2026-11-22T05:42:00Z");
        let next = clock.instant_of("2026-11-22T05:43:00Z".parse().unwrap());
        assert_eq!(next - Instant::now(), Duration::from_secs(3));
        assert!(clock.instant_of("2026-11-22T05:40:00Z".parse().unwrap()) <= Instant::now());
        assert_eq!(
            clock.real_duration(Duration::from_secs(60)),
            Duration::from_secs(3)
        );
        assert_eq!(
            clock.passed_since(start),
            Duration::from_secs(3),
            "the time budget of a tick is real time"
        );
    }
}
