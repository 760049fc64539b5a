//! Figures as text, the same on pages, badges, reports and in the terminal.

use jiff::SignedDuration;
use portpulse_core::uptime::ObservedTime;

/// A share as a percentage, truncated rather than rounded, so that only a full share is `100%`.
pub fn percent(share: f64) -> String {
    let hundredths = (share.clamp(0.0, 1.0) * 10_000.0 + 1e-6).floor();
    let text = format!("{:.2}", hundredths / 100.0);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// An uptime; `no data` if there were no checks, `incomplete` if the history was not read completely.
pub fn uptime(watched: Option<ObservedTime>) -> String {
    match watched.map(ObservedTime::uptime) {
        None => "incomplete".to_owned(),
        Some(None) => "no data".to_owned(),
        Some(Some(share)) => percent(share),
    }
}

/// What an uptime rests on, if that is less than nearly all of the span: `of 4 min`.
pub fn uptime_basis(watched: Option<ObservedTime>, span: SignedDuration) -> Option<String> {
    let watched = watched.filter(|watched| watched.seconds() > 0 && watched.is_partial(span))?;
    let seconds = SignedDuration::from_secs(watched.seconds());
    Some(format!("of {}", duration(seconds)))
}

/// A duration in its two largest units: `42 s`, `3 min 5 s`, `2 h`, `12 d 3 h`.
pub fn duration(length: SignedDuration) -> String {
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
}
