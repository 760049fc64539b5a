//! Plain scalars: what YAML 1.2's core schema makes of unquoted text.

use serde_json::{Number, Value};

/// What unquoted text means, or why it is better not to guess.
pub(crate) fn plain(text: &str) -> Result<Value, &'static str> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let ".inf" | ".Inf" | ".INF" = unsigned {
        return Err("is infinite");
    }
    if let ".nan" | ".NaN" | ".NAN" = text {
        return Err("is not a number");
    }
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if unsigned.len() > 1 && unsigned.starts_with('0') && all_digits(unsigned) {
        return Err("is octal to some readers of YAML and decimal to others");
    }
    if all_digits(&unsigned.replace('_', "")) && unsigned.contains('_') && !unsigned.starts_with('_') {
        return Err("is a number to some readers of YAML and text to others");
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        let Some(digits) = unsigned.strip_prefix(prefix) else {
            continue;
        };
        if !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix)) {
            return Err("is not written in decimal digits");
        }
    }
    if all_digits(unsigned) || is_float(unsigned) {
        return number(text).map(Value::Number).ok_or("is too large a number");
    }
    Ok(Value::String(text.to_owned()))
}

/// `( "." digits | digits ( "." digits? )? ) ( e sign? digits )?`, without a sign.
fn is_float(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let exponent_is_good = exponent.is_none_or(|text| {
        let text = text.strip_prefix(['-', '+']).unwrap_or(text);
        !text.is_empty() && digits(text)
    });
    digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()) && exponent_is_good
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
    fn unquoted_text_follows_the_core_schema() {
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
            // Text, unlike in YAML 1.1.
            ("yes", json!("yes")),
            ("off", json!("off")),
            ("nULL", json!("nULL")),
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

    #[test]
    fn numbers_that_readers_take_differently_are_refused() {
        for text in [
            "0777", "-01", "1_000", "0x1f", "0o17", "0b1", ".inf", "-.INF", ".nan", "1e999",
        ] {
            assert!(plain(text).is_err(), "{text}");
        }
    }
}
