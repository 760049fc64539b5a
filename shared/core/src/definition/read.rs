//! Reads single values by the shape of their field. Diagnostics have paths relative to the value.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use serde_json::Value;

use super::declaration::FieldDeclaration;
use super::diagnostic::{Diagnostic, FieldPath, InvalidValue, kind_of};
use super::shape::Shape;
use super::text_shapes::{TAG, URL};
use crate::group::GroupId;
use crate::id::MonitorId;
use crate::maintenance::{RawWindow, Window};
use crate::service::Service;
use crate::text::{is_plain, is_url_byte, one_line, quoted};
use crate::time::{Interval, parse_duration};
use crate::uptime::Objective;

/// A valid value, or all mistakes in it.
pub(super) type Read<T> = Result<T, Vec<Diagnostic>>;

/// Why a value of the wrong type is refused.
fn wrong_type(field: &FieldDeclaration, value: &Value) -> Vec<Diagnostic> {
    let help = format!("write {}", field.wanted());
    vec![Diagnostic::new(
        FieldPath::root(),
        format!("is {}", kind_of(value)),
        help,
    )]
}

fn refused(error: impl Into<InvalidValue>) -> Vec<Diagnostic> {
    vec![Diagnostic::of(FieldPath::root(), error.into())]
}

/// The text of a value.
pub(super) fn text<'v>(field: &FieldDeclaration, value: &'v Value) -> Read<&'v str> {
    value.as_str().ok_or_else(|| wrong_type(field, value))
}

/// The entries of a list.
pub(super) fn entries<'v>(field: &FieldDeclaration, value: &'v Value) -> Read<&'v [Value]> {
    let values = value.as_array().ok_or_else(|| wrong_type(field, value))?;
    if let Shape::List { max, .. } = field.shape
        && values.len() > max
    {
        let what = format!("has {} entries", values.len());
        return Err(refused(InvalidValue::new(what, format!("use at most {max}"))));
    }
    Ok(values)
}

/// The fields of a map.
pub(super) fn map<'v>(
    field: &FieldDeclaration,
    value: &'v Value,
) -> Read<&'v serde_json::Map<String, Value>> {
    value.as_object().ok_or_else(|| wrong_type(field, value))
}

/// A text that its type parses.
pub(super) fn parsed<T: FromStr<Err: Into<InvalidValue>>>(
    field: &FieldDeclaration,
    value: &Value,
) -> Read<T> {
    text(field, value)?.parse().map_err(refused)
}

/// A service. Suggests `check: ping` for `ping` and its synonyms.
pub(super) fn service(field: &FieldDeclaration, value: &Value) -> Read<Service> {
    let word = text(field, value)?;
    let ping = ["ping", "icmp", "echo"];
    if ping.iter().any(|ping| word.eq_ignore_ascii_case(ping)) {
        let help = "write `check: ping` and agents in `locations`; from AWS regions, which cannot send ICMP, `expect: reachable` \
                    and a port";
        return Err(refused(InvalidValue::new(
            format!("`{word}` is not a service"),
            help,
        )));
    }
    word.parse().map_err(refused)
}

/// A whole number within the bounds of the field.
pub(super) fn number(field: &FieldDeclaration, value: &Value) -> Read<u32> {
    let number = value.as_i64().ok_or_else(|| wrong_type(field, value))?;
    let range = if let Shape::Number { min, max } = field.shape {
        min..=max
    } else {
        0..=u32::MAX
    };
    let within = u32::try_from(number).ok().filter(|number| range.contains(number));
    within.ok_or_else(|| {
        let help = format!("write {}", field.wanted());
        refused(InvalidValue::new(format!("{number} is out of range"), help))
    })
}

/// A percentage.
pub(super) fn objective(field: &FieldDeclaration, value: &Value) -> Read<Objective> {
    let percent = value.as_f64().ok_or_else(|| wrong_type(field, value))?;
    Objective::from_percent(percent).map_err(|_| {
        let help = format!("write {}", field.wanted());
        refused(InvalidValue::new(format!("{percent} is not an objective"), help))
    })
}

/// A duration within the bounds of the field.
pub(super) fn duration(field: &FieldDeclaration, value: &Value) -> Read<Duration> {
    let written = text(field, value)?;
    let duration = parse_duration(written).map_err(refused)?;
    let Shape::Duration { min, max } = field.shape else {
        return Ok(duration);
    };
    let problem = match duration {
        short if short < min => "is too short",
        long if long > max => "is too long",
        _ => return Ok(duration),
    };
    Err(refused(InvalidValue::new(
        format!("{written} {problem}"),
        format!("write {}", field.wanted()),
    )))
}

/// An interval. Says of a duration that is none which one is near.
pub(super) fn interval(field: &FieldDeclaration, value: &Value) -> Read<Interval> {
    let written = text(field, value)?;
    let invalid = match written.parse::<Interval>() {
        Ok(interval) => return Ok(interval),
        Err(invalid) => invalid,
    };
    let (Ok(length), Some(shortest)) = (parse_duration(written), Interval::ALL.first()) else {
        return Err(refused(invalid));
    };
    let what = if length < shortest.length() {
        format!("{written} is shorter than the shortest supported interval, {shortest}")
    } else {
        format!("{written} is not a supported interval")
    };
    let nearest = Interval::ALL
        .iter()
        .min_by_key(|interval| interval.length().abs_diff(length));
    let help = match nearest {
        Some(nearest) if nearest.length() == length => format!("write {nearest}"),
        Some(nearest) => format!("write {}; {nearest} is the nearest", field.wanted()),
        None => format!("write {}", field.wanted()),
    };
    Err(refused(InvalidValue::new(what, help)))
}

/// `true` or `false`.
pub(super) fn boolean(field: &FieldDeclaration, value: &Value) -> Read<bool> {
    value.as_bool().ok_or_else(|| wrong_type(field, value))
}

/// A list of texts that their type parses.
pub(super) fn list<T: FromStr<Err: Into<InvalidValue>>>(
    field: &FieldDeclaration,
    value: &Value,
) -> Read<Vec<T>> {
    each(field, value, |text| text.parse().map_err(Into::into))
}

/// A list of tags.
pub(super) fn tags(field: &FieldDeclaration, value: &Value) -> Read<Vec<String>> {
    each(field, value, tag)
}

/// A list of texts. One invalid entry makes the list invalid.
fn each<T>(
    field: &FieldDeclaration,
    value: &Value,
    parse: impl Fn(&str) -> Result<T, InvalidValue>,
) -> Read<Vec<T>> {
    let mut read = Vec::new();
    let mut diagnostics = Vec::new();
    for (index, value) in entries(field, value)?.iter().enumerate() {
        let entry = match value.as_str() {
            Some(text) => parse(text),
            None => Err(InvalidValue::new(
                format!("is {}", kind_of(value)),
                "write a string, in quotes if necessary",
            )),
        };
        match entry {
            Ok(value) => read.push(value),
            Err(invalid) => diagnostics.push(Diagnostic::of(FieldPath::root().index(index), invalid)),
        }
    }
    if diagnostics.is_empty() {
        Ok(read)
    } else {
        Err(diagnostics)
    }
}

fn tag(text: &str) -> Result<String, InvalidValue> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/' | '=');
    if (1..=TAG.max).contains(&text.len()) && text.chars().all(allowed) {
        return Ok(text.to_owned());
    }
    Err(InvalidValue::new(
        format!("`{}` is not a tag", quoted(text)),
        format!("use {}", TAG.wanted),
    ))
}

/// A printable text on one line.
pub(super) fn label(field: &FieldDeclaration, value: &Value) -> Read<String> {
    let written = text(field, value)?;
    let is_good = written == written.trim() && written.chars().all(is_plain);
    sized(field, written.to_owned(), written, is_good)
}

/// A text of several lines or one, as one line.
pub(super) fn paragraph(field: &FieldDeclaration, value: &Value) -> Read<String> {
    let written = text(field, value)?;
    sized(field, one_line(written), written, true)
}

/// The text, if it is good, not empty, and not longer than the maximum of the field.
fn sized(field: &FieldDeclaration, text: String, written: &str, is_good: bool) -> Read<String> {
    let max = if let Shape::Text(shape) = field.shape {
        shape.max
    } else {
        usize::MAX
    };
    if is_good && (1..=max).contains(&text.chars().count()) && written.chars().count() <= max {
        return Ok(text);
    }
    Err(refused(InvalidValue::new(
        format!("`{}` is not {}", quoted(written), field.wanted()),
        format!("write {}", field.wanted()),
    )))
}

/// An `http://` or `https://` URL.
pub(super) fn url(field: &FieldDeclaration, value: &Value) -> Read<String> {
    let url = text(field, value)?;
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    if rest.is_some_and(|rest| !rest.is_empty()) && url.len() <= URL.max && url.bytes().all(is_url_byte) {
        return Ok(url.to_owned());
    }
    Err(refused(InvalidValue::new(
        format!("`{}` is not a URL", quoted(url)),
        format!("write {}", URL.wanted),
    )))
}

/// The groups of monitors, by id.
pub(super) fn parent_groups(field: &FieldDeclaration, value: &Value) -> Read<BTreeMap<MonitorId, GroupId>> {
    let mut groups = BTreeMap::new();
    let mut diagnostics = Vec::new();
    for (id, group) in map(field, value)? {
        match parent_group(id, group) {
            Ok((id, group)) => drop(groups.insert(id, group)),
            Err(invalid) => diagnostics.push(Diagnostic::of(FieldPath::root().field(id), invalid)),
        }
    }
    if diagnostics.is_empty() {
        Ok(groups)
    } else {
        Err(diagnostics)
    }
}

fn parent_group(id: &str, group: &Value) -> Result<(MonitorId, GroupId), InvalidValue> {
    let group = group
        .as_str()
        .ok_or_else(|| InvalidValue::new(format!("is {}", kind_of(group)), "write a group such as 1m#0"))?;
    Ok((id.parse::<MonitorId>()?, group.parse::<GroupId>()?))
}

/// Refuses a list that makes several monitors where only one is possible; a definitions file expands it.
pub(super) fn expanded(_: &FieldDeclaration, _: &Value) -> Read<()> {
    Err(refused(InvalidValue::new(
        "makes several monitors, which only a definitions file can",
        "write one monitor for each entry",
    )))
}

/// The maintenance windows of an item.
pub(super) fn windows(field: &FieldDeclaration, value: &Value) -> Read<Vec<Window>> {
    let mut windows = Vec::new();
    let mut diagnostics = Vec::new();
    for (index, value) in entries(field, value)?.iter().enumerate() {
        match RawWindow::read(value, &FieldPath::root().index(index)) {
            Ok(raw) => windows.push(raw.window),
            Err(found) => diagnostics.extend(found),
        }
    }
    if diagnostics.is_empty() {
        Ok(windows)
    } else {
        Err(diagnostics)
    }
}

/// The texts of a list with their indices. Other values get a diagnostic where the field is read.
pub(super) fn texts<'a>(fields: &'a Value, field: &str) -> impl Iterator<Item = (usize, &'a str)> {
    let values = fields.get(field).and_then(Value::as_array).into_iter().flatten();
    values
        .enumerate()
        .filter_map(|(index, value)| Some((index, value.as_str()?)))
}
