//! Plain scalars: interprets unquoted text by the core schema of YAML 1.2.

use std::ops::RangeInclusive;

use serde_json::{Number, Value};

/// Why unquoted text is ambiguous, with the help for the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AmbiguousScalar {
    pub(crate) what: &'static str,
    pub(crate) help: &'static str,
}

impl AmbiguousScalar {
    const BOOLEAN: Self = Self {
        what: "is a boolean in Terraform and a string in other YAML parsers",
        help: "write true or false, or quote the value",
    };
    const TIME: Self = Self {
        what: "is a time that Terraform reformats, and a string in other YAML parsers",
        help: "quote the value",
    };

    const fn number(what: &'static str) -> Self {
        let help = "write only decimal digits, or quote the value";
        Self { what, help }
    }
}

/// The value of unquoted text.
pub(crate) fn plain(text: &str) -> Result<Value, AmbiguousScalar> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    if is_yaml_1_1_boolean(text) {
        return Err(AmbiguousScalar::BOOLEAN);
    }
    // Other numbers and all times start with a digit, a sign or a dot.
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '+' | '.')) {
        return Ok(Value::String(text.to_owned()));
    }
    if is_rewritten_time(text) {
        return Err(AmbiguousScalar::TIME);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let ".inf" | ".Inf" | ".INF" = unsigned {
        return Err(AmbiguousScalar::number("is infinite"));
    }
    if let ".nan" | ".NaN" | ".NAN" = text {
        return Err(AmbiguousScalar::number("is not a number"));
    }
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if unsigned.len() > 1 && unsigned.starts_with('0') && all_digits(unsigned) {
        return Err(AmbiguousScalar::number(
            "is octal in some YAML parsers and decimal in others",
        ));
    }
    if all_digits(&unsigned.replace('_', "")) && unsigned.contains('_') && !unsigned.starts_with('_') {
        return Err(AmbiguousScalar::number(
            "is a number in some YAML parsers and a string in others",
        ));
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        let Some(digits) = unsigned.strip_prefix(prefix) else {
            continue;
        };
        if !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix)) {
            return Err(AmbiguousScalar::number("is not a decimal number"));
        }
    }
    if all_digits(unsigned) || is_float(unsigned) {
        return number(text)
            .map(Value::Number)
            .ok_or(AmbiguousScalar::number("is too large"));
    }
    Ok(Value::String(text.to_owned()))
}

/// The boolean values that YAML 1.1 has in addition to `true` and `false`: <https://yaml.org/type/bool.html>.
fn is_yaml_1_1_boolean(text: &str) -> bool {
    matches!(
        text,
        "y" | "Y"
            | "n"
            | "N"
            | "yes"
            | "Yes"
            | "YES"
            | "no"
            | "No"
            | "NO"
            | "on"
            | "On"
            | "ON"
            | "off"
            | "Off"
            | "OFF"
    )
}

/// A date or time by <https://yaml.org/type/timestamp.html>, except in the canonical form, which parsers do not change:
/// `2026-11-22T02:00:00Z`.
fn is_rewritten_time(text: &str) -> bool {
    let Some((date, rest)) = split_after_numbers(text, '-', &[4..=4, 1..=2, 1..=2]) else {
        return false;
    };
    let Some(from) = rest.strip_prefix(['T', 't', ' ']) else {
        return rest.is_empty();
    };
    let Some((time, zone)) = split_after_numbers(from.trim_start(), ':', &[1..=2, 1..=2, 1..=2]) else {
        return false;
    };
    let is_canonical = date.len() == "2026-11-22".len()
        && time.len() == "02:00:00".len()
        && rest.starts_with('T')
        && (zone == "Z" || is_utc_offset(zone));
    !is_canonical
}

/// An offset such as `+01:00`; the canonical form of zero is `Z`.
fn is_utc_offset(zone: &str) -> bool {
    zone.strip_prefix(['+', '-'])
        .and_then(|zone| split_after_numbers(zone, ':', &[2..=2, 2..=2]))
        .is_some_and(|(zone, rest)| rest.is_empty() && zone != "00:00")
}

/// Splits a text after numbers with the given counts of digits and the separator `between`.
fn split_after_numbers<'a>(
    text: &'a str,
    between: char,
    digits: &[RangeInclusive<usize>],
) -> Option<(&'a str, &'a str)> {
    let mut rest = text;
    for (index, digits) in digits.iter().enumerate() {
        if index > 0 {
            rest = rest.strip_prefix(between)?;
        }
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        if !digits.contains(&end) {
            return None;
        }
        rest = rest.get(end..)?;
    }
    Some((text.get(..text.len() - rest.len())?, rest))
}

/// `( "." digits | digits ( "." digits? )? ) ( e sign? digits )?`, without a sign.
fn is_float(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let is_valid_exponent = exponent.is_none_or(|text| {
        let text = text.strip_prefix(['-', '+']).unwrap_or(text);
        !text.is_empty() && digits(text)
    });
    digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()) && is_valid_exponent
}

fn number(text: &str) -> Option<Number> {
    let text = text.strip_prefix('+').unwrap_or(text);
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    if let Ok(whole) = text.parse::<u64>() {
        return Some(whole.into());
    }
    text.parse::<f64>().ok().and_then(Number::from_f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn plain_scalar_follows_core_schema() {
        for (text, value) in [
            ("", json!(null)),
            ("~", json!(null)),
            ("Null", json!(null)),
            ("TRUE", json!(true)),
            ("false", json!(false)),
            ("5432", json!(5432)),
            ("-1", json!(-1)),
            ("+7", json!(7)),
            ("0", json!(0)),
            ("18446744073709551615", json!(u64::MAX)),
            ("1.5", json!(1.5)),
            (".5", json!(0.5)),
            ("1e3", json!(1000.0)),
            ("1.", json!(1.0)),
            ("nULL", json!("nULL")),
            ("yES", json!("yES")),
            ("2026-11-22T02:00", json!("2026-11-22T02:00")),
            ("2026-11-22T02:00:00+01:00", json!("2026-11-22T02:00:00+01:00")),
            ("2026-11", json!("2026-11")),
            ("12026-11-22", json!("12026-11-22")),
            ("2026-11-22-primary", json!("2026-11-22-primary")),
            ("1:30", json!("1:30")),
            ("5s", json!("5s")),
            ("02:30", json!("02:30")),
            ("2026-11-22T02:00:00Z", json!("2026-11-22T02:00:00Z")),
            ("203.0.113.7", json!("203.0.113.7")),
            ("1e", json!("1e")),
            ("e3", json!("e3")),
            (".", json!(".")),
            ("+", json!("+")),
            ("::1", json!("::1")),
            ("0xg", json!("0xg")),
            ("_1", json!("_1")),
        ] {
            assert_eq!(plain(text), Ok(value), "{text}");
        }
    }

    /// Verified with `terraform console` of Terraform 1.11.
    #[test]
    fn booleans_and_times_of_terraform_are_refused() {
        for text in [
            "y",
            "Y",
            "n",
            "N",
            "yes",
            "Yes",
            "YES",
            "no",
            "No",
            "NO",
            "on",
            "On",
            "ON",
            "off",
            "Off",
            "OFF",
            "2026-11-22",
            "2026-1-2",
            "2026-11-22 02:00:00",
            "2026-1-2 2:0:0",
            "2026-11-22t02:00:00Z",
            "2026-11-22T2:00:00Z",
            "2026-11-22T02:00:00",
            "2026-11-22T02:00:00.5Z",
            "2026-11-22T02:00:00+00:00",
        ] {
            assert!(plain(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ambiguous_numbers_are_refused() {
        for text in [
            "0777", "-01", "1_000", "0x1f", "0o17", "0b1", ".inf", "-.INF", ".nan", "1e999",
        ] {
            assert!(plain(text).is_err(), "{text}");
        }
    }
}
