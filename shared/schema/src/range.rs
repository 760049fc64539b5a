//! Regular expressions for numbers and durations within bounds, in the common subset of ECMA-262 and RE2.

use std::time::Duration;

/// Matches the durations from `min` to `max`, such as `100ms` or `5s`.
pub(crate) fn durations(min: Duration, max: Duration) -> String {
    let (min, max) = (min.as_millis(), max.as_millis());
    let units = [
        ("ms", 1),
        ("s", 1_000),
        ("m", 60_000),
        ("h", 3_600_000),
        ("d", 86_400_000),
    ];
    let parts: Vec<_> = units
        .into_iter()
        .filter_map(|(unit, ms)| {
            let (low, high) = (min.div_ceil(ms), max / ms);
            (low <= high).then(|| format!("{}{unit}", numbers(low, high)))
        })
        .collect();
    format!("^0*({})$", parts.join("|"))
}

/// Matches the whole numbers from `low` to `high` without leading zeros.
fn numbers(low: u128, high: u128) -> String {
    let mut blocks: Vec<(String, usize, usize)> = Vec::new();
    let mut low = low;
    while low <= high {
        let end = end_of_block(low, high);
        let (first, free) = block(&low.to_string(), &end.to_string());
        match blocks.last_mut() {
            // Numbers of one digit more.
            Some((last, _, most)) if *last == first && *most + 1 == free => *most = free,
            _ => blocks.push((first, free, free)),
        }
        low = end + 1;
    }
    let text = |(first, least, most): &(String, usize, usize)| match (least, most) {
        (0, 0) => first.clone(),
        (1, 1) => format!("{first}[0-9]"),
        (least, most) if least == most => format!("{first}[0-9]{{{least}}}"),
        (least, most) => format!("{first}[0-9]{{{least},{most}}}"),
    };
    format!("({})", blocks.iter().map(text).collect::<Vec<_>>().join("|"))
}

/// The last number of the largest block from `low` that one sequence of digit classes matches: only the last digits differ,
/// from all zeros to all nines, and one digit before them.
fn end_of_block(low: u128, high: u128) -> u128 {
    let mut step = 1;
    while low > 0 && low.is_multiple_of(step * 10) && low + step * 10 - 1 <= high {
        step *= 10;
    }
    let mut end = low + step - 1;
    // The digit before counts up to nine.
    for _ in (low / step) % 10..9 {
        if end + step <= high {
            end += step;
        }
    }
    end
}

/// The pattern of the first digits, and the number of the other digits, which are free.
fn block(low: &str, high: &str) -> (String, usize) {
    let mut text = String::new();
    let mut free = 0;
    for (low, high) in low.chars().zip(high.chars()) {
        match (low, high) {
            ('0', '9') => free += 1,
            (low, high) if low == high => text.push(low),
            (low, high) => text.push_str(&format!("[{low}-{high}]")),
        }
    }
    (text, free)
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    #[test]
    fn pattern_matches_exactly_the_numbers_within_bounds() {
        for (low, high) in [
            (0, 9),
            (1, 10),
            (0, 365),
            (100, 599),
            (7, 1234),
            (99, 101),
            (100, 30_000),
            (300, 5_000),
        ] {
            let pattern = Regex::new(&format!("^{}$", numbers(low, high))).unwrap();
            for number in 0..high + 2_000 {
                let expected = (low..=high).contains(&number);
                assert_eq!(
                    pattern.is_match(&number.to_string()),
                    expected,
                    "{number} in {low}..={high}"
                );
            }
        }
    }

    #[test]
    fn pattern_of_durations_follows_their_unit() {
        let pattern = Regex::new(&durations(Duration::from_millis(100), Duration::from_secs(30))).unwrap();
        for (text, expected) in [
            ("100ms", true),
            ("99ms", false),
            ("30000ms", true),
            ("30001ms", false),
            ("1s", true),
            ("030s", true),
            ("31s", false),
            ("0s", false),
            ("1m", false),
            ("5", false),
        ] {
            assert_eq!(pattern.is_match(text), expected, "{text}");
        }
    }
}
