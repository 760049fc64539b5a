//! Formats numbers, times and statuses for people.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::Offset;
use maud::{Markup, html};
use portpulse_core::group_state::Status;
use portpulse_core::observation::milliseconds;
use portpulse_core::outcome::Phase;
use portpulse_history::state::State;
use portpulse_history::view::Timed;

pub(crate) use portpulse_history::figure::{duration, percent, uptime, uptime_basis};

/// A count with its noun: `1 hour`, `2 hours`.
pub(crate) fn plural(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// The resolution of stored times.
const RESOLUTION: Duration = Duration::from_micros(10);

/// The duration of a phase: `0.31 ms`, `12.3 ms`, `1.04 s`.
pub(crate) fn phase_time(time: Duration) -> String {
    if time < RESOLUTION {
        "< 0.01 ms".to_owned()
    } else if time < Duration::from_millis(10) {
        format!("{} ms", milliseconds(time))
    } else if time < Duration::from_secs(1) {
        format!("{} ms", short(time.as_secs_f64() * 1_000.0, 1))
    } else {
        format!("{} s", short(time.as_secs_f64(), 2))
    }
}

/// The time until something happens, as in `portpulse plan`: `4 s`, `65 s`, `12.5 s`, `5 min 16 s`.
pub(crate) fn waiting_time(time: Duration) -> String {
    match (time.as_secs() / 60, time.as_secs() % 60) {
        _ if time.subsec_nanos() > 0 => format!("{} s", short(time.as_secs_f64(), 1)),
        (0 | 1, _) => format!("{} s", time.as_secs()),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

fn short(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The name of what a time covers.
pub(crate) const fn timed(what: Timed) -> &'static str {
    match what {
        Timed::Total => "total",
        Timed::Phase(Phase::Dns) => "name resolution",
        Timed::Phase(Phase::Connect) => "connect",
        Timed::Phase(Phase::Tls) => "TLS handshake",
        Timed::Phase(Phase::Ready) => "answer",
    }
}

/// Where the local time of a timestamp is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeFormat {
    /// Beside the time in UTC.
    Full,
    /// In a tooltip.
    Brief,
    /// Beside the time of day in UTC; the date is known.
    Clock,
}

/// A `time` element with the time in UTC; the script adds the local time.
pub(crate) fn timestamp(time: Timestamp, show: TimeFormat) -> Markup {
    let utc = Offset::UTC.to_datetime(time);
    let (mark, format) = match show {
        TimeFormat::Full => (None, "%Y-%m-%d %H:%M UTC"),
        TimeFormat::Brief => (Some("brief"), "%Y-%m-%d %H:%M UTC"),
        TimeFormat::Clock => (Some("clock"), "%H:%M:%S UTC"),
    };
    let second = Timestamp::from_second(time.as_second()).unwrap_or(time);
    html! { time datetime=(second) data-show=[mark] { (utc.strftime(format)) } }
}

/// The badge of a status, as for [`badge`].
pub(crate) fn status(status: Status) -> Markup {
    badge(match status {
        Status::Up => State::Up,
        Status::Degraded => State::Degraded,
        Status::Down => State::Down,
        Status::Exposed => State::Exposed,
        Status::Unknown => State::Unknown,
    })
}

/// The badge of a monitor's state: an icon and the name. The shape of the icon differs too, not only its colour.
pub(crate) fn badge(state: State) -> Markup {
    let word = state.as_str();
    let shape = match state {
        State::Up => "M2 6.5l3 3 5-7",
        State::Degraded => "M6 1.5l5 9H1zM6 5v2.5M6 9v.2",
        State::Down => "M2.5 2.5l7 7M9.5 2.5l-7 7",
        State::Flapping => "M1 8l2.5-5 2.5 6 2.5-6L11 8",
        State::Exposed => "M6 1l5 5-5 5-5-5z",
        State::Maintenance => "M3 2v8M9 2v8",
        State::Unknown => "M2 6h.2M6 6h.2M10 6h.2",
    };
    html! {
        span .badge.(word) {
            svg viewBox="0 0 12 12" aria-hidden="true" { path d=(shape) {} }
            (word)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phase_times_choose_unit_by_size() {
        for (micros, text) in [
            (0, "< 0.01 ms"),
            (10, "0.01 ms"),
            (310, "0.31 ms"),
            (12_340, "12.3 ms"),
            (250_000, "250 ms"),
            (1_040_000, "1.04 s"),
        ] {
            assert_eq!(phase_time(Duration::from_micros(micros)), text);
        }
    }

    #[test]
    fn waiting_times_have_minutes_from_two_on() {
        for (millis, text) in [
            (4_000, "4 s"),
            (12_500, "12.5 s"),
            (119_000, "119 s"),
            (120_000, "2 min"),
            (316_000, "5 min 16 s"),
        ] {
            assert_eq!(waiting_time(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn timestamp_is_shown_in_utc() {
        let at = "2026-11-22T05:41:07.5Z".parse().unwrap();
        assert_eq!(
            timestamp(at, TimeFormat::Full).into_string(),
            "<time datetime=\"2026-11-22T05:41:07Z\">2026-11-22 05:41 UTC</time>"
        );
        assert_eq!(
            timestamp(at, TimeFormat::Clock).into_string(),
            "<time datetime=\"2026-11-22T05:41:07Z\" data-show=\"clock\">05:41:07 UTC</time>"
        );
    }
}
