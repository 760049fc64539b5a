//! Formats numbers, times and statuses for people.

use std::time::Duration;

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use portpulse_core::group_state::Status;
use portpulse_core::observation::milliseconds;
use portpulse_core::outcome::Phase;
use portpulse_core::uptime::ObservedTime;

/// A count with its noun: `1 hour`, `2 hours`.
pub(crate) fn plural(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A share as a percentage, truncated rather than rounded, so that only a full share is `100%`.
pub(crate) fn percent(share: f64) -> String {
    let hundredths = (share.clamp(0.0, 1.0) * 10_000.0 + 1e-6).floor();
    let text = format!("{:.2}", hundredths / 100.0);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// An uptime; `no data` if there were no checks, `incomplete` if the history was not read completely.
pub(crate) fn uptime(watched: Option<ObservedTime>) -> String {
    match watched.map(ObservedTime::uptime) {
        None => "incomplete".to_owned(),
        Some(None) => "no data".to_owned(),
        Some(Some(share)) => percent(share),
    }
}

/// The duration of a phase: `0.31 ms`, `12.3 ms`, `1.04 s`.
pub(crate) fn phase_time(time: Duration) -> String {
    if time < Duration::from_millis(10) {
        format!("{} ms", milliseconds(time))
    } else if time < Duration::from_secs(1) {
        format!("{} ms", short(time.as_secs_f64() * 1_000.0, 1))
    } else {
        format!("{} s", short(time.as_secs_f64(), 2))
    }
}

fn short(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The name of a phase.
pub(crate) const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Dns => "name resolution",
        Phase::Connect => "connect",
        Phase::Tls => "TLS handshake",
        Phase::Ready => "readiness exchange",
    }
}

/// A duration in its two largest units: `42 s`, `3 min 5 s`, `2 h`, `12 d 3 h`.
pub(crate) fn duration(length: SignedDuration) -> String {
    const UNITS: [(&str, i64); 4] = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let mut left = length.as_secs().max(0);
    let mut parts = Vec::new();
    for (unit, seconds) in UNITS {
        if left >= seconds && parts.len() < 2 {
            parts.push(format!("{} {unit}", left / seconds));
            left %= seconds;
        } else if !parts.is_empty() {
            break;
        }
    }
    if parts.is_empty() {
        "0 s".to_owned()
    } else {
        parts.join(" ")
    }
}

/// Where the local time of a timestamp is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeFormat {
    /// Beside the time in UTC.
    Full,
    /// In a tooltip.
    Brief,
}

/// A `time` element with the time in UTC; the script adds the local time.
pub(crate) fn timestamp(time: Timestamp, show: TimeFormat) -> Markup {
    let utc = Offset::UTC.to_datetime(time);
    let mark = match show {
        TimeFormat::Full => None,
        TimeFormat::Brief => Some("brief"),
    };
    let second = Timestamp::from_second(time.as_second()).unwrap_or(time);
    html! { time datetime=(second) data-show=[mark] { (utc.strftime("%Y-%m-%d %H:%M UTC")) } }
}

/// The badge of a status: an icon and the name. The shape of the icon differs too, not only its colour.
pub(crate) fn status(status: Status) -> Markup {
    let word = status.as_str();
    let shape = match status {
        Status::Up => "M2 6.5l3 3 5-7",
        Status::Degraded => "M6 1.5l5 9H1zM6 5v2.5M6 9v.2",
        Status::Down => "M2.5 2.5l7 7M9.5 2.5l-7 7",
        Status::Exposed => "M6 1l5 5-5 5-5-5z",
        Status::Unknown => "M2 6h.2M6 6h.2M10 6h.2",
    };
    html! {
        span .badge.(word) {
            svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true" { path d=(shape) {} }
            (word)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn share_is_not_rounded_up_to_100_percent() {
        for (share, text) in [
            (1.0, "100%"),
            (0.999_999, "99.99%"),
            (0.9995, "99.95%"),
            (0.5, "50%"),
            (0.0, "0%"),
            (0.125, "12.5%"),
            (7.0, "100%"),
        ] {
            assert_eq!(percent(share), text);
        }
    }

    #[test]
    fn phase_times_choose_unit_by_size() {
        for (micros, text) in [
            (310, "0.31 ms"),
            (12_340, "12.3 ms"),
            (250_000, "250 ms"),
            (1_040_000, "1.04 s"),
        ] {
            assert_eq!(phase_time(Duration::from_micros(micros)), text);
        }
    }

    #[test]
    fn durations_have_at_most_two_units() {
        for (seconds, text) in [
            (0, "0 s"),
            (42, "42 s"),
            (185, "3 min 5 s"),
            (7_200, "2 h"),
            (7_205, "2 h"),
            (93_784, "1 d 2 h"),
            (-5, "0 s"),
        ] {
            assert_eq!(duration(SignedDuration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn timestamp_is_shown_in_utc() {
        let at = "2026-11-22T05:41:07.5Z".parse().unwrap();
        assert_eq!(
            timestamp(at, TimeFormat::Full).into_string(),
            "<time datetime=\"2026-11-22T05:41:07Z\">2026-11-22 05:41 UTC</time>"
        );
    }
}
