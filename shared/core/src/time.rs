//! Ticks, intervals and the text forms of durations; the core is told the time and never asks for it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;

use crate::choice::choice;
use crate::text::quoted;

/// One scheduled round: the scheduled time of the event, in UTC, aligned to its interval; whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(i64);

impl Tick {
    /// The tick of `interval` that `time` falls in: a schedule that fires some seconds late still
    /// names the same tick.
    pub fn containing(time: Timestamp, interval: Interval) -> Self {
        let seconds = interval.seconds();
        Self(time.as_second().div_euclid(seconds) * seconds)
    }

    /// The tick's scheduled time.
    pub fn timestamp(self) -> Timestamp {
        // A tick is only made from a timestamp, so it is always within range.
        Timestamp::from_second(self.0).unwrap_or(Timestamp::MAX)
    }

    /// How long before `now` this tick was scheduled; zero if it lies ahead.
    pub fn age(self, now: Timestamp) -> Duration {
        Duration::try_from(now.duration_since(self.timestamp())).unwrap_or(Duration::ZERO)
    }

    /// How far `now` is from reaching this tick; zero if it has passed.
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

/// A time that is not one of RFC 3339.
#[derive(Debug, thiserror::Error)]
#[error("`{found}` is not a time of RFC 3339, such as 2026-11-22T05:41:00Z")]
pub struct InvalidTime {
    found: String,
}

impl FromStr for Tick {
    type Err = InvalidTime;

    /// Reads a tick back from its text; it is taken as it stands, in whole seconds.
    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        Ok(Self(parse_time(text)?.as_second()))
    }
}

/// Reads a time of RFC 3339.
///
/// # Errors
/// When `text` is none.
pub fn parse_time(text: &str) -> Result<Timestamp, InvalidTime> {
    text.parse().map_err(|_| InvalidTime { found: quoted(text) })
}

choice! {
    /// How often a monitor is checked.
    Interval {
        /// Every minute: the finest EventBridge has.
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
    /// Its length in seconds.
    pub const fn seconds(self) -> i64 {
        match self {
            Self::OneMinute => 60,
            Self::TwoMinutes => 120,
            Self::FiveMinutes => 300,
            Self::TenMinutes => 600,
            Self::FifteenMinutes => 900,
            Self::ThirtyMinutes => 1800,
            Self::OneHour => 3600,
        }
    }

    /// Its length.
    pub const fn length(self) -> Duration {
        Duration::from_secs(self.seconds().unsigned_abs())
    }

    /// How old a location's tick may be before that location no longer counts: two intervals and a minute.
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

/// Reads a duration such as `500ms`, `5s`, `15m`, `2h` or `1d`.
///
/// # Errors
/// When `text` is anything else, or beyond a year.
pub fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let bad = || InvalidDuration { found: quoted(text) };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).ok_or_else(bad)?;
    let number: u64 = number.parse().map_err(|_| bad())?;
    let unit_ms: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(bad()),
    };
    let ms = number
        .checked_mul(unit_ms)
        .filter(|ms| *ms <= 366 * 86_400_000)
        .ok_or_else(bad)?;
    Ok(Duration::from_millis(ms))
}

/// A duration in the form that [`parse_duration`] reads, with the largest unit that says it whole.
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
    fn a_late_delivery_names_the_same_tick() {
        let at = |text| Tick::containing(parse_time(text).unwrap(), Interval::FiveMinutes).to_string();
        assert_eq!(at("2026-11-22T05:40:00Z"), "2026-11-22T05:40:00Z");
        assert_eq!(at("2026-11-22T05:44:59.9Z"), "2026-11-22T05:40:00Z");
        assert_eq!(at("1969-12-31T23:59:59Z"), "1969-12-31T23:55:00Z");
    }

    #[test]
    fn durations_are_a_number_and_a_unit() {
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
        fn a_duration_survives_its_text(ms in 0u64..31_536_000_000) {
            let duration = Duration::from_millis(ms);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }

        #[test]
        fn no_text_makes_the_parsers_panic(text in ".{0,40}") {
            let _ = parse_duration(&text);
            let _ = parse_time(&text);
        }
    }
}
