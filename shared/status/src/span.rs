//! How far back a page looks.

use jiff::{SignedDuration, Timestamp};
use portpulse_core::period::{Grain, Period};
use portpulse_core::uptime::Watched;
use portpulse_history::view::{Bar, MonitorView, Point};

use crate::request::Request;

/// How far back a page looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Span {
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
    /// All of them, shortest first.
    pub const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::Quarter];

    /// Its name in addresses, and short on pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
            Self::Quarter => "90d",
        }
    }

    /// In words.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Day => "24 hours",
            Self::Week => "7 days",
            Self::Month => "30 days",
            Self::Quarter => "90 days",
        }
    }

    const fn days(self) -> usize {
        match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
            Self::Quarter => 90,
        }
    }

    /// How long it is.
    pub(crate) const fn length(self) -> SignedDuration {
        let hours = match self {
            Self::Day => 24,
            Self::Week => 7 * 24,
            Self::Month => 30 * 24,
            Self::Quarter => 90 * 24,
        };
        SignedDuration::from_hours(hours)
    }

    /// The first of its hours or days, where the last is running.
    pub(crate) fn first(self, now: Timestamp) -> Period {
        match self {
            Self::Day => Period::containing(now, Grain::Hour).later(-23),
            Self::Week => Period::containing(now, Grain::Day).later(-6),
            Self::Month => Period::containing(now, Grain::Day).later(-29),
            Self::Quarter => Period::containing(now, Grain::Day).later(-89),
        }
    }

    /// What its parts are called.
    pub(crate) const fn unit(self) -> &'static str {
        match self {
            Self::Day => "hour",
            Self::Week | Self::Month | Self::Quarter => "day",
        }
    }

    /// The span that a request asks for.
    pub(crate) fn asked(request: &Request) -> Self {
        let name = request.query_value("span");
        name.and_then(|name| Self::named(&name)).unwrap_or_default()
    }

    /// The span of this name.
    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|span| span.as_str() == name)
    }

    /// The bars of it.
    pub(crate) fn bars(self, monitor: &MonitorView) -> &[Bar] {
        match self {
            Self::Day => &monitor.hours,
            Self::Week | Self::Month | Self::Quarter => last(&monitor.days, self.days()),
        }
    }

    /// The uptime over it.
    pub(crate) const fn uptime(self, monitor: &MonitorView) -> Option<Watched> {
        match self {
            Self::Day => monitor.uptime.day,
            Self::Week => monitor.uptime.week,
            Self::Month => monitor.uptime.month,
            Self::Quarter => monitor.uptime.quarter,
        }
    }

    /// The points of it.
    pub(crate) fn points<'a>(self, hours: &'a [Point], days: &'a [Point]) -> &'a [Point] {
        match self {
            Self::Day => hours,
            Self::Week | Self::Month | Self::Quarter => last(days, self.days()),
        }
    }
}

fn last<T>(all: &[T], count: usize) -> &[T] {
    all.get(all.len().saturating_sub(count)..).unwrap_or(all)
}
