//! The clock of an agent: that of this machine, corrected by the time in the responses of AWS. A machine whose clock is wrong by
//! minutes would otherwise count ticks of the future, or none.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_sdk_dynamodb::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::primitives::{DateTime, DateTimeFormat};
use jiff::{SignedDuration, Timestamp};
use portpulse_checker::Clock;

/// The difference between the clocks that is not corrected, in milliseconds: more than whole seconds in the header and a slow
/// response explain.
const MAX_TOLERATED_MS: i64 = 5_000;
/// The change of a correction that is ignored, in milliseconds.
const MIN_CHANGE_MS: i64 = 2_000;

/// A clock that follows AWS. Clones share the correction, which is 0 while the clocks differ by at most five seconds.
#[derive(Debug, Clone, Default)]
pub(super) struct AwsClock(Arc<AtomicI64>);

impl AwsClock {
    /// How far the clock of this machine is ahead of that of AWS; negative if it is behind.
    pub(super) fn skew(&self) -> SignedDuration {
        SignedDuration::from_millis(-self.0.load(Ordering::Relaxed))
    }

    /// Compares the time of a response, in whole seconds, with that of this machine in milliseconds.
    fn observe(&self, response: i64, machine_ms: i64) {
        // On average, a response is half a second later than its header.
        let measured = response.saturating_mul(1_000).saturating_add(500);
        let measured = measured.saturating_sub(machine_ms);
        let correction = if measured.abs() <= MAX_TOLERATED_MS {
            0
        } else {
            measured
        };
        let known = self.0.load(Ordering::Relaxed);
        if correction == 0 || (correction - known).abs() > MIN_CHANGE_MS {
            self.0.store(correction, Ordering::Relaxed);
        }
    }
}

impl Clock for AwsClock {
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        let correction = SignedDuration::from_millis(self.0.load(Ordering::Relaxed));
        now.saturating_add(correction).unwrap_or(now)
    }
}

impl Intercept for AwsClock {
    fn name(&self) -> &'static str {
        "clock"
    }

    /// Reads the header `Date` of every response, also of one that refuses a request because of its time.
    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        if let Some(date) = date.and_then(|date| DateTime::from_str(date, DateTimeFormat::HttpDate).ok()) {
            self.observe(date.secs(), Timestamp::now().as_millisecond());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_is_corrected_beyond_tolerance_and_steady_within_a_second() {
        let clock = AwsClock::default();
        // Seconds of the header, milliseconds of this machine, the skew afterwards.
        for (response, machine_ms, skew_ms) in [
            (100, 100_400, 0),
            (100, 105_500, 0),
            (100, 95_600, 0),
            (100, 400_500, 300_000),
            (101, 402_300, 300_000),
            (200, 499_800, 300_000),
            (300, 605_000, 304_500),
            (400, 100_500, -300_000),
            (500, 500_000, 0),
        ] {
            clock.observe(response, machine_ms);
            assert_eq!(
                clock.skew(),
                SignedDuration::from_millis(skew_ms),
                "{response} {machine_ms}"
            );
        }
        clock.observe(0, 3_600_000);
        let ahead = Timestamp::now().duration_since(clock.now());
        assert_eq!(ahead.as_secs(), 3_599);
    }
}
