//! Time ranges of pages.

use jiff::{SignedDuration, Timestamp};
use portpulse_core::period::{Grain, Period};
use portpulse_core::uptime::ObservedTime;
use portpulse_history::Detail;
use portpulse_history::view::{Bar, LocationVisibility, MonitorView, Point};

use crate::request::Request;

/// The time range that a page shows, up to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Span {
    /// 3 hours, check by check.
    Hours,
    /// 24 hours.
    #[default]
    Day,
    /// 7 days.
    Week,
    /// 30 days.
    Month,
    /// 90 days.
    Quarter,
}

impl Span {
    /// All spans, shortest first.
    pub const ALL: [Self; 5] = [Self::Hours, Self::Day, Self::Week, Self::Month, Self::Quarter];
    /// The spans that have an uptime, shortest first.
    pub(crate) const OF_UPTIME: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::Quarter];

    /// The short name, used in URLs and on pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hours => "3h",
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
            Self::Quarter => "90d",
        }
    }

    /// The long name.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Hours => "3 hours",
            Self::Day => "24 hours",
            Self::Week => "7 days",
            Self::Month => "30 days",
            Self::Quarter => "90 days",
        }
    }

    const fn days(self) -> usize {
        match self {
            Self::Hours | Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
            Self::Quarter => 90,
        }
    }

    /// The duration.
    pub(crate) const fn length(self) -> SignedDuration {
        let hours = match self {
            Self::Hours => 3,
            Self::Day => 24,
            Self::Week => 7 * 24,
            Self::Month => 30 * 24,
            Self::Quarter => 90 * 24,
        };
        SignedDuration::from_hours(hours)
    }

    /// The start of the span that ends at `now`: of its first hour or day, or exactly three hours ago.
    pub(crate) fn from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Hours => now.saturating_sub(self.length()).unwrap_or(Timestamp::MIN),
            Self::Day | Self::Week | Self::Month | Self::Quarter => self.first(now).start(),
        }
    }

    /// The data that a monitor page of this span needs.
    pub(crate) fn detail(self, now: Timestamp) -> Detail {
        match self {
            Self::Hours => Detail::Checks,
            Self::Day | Self::Week | Self::Month | Self::Quarter => Detail::Phases(self.first(now)),
        }
    }

    /// The first hour or day of the span; the last one contains `now`.
    fn first(self, now: Timestamp) -> Period {
        match self {
            Self::Hours => Period::containing(now, Grain::Hour).later(-3),
            Self::Day => Period::containing(now, Grain::Hour).later(-23),
            Self::Week => Period::containing(now, Grain::Day).later(-6),
            Self::Month => Period::containing(now, Grain::Day).later(-29),
            Self::Quarter => Period::containing(now, Grain::Day).later(-89),
        }
    }

    /// The unit of one point: `check`, `hour` or `day`.
    pub(crate) const fn unit(self) -> &'static str {
        match self {
            Self::Hours => "check",
            Self::Day => "hour",
            Self::Week | Self::Month | Self::Quarter => "day",
        }
    }

    /// The span in the query of a request; `None` if missing or unknown.
    pub(crate) fn from_request(request: &Request) -> Option<Self> {
        Self::parse(&request.query_value("span")?)
    }

    /// The span with this short name.
    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|span| span.as_str() == name)
    }

    /// The uptime bars of this span.
    pub(crate) fn bars(self, monitor: &MonitorView) -> &[Bar] {
        match self {
            Self::Hours => last(&monitor.hours, 3),
            Self::Day => &monitor.hours,
            Self::Week | Self::Month | Self::Quarter => last(&monitor.days, self.days()),
        }
    }

    /// The uptime over this span; `None` if the history is incomplete, and for the last hours, which have none.
    pub(crate) const fn uptime(self, monitor: &MonitorView) -> Option<ObservedTime> {
        match self {
            Self::Hours => None,
            Self::Day => monitor.uptime.day,
            Self::Week => monitor.uptime.week,
            Self::Month => monitor.uptime.month,
            Self::Quarter => monitor.uptime.quarter,
        }
    }

    /// The chart points of this span.
    pub(crate) fn points(self, seen: &LocationVisibility) -> &[Point] {
        match self {
            Self::Hours => &seen.checks,
            Self::Day => &seen.hours,
            Self::Week | Self::Month | Self::Quarter => last(&seen.days, self.days()),
        }
    }
}

fn last<T>(all: &[T], count: usize) -> &[T] {
    all.get(all.len().saturating_sub(count)..).unwrap_or(all)
}
