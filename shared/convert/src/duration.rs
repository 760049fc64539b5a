//! Durations in the notations of Go and Prometheus.

use std::time::Duration;

/// A duration such as `1m30s`, `300ms`, `24h` or `2d`; a bare number has the given unit.
pub(crate) fn duration(text: &str, bare: Duration) -> Option<Duration> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return scaled(bare, number);
    }
    let (mut rest, mut sum) = (text, Duration::ZERO);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, unit) = rest.split_at_checked(end)?;
        let end = unit.find(|c: char| c.is_ascii_digit()).unwrap_or(unit.len());
        let (unit, after) = unit.split_at_checked(end)?;
        let unit = match unit {
            "ns" => Duration::from_nanos(1),
            "us" | "µs" => Duration::from_micros(1),
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" => Duration::from_secs(60),
            "h" => Duration::from_secs(3_600),
            "d" => Duration::from_secs(86_400),
            "w" => Duration::from_secs(7 * 86_400),
            "y" => Duration::from_secs(365 * 86_400),
            _ => return None,
        };
        sum = sum.checked_add(scaled(unit, number.parse().ok()?)?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(sum)
}

/// `number` times `unit`; `None` above about 500 years.
pub(crate) fn scaled(unit: Duration, number: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(unit.as_secs_f64() * number)
        .ok()
        .filter(|length| length.as_secs() < 1 << 34)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duration_accepts_notation_of_go_and_prometheus() {
        let second = Duration::from_secs(1);
        for (text, ms) in [
            ("1m30s", 90_000),
            ("300ms", 300),
            ("1.5h", 5_400_000),
            ("2d", 172_800_000),
            ("20", 20_000),
            ("2000us", 2),
        ] {
            assert_eq!(duration(text, second), Some(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "s", "5x", "-3s", "1m-", "1e400", "9999999999999999h"] {
            assert_eq!(duration(text, second), None, "{text}");
        }
    }
}
