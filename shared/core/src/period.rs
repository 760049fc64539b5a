//! Hours and days in UTC, the periods of rollups.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::choice::choice;
use crate::text::quoted;
use crate::time::{Interval, Tick};

choice! {
    /// The length of a period.
    Grain {
        /// One hour, starting on the hour.
        Hour = "hour",
        /// One day, from midnight to midnight UTC.
        Day = "day",
    }
}

impl Grain {
    /// The length in seconds. All UTC days have the same length, as in Unix time.
    pub const fn seconds(self) -> i64 {
        match self {
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }
}

/// One hour or one day in UTC. The text form, `2026-11-22T05` or `2026-11-22`, sorts chronologically.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    /// The number of whole grains since the Unix epoch.
    number: i64,
    grain: Grain,
}

impl Period {
    /// The hour or day that contains `time`.
    pub fn containing(time: Timestamp, grain: Grain) -> Self {
        Self {
            number: time.as_second().div_euclid(grain.seconds()),
            grain,
        }
    }

    /// The hour or day that contains a tick.
    pub fn of(tick: Tick, grain: Grain) -> Self {
        Self::containing(tick.timestamp(), grain)
    }

    /// The grain: hour or day.
    pub const fn grain(self) -> Grain {
        self.grain
    }

    /// The first second, since the Unix epoch.
    pub const fn first_second(self) -> i64 {
        self.number.saturating_mul(self.grain.seconds())
    }

    /// The second after the last one, since the Unix epoch.
    pub const fn end_second(self) -> i64 {
        self.first_second().saturating_add(self.grain.seconds())
    }

    /// The start.
    pub fn start(self) -> Timestamp {
        Timestamp::from_second(self.first_second()).unwrap_or(Timestamp::MIN)
    }

    /// The period `count` grains later, or earlier if `count` is negative.
    #[must_use]
    pub const fn later(self, count: i64) -> Self {
        Self {
            number: self.number.saturating_add(count),
            grain: self.grain,
        }
    }

    /// The hours of a day, or the hour itself, in order.
    pub fn hours(self) -> impl Iterator<Item = Self> {
        let hours = self.grain.seconds() / Grain::Hour.seconds();
        let first = self.number.saturating_mul(hours);
        (0..hours).map(move |hour| Self {
            number: first.saturating_add(hour),
            grain: Grain::Hour,
        })
    }

    /// The ticks of an interval within the period, in order.
    pub fn ticks(self, interval: Interval) -> impl Iterator<Item = Tick> {
        let first = Tick::containing(self.start(), interval);
        let count = u32::try_from(self.grain.seconds() / interval.seconds()).unwrap_or(0);
        (0..count).map(move |number| first.later(interval, number))
    }

    /// The day that contains the period.
    #[must_use]
    pub fn day(self) -> Self {
        Self::containing(self.start(), Grain::Day)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = Offset::UTC.to_datetime(self.start());
        match self.grain {
            Grain::Hour => write!(f, "{}T{:02}", start.date(), start.hour()),
            Grain::Day => write!(f, "{}", start.date()),
        }
    }
}

/// A text that is neither an hour nor a day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is neither an hour nor a day in UTC, such as 2026-11-22T05 or 2026-11-22")]
pub struct InvalidPeriod {
    found: String,
}

impl FromStr for Period {
    type Err = InvalidPeriod;

    fn from_str(text: &str) -> Result<Self, InvalidPeriod> {
        let invalid = || InvalidPeriod { found: quoted(text) };
        let (date, hour, grain) = match text.split_once('T') {
            Some((date, hour)) => (date, hour.parse::<i8>().map_err(|_| invalid())?, Grain::Hour),
            None => (text, 0, Grain::Day),
        };
        let date: Date = date.parse().map_err(|_| invalid())?;
        let time = jiff::civil::Time::new(hour, 0, 0, 0).map_err(|_| invalid())?;
        let start = Offset::UTC
            .to_timestamp(date.to_datetime(time))
            .map_err(|_| invalid())?;
        let period = Self::containing(start, grain);
        // Accept only the canonical text, which sorts chronologically.
        if period.to_string() == text {
            Ok(period)
        } else {
            Err(invalid())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn time_maps_to_its_utc_hour_and_day() {
        for (time, hour, day) in [
            ("2026-11-22T05:00:00Z", "2026-11-22T05", "2026-11-22"),
            ("2026-11-22T05:59:59.9Z", "2026-11-22T05", "2026-11-22"),
            ("2026-11-23T00:30:00+01:00", "2026-11-22T23", "2026-11-22"),
            ("1969-12-31T23:59:59Z", "1969-12-31T23", "1969-12-31"),
        ] {
            assert_eq!(Period::containing(at(time), Grain::Hour).to_string(), hour);
            assert_eq!(Period::containing(at(time), Grain::Day).to_string(), day);
        }
    }

    #[test]
    fn day_has_24_hours() {
        let day: Period = "2026-11-22".parse().unwrap();
        let hours: Vec<_> = day.hours().map(|hour| hour.to_string()).collect();
        assert_eq!(hours.len(), 24);
        assert_eq!(
            (hours[0].as_str(), hours[23].as_str()),
            ("2026-11-22T00", "2026-11-22T23")
        );
        assert!(day.hours().all(|hour| hour.day() == day));
        let hour: Period = "2026-11-22T05".parse().unwrap();
        assert!(hour.hours().eq([hour]));
        assert_eq!(day.later(-22).to_string(), "2026-10-31");
    }

    #[test]
    fn hour_has_the_ticks_of_each_interval() {
        let hour: Period = "2026-11-22T05".parse().unwrap();
        for (interval, count, last) in [
            (Interval::OneMinute, 60, "2026-11-22T05:59:00Z"),
            (Interval::FifteenMinutes, 4, "2026-11-22T05:45:00Z"),
            (Interval::OneHour, 1, "2026-11-22T05:00:00Z"),
        ] {
            let ticks: Vec<_> = hour.ticks(interval).collect();
            assert_eq!(
                (ticks.len(), ticks[count - 1].to_string().as_str()),
                (count, last)
            );
            assert!(ticks.iter().all(|tick| Period::of(*tick, Grain::Hour) == hour));
        }
    }

    #[test]
    fn invalid_text_is_rejected() {
        for text in [
            "",
            "2026-11-22T",
            "2026-11-22T5",
            "2026-11-22T24",
            "2026-11-22T05:00",
            "20261122",
            "2026-11-31",
            "2026-11-22T-1",
        ] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn period_round_trips_through_text(second in -62_000_000_000i64..250_000_000_000, day in any::<bool>()) {
            let grain = if day { Grain::Day } else { Grain::Hour };
            let time = Timestamp::from_second(second).unwrap();
            let period = Period::containing(time, grain);
            prop_assert!(period.first_second() <= second && second < period.end_second());
            prop_assert_eq!(period.to_string().parse(), Ok(period));
        }

        #[test]
        fn any_text_parses_without_panic(text in "[0-9T:-]{0,20}|.{0,20}") {
            let _ = text.parse::<Period>();
        }
    }
}
