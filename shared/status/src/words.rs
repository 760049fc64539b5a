//! Numbers, times and statuses in words.

use std::time::Duration;

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use portpulse_core::group_state::Status;
use portpulse_core::observation::milliseconds;
use portpulse_core::outcome::Phase;
use portpulse_core::uptime::Watched;

/// `1 hour`, `2 hours`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A share as a percentage, cut and not rounded: only what is whole reads `100%`.
pub(crate) fn percent(share: f64) -> String {
    let hundredths = (share.clamp(0.0, 1.0) * 10_000.0 + 1e-6).floor();
    let text = format!("{:.2}", hundredths / 100.0);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// An uptime; `no data` where nobody watched, `not notified` where not all of it was read.
pub(crate) fn uptime(watched: Option<Watched>) -> String {
    match watched.map(Watched::uptime) {
        None => "not told".to_owned(),
        Some(None) => "no data".to_owned(),
        Some(Some(share)) => percent(share),
    }
}

/// The time of a phase: `0.31 ms`, `12.3 ms`, `1.04 s`.
pub(crate) fn time(time: Duration) -> String {
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

/// What a phase is called.
pub(crate) const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Dns => "name resolution",
        Phase::Connect => "connect",
        Phase::Tls => "TLS handshake",
        Phase::Ready => "readiness exchange",
    }
}

/// How long something lasted, in its two largest units: `42 s`, `3 min 5 s`, `2 h`, `12 d 3 h`.
pub(crate) fn length(length: SignedDuration) -> String {
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

/// How a moment is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    /// Date and time; the reader's own beside it.
    Full,
    /// Date and time; the reader's own on demand.
    Brief,
}

/// A moment, in UTC.
pub(crate) fn moment(time: Timestamp, show: Show) -> Markup {
    let utc = Offset::UTC.to_datetime(time);
    let mark = match show {
        Show::Full => None,
        Show::Brief => Some("brief"),
    };
    let second = Timestamp::from_second(time.as_second()).unwrap_or(time);
    html! { time datetime=(second) data-show=[mark] { (utc.strftime("%Y-%m-%d %H:%M UTC")) } }
}

/// The badge of a verdict: a mark whose shape tells what its colour does, and the word.
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
    fn a_share_is_never_rounded_up_to_whole() {
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
    fn times_have_the_unit_that_suits_them() {
        for (micros, text) in [
            (310, "0.31 ms"),
            (12_340, "12.3 ms"),
            (250_000, "250 ms"),
            (1_040_000, "1.04 s"),
        ] {
            assert_eq!(time(Duration::from_micros(micros)), text);
        }
    }

    #[test]
    fn lengths_have_two_units_at_most() {
        for (seconds, text) in [
            (0, "0 s"),
            (42, "42 s"),
            (185, "3 min 5 s"),
            (7_200, "2 h"),
            (7_205, "2 h"),
            (93_784, "1 d 2 h"),
            (-5, "0 s"),
        ] {
            assert_eq!(length(SignedDuration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn a_moment_is_told_in_utc_to_people_and_to_programs() {
        let at = "2026-11-22T05:41:07.5Z".parse().unwrap();
        assert_eq!(
            moment(at, Show::Full).into_string(),
            "<time datetime=\"2026-11-22T05:41:07Z\">2026-11-22 05:41 UTC</time>"
        );
    }
}
