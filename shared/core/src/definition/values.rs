//! Parses the values of single fields.

use std::str::FromStr;
use std::time::Duration;

use serde_json::Value;

use super::diagnostic::InvalidValue;
use crate::group::GroupId;
use crate::id::MonitorId;
use crate::text::quoted;
use crate::time::{format_duration, parse_duration};

/// The minimum timeout: a shorter one cannot distinguish a slow response from none.
pub(super) const MIN_TIMEOUT: Duration = Duration::from_millis(100);
/// The maximum timeout: the time of a tick is limited.
pub(super) const MAX_TIMEOUT: Duration = Duration::from_secs(30);
/// The minimum period of reminders.
const MIN_REMINDER: Duration = Duration::from_secs(300);
/// The minimum time before an escalation, so that someone can react first.
const MIN_ESCALATION: Duration = Duration::from_secs(60);

/// Parses a whole number within `range`.
pub(super) fn number(range: std::ops::RangeInclusive<u32>) -> impl FnOnce(i64) -> Result<u32, InvalidValue> {
    move |value| {
        let number = u32::try_from(value).ok().filter(|number| range.contains(number));
        number.ok_or_else(|| {
            let help = format!("write a whole number from {} to {}", range.start(), range.end());
            InvalidValue::new(format!("{value} is out of range"), help)
        })
    }
}

/// Parses `slow_after`.
pub(super) fn slow_after(text: String) -> Result<Duration, InvalidValue> {
    let slow = parse_duration(&text)?;
    if slow.is_zero() {
        return Err(InvalidValue::new(
            format!("{text} marks every connection as slow"),
            "write a duration such as 200ms, or remove the field",
        ));
    }
    Ok(slow)
}

/// Parses an enumerated value. Suggests `expect: reachable` for `ping` and its synonyms.
pub(super) fn choice_or_ping_hint<T: FromStr<Err: Into<InvalidValue>>>(
    text: String,
) -> Result<T, InvalidValue> {
    let ping = ["ping", "icmp", "echo"];
    if ping.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        let help = "write `expect: reachable` and a port: an open or refused connection proves that the host answers";
        return Err(InvalidValue::new(
            format!("`{text}` is not supported, because a Lambda function cannot send ICMP"),
            help,
        ));
    }
    text.parse::<T>().map_err(Into::into)
}

/// Parses `remind_every`.
pub(super) fn reminder(text: String) -> Result<Duration, InvalidValue> {
    let every = parse_duration(&text)?;
    if every < MIN_REMINDER {
        let help = format!("write at least {}", format_duration(MIN_REMINDER));
        return Err(InvalidValue::new(format!("{text} is too often"), help));
    }
    Ok(every)
}

/// Parses `escalate_after`.
pub(super) fn escalation(text: String) -> Result<Duration, InvalidValue> {
    let after = parse_duration(&text)?;
    if after < MIN_ESCALATION {
        let help = format!(
            "write at least {}, or set `severity: critical`",
            format_duration(MIN_ESCALATION)
        );
        return Err(InvalidValue::new(format!("{text} is too soon"), help));
    }
    Ok(after)
}

/// Parses a tag.
pub(super) fn tag(text: &str) -> Result<String, InvalidValue> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/' | '=');
    if (1..=64).contains(&text.len()) && text.chars().all(allowed) {
        return Ok(text.to_owned());
    }
    let help = "use 1 to 64 letters, digits and -_.:/=";
    Err(InvalidValue::new(
        format!("`{}` is not a tag", quoted(text)),
        help,
    ))
}

/// Parses `runbook`.
pub(super) fn runbook(url: String) -> Result<String, InvalidValue> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'"' | b'`');
    if rest.is_some_and(|rest| !rest.is_empty()) && url.len() <= 500 && url.bytes().all(plain) {
        return Ok(url);
    }
    let help = "write an http:// or https:// URL of at most 500 characters";
    Err(InvalidValue::new(
        format!("`{}` is not a URL", quoted(&url)),
        help,
    ))
}

/// Parses the group of a parent monitor.
pub(super) fn parent_group(id: &str, group: &Value) -> Result<(MonitorId, GroupId), InvalidValue> {
    let group = group
        .as_str()
        .ok_or_else(|| InvalidValue::new(format!("is {}", kind_of(group)), "write a group such as 1m#0"))?;
    Ok((id.parse::<MonitorId>()?, group.parse::<GroupId>()?))
}

/// The expected value of a field, for the help of a diagnostic.
pub(super) fn wanted(field: &str) -> &'static str {
    match field {
        "host" => "a DNS name or an address",
        "port" => "a whole number from 1 to 65535",
        "failures_to_open" | "successes_to_close" => "a whole number from 1 to 10",
        "quorum" => "a whole number of locations, at least 1",
        "timeout" => "a duration from 100ms to 30s, such as 5s",
        "slow_after" => "a duration such as 200ms",
        "remind_every" => "a duration of at least 5m, such as 4h",
        "escalate_after" => "a duration of at least 1m, such as 30m",
        "flapping_after" => "a whole number from 0 to 20",
        "interval" => "one of 1m, 2m, 5m, 10m, 15m, 30m, 1h",
        "locations" => "a list such as [eu-west-1, us-east-1]",
        "tags" | "depends_on" => "a list such as [one, two]",
        "enabled" => "true or false",
        "runbook" => "an http:// or https:// URL",
        "expect" => "open, closed or reachable",
        "check" => "connect or ready",
        "tls" => "true, false or starttls",
        "warn_days" => "a whole number of days from 0 to 365",
        "http" => "a map such as { path: /health, status: 200 }",
        "dns" => "a map such as { name: example.com, type: A, must: [192.0.2.1] }",
        "script" => "a list such as [{ send: \"PING\\r\\n\" }, { expect: PONG }]",
        "tier" => "critical, supporting or background",
        "severity" => "critical, warning or info",
        "ip" => "any, v4 or v6",
        "close" => "fin or quiet",
        "service" => "the name of a service, such as postgres",
        "maintenance" => "a list of windows",
        "depends_on_groups" => "a map of monitor ids to groups",
        _ => "a string",
    }
}

/// Describes a value of the wrong type.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "a boolean, which is the wrong type",
        Value::Number(number) if number.is_f64() => "a number that is not whole or is too large",
        Value::Number(_) => "a number, which is the wrong type",
        Value::String(_) => "a string, which is the wrong type",
        Value::Array(_) => "a list, which is the wrong type",
        Value::Object(_) => "a map, which is the wrong type",
    }
}

/// The texts of a list with their indices. Other values get a diagnostic where the field is read.
pub(super) fn texts<'a>(fields: &'a Value, field: &str) -> impl Iterator<Item = (usize, &'a str)> {
    let values = fields.get(field).and_then(Value::as_array).into_iter().flatten();
    values
        .enumerate()
        .filter_map(|(index, value)| Some((index, value.as_str()?)))
}
