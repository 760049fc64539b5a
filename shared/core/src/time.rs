//! Ticks, intervals and the text form of durations. Callers pass the current time.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;

use crate::choice::choice;
use crate::text::quoted;

/// One scheduled run of a group, identified by its scheduled time: UTC, in whole seconds, aligned to the interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(i64);

impl Tick {
    /// The tick of `interval` that contains `time`. A schedule that fires some seconds late maps to the same tick.
    pub fn containing(time: Timestamp, interval: Interval) -> Self {
        let seconds = interval.seconds();
        Self(time.as_second().div_euclid(seconds) * seconds)
    }

    /// The scheduled time.
    pub fn timestamp(self) -> Timestamp {
        // A tick is created from a timestamp, so it is always within range.
        Timestamp::from_second(self.0).unwrap_or(Timestamp::MAX)
    }

    /// The time from this tick to `now`; zero if the tick is in the future.
    pub fn age(self, now: Timestamp) -> Duration {
        Duration::try_from(now.duration_since(self.timestamp())).unwrap_or(Duration::ZERO)
    }

    /// The time from `now` to this tick; zero if the tick has passed.
    pub fn ahead_of(self, now: Timestamp) -> Duration {
        Duration::try_from(self.timestamp().duration_since(now)).unwrap_or(Duration::ZERO)
    }

    /// The tick `count` intervals later.
    #[must_use]
    pub fn later(self, interval: Interval, count: u32) -> Self {
        Self(
            self.0
                .saturating_add(interval.seconds().saturating_mul(i64::from(count))),
        )
    }

    /// Seconds since the Unix epoch.
    pub fn as_second(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Tick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.timestamp())
    }
}

/// A text that is not an RFC 3339 time.
#[derive(Debug, thiserror::Error)]
#[error("`{found}` is not an RFC 3339 time, such as 2026-11-22T05:41:00Z")]
pub struct InvalidTime {
    found: String,
}

impl FromStr for Tick {
    type Err = InvalidTime;

    /// Parses a tick, in whole seconds. The time is not aligned to an interval.
    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        Ok(Self(parse_time(text)?.as_second()))
    }
}

/// Parses an RFC 3339 time.
///
/// # Errors
/// When `text` is not an RFC 3339 time.
pub fn parse_time(text: &str) -> Result<Timestamp, InvalidTime> {
    text.parse().map_err(|_| InvalidTime { found: quoted(text) })
}

choice! {
    /// The interval between checks.
    Interval {
        /// Every 10 seconds.
        TenSeconds = "10s",
        /// Every 15 seconds.
        FifteenSeconds = "15s",
        /// Every 20 seconds.
        TwentySeconds = "20s",
        /// Every 30 seconds.
        ThirtySeconds = "30s",
        /// Every minute, the minimum of EventBridge.
        OneMinute = "1m",
        /// Every 2 minutes.
        TwoMinutes = "2m",
        /// Every 5 minutes.
        FiveMinutes = "5m",
        /// Every 10 minutes.
        TenMinutes = "10m",
        /// Every 15 minutes.
        FifteenMinutes = "15m",
        /// Every 30 minutes.
        ThirtyMinutes = "30m",
        /// Every hour.
        OneHour = "1h",
    }
}

impl Interval {
    /// The length in seconds.
    pub const fn seconds(self) -> i64 {
        match self {
            Self::TenSeconds => 10,
            Self::FifteenSeconds => 15,
            Self::TwentySeconds => 20,
            Self::ThirtySeconds => 30,
            Self::OneMinute => 60,
            Self::TwoMinutes => 120,
            Self::FiveMinutes => 300,
            Self::TenMinutes => 600,
            Self::FifteenMinutes => 900,
            Self::ThirtyMinutes => 1800,
            Self::OneHour => 3600,
        }
    }

    /// The length.
    pub const fn length(self) -> Duration {
        Duration::from_secs(self.seconds().unsigned_abs())
    }

    /// Whether one invocation runs several ticks, because the schedule fires once a minute at most.
    pub const fn is_below_minute(self) -> bool {
        self.seconds() < 60
    }

    /// The maximum age of a location's tick before the location no longer counts: two intervals and a minute. The minute also
    /// covers the schedule of intervals below a minute: one lost invocation is a gap of a minute and makes no location
    /// silent.
    pub const fn freshness(self) -> Duration {
        Duration::from_secs(2 * self.seconds().unsigned_abs() + 60)
    }
}

/// A text that is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{found}` is not a duration: write a whole number and a unit (ms, s, m, h, d), such as 500ms, 5s or 2h"
)]
pub struct InvalidDuration {
    pub(crate) found: String,
}

/// Parses a duration such as `500ms`, `5s`, `15m`, `2h` or `1d`.
///
/// # Errors
/// When `text` is not a duration, or exceeds a year.
pub fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let invalid = || InvalidDuration { found: quoted(text) };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).ok_or_else(invalid)?;
    let number: u64 = number.parse().map_err(|_| invalid())?;
    let unit_ms: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(invalid()),
    };
    let ms = number
        .checked_mul(unit_ms)
        .filter(|ms| *ms <= 366 * 86_400_000)
        .ok_or_else(invalid)?;
    Ok(Duration::from_millis(ms))
}

/// Formats a duration as [`parse_duration`] parses it, in the largest unit that gives a whole number.
pub fn format_duration(duration: Duration) -> String {
    let ms = duration.as_millis();
    for (unit_ms, unit) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")] {
        if ms >= unit_ms && ms.is_multiple_of(unit_ms) {
            return format!("{}{unit}", ms / unit_ms);
        }
    }
    format!("{ms}ms")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn late_delivery_maps_to_the_same_tick() {
        let at = |text| Tick::containing(parse_time(text).unwrap(), Interval::FiveMinutes).to_string();
        assert_eq!(at("2026-11-22T05:40:00Z"), "2026-11-22T05:40:00Z");
        assert_eq!(at("2026-11-22T05:44:59.9Z"), "2026-11-22T05:40:00Z");
        assert_eq!(at("1969-12-31T23:59:59Z"), "1969-12-31T23:55:00Z");
    }

    #[test]
    fn duration_is_a_number_and_a_unit() {
        for (text, ms) in [
            ("500ms", 500),
            ("5s", 5_000),
            ("15m", 900_000),
            ("2h", 7_200_000),
            ("1d", 86_400_000),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)));
            assert_eq!(format_duration(Duration::from_millis(ms)), text);
        }
        for bad in [
            "",
            "5",
            "s",
            "-5s",
            "5 s",
            "1.5s",
            "5S",
            "99999999999999999999s",
            "400d",
            "5sec",
        ] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn duration_round_trips_through_text(ms in 0u64..31_536_000_000) {
            let duration = Duration::from_millis(ms);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }

        #[test]
        fn any_text_parses_without_panic(text in ".{0,40}") {
            let _ = parse_duration(&text);
            let _ = parse_time(&text);
        }
    }
}
