//! The tables of Uptime Kuma's database, as lists of rows: monitors, their tags, groups of status pages and maintenance.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::unused_keys::DESTINATIONS;
use super::{Context, WARN_DAYS, groups, maintenance, monitors_of};
use crate::Extracted;
use crate::note::Note;
use crate::source_fields::{SourceFields, text_of};

/// Names of columns that `toJSON` does not change to camel case.
const SNAKE_CASE: [&str; 20] = [
    "accepted_statuscodes",
    "basic_auth_pass",
    "basic_auth_user",
    "bearer_token",
    "dns_last_result",
    "dns_resolve_server",
    "dns_resolve_type",
    "docker_container",
    "docker_host",
    "oauth_audience",
    "oauth_auth_method",
    "oauth_client_id",
    "oauth_client_secret",
    "oauth_scopes",
    "oauth_token_url",
    "ping_count",
    "ping_numeric",
    "ping_per_request_timeout",
    "remote_browser",
    "screenshot_delay",
];
/// Columns with JSON as text.
const JSON: [&str; 4] = [
    "accepted_statuscodes_json",
    "conditions",
    "kafka_producer_brokers",
    "rabbitmq_nodes",
];

type Row = Map<String, Value>;

/// Reads the tables.
pub(super) fn read(mut file: SourceFields, name: &str, read: &mut Extracted) {
    let mut rows = |table: &str| -> Vec<Row> {
        let rows = file.list(table).into_iter();
        rows.filter_map(|row| match row {
            Value::Object(row) => Some(row),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
        })
        .collect()
    };
    let settings = settings(&rows("setting"));
    let mut tags = tags(&rows("tag"), &rows("monitor_tag"));
    let mut pages = page_groups(&rows("group"), &rows("monitor_group"));
    let monitors: Vec<Value> = rows("monitor")
        .into_iter()
        .map(|row| {
            let id = row.get("id").and_then(text_of).unwrap_or_default();
            let mut monitor = monitor(row);
            let mut own = tags.remove(&id).unwrap_or_default();
            own.extend(pages.remove(&id).unwrap_or_default());
            monitor.insert("tags".to_owned(), Value::Array(own));
            Value::Object(monitor)
        })
        .collect();
    let (windows, members) = (rows("maintenance"), rows("monitor_maintenance"));
    if !rows("notification").is_empty() {
        read.notes.push(Note::lost(name, "notification", DESTINATIONS));
    }
    let context = Context {
        groups: groups(&monitors),
        warn_days: warn_days(&settings),
    };
    monitors_of(monitors, name, &context, read);
    let zone = settings.get("serverTimezone").cloned();
    let zone = zone
        .filter(|zone| !zone.is_empty())
        .unwrap_or_else(|| "UTC".to_owned());
    maintenance::read(windows, &members, &zone, read);
    file.note_unused(name, "", &[], &mut read.notes);
}

/// The settings: each value is JSON.
fn settings(rows: &[Row]) -> BTreeMap<String, String> {
    let entry = |row: &Row| {
        let value = row.get("value")?.as_str()?;
        let value = serde_json::from_str::<Value>(value).unwrap_or_else(|_| json!(value));
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some((row.get("key")?.as_str()?.to_owned(), text))
    };
    rows.iter().filter_map(entry).collect()
}

fn warn_days(settings: &BTreeMap<String, String>) -> u64 {
    let days = settings.get("tlsExpiryNotifyDays");
    let days = days.and_then(|days| serde_json::from_str::<Vec<u64>>(days).ok());
    days.and_then(|days| days.into_iter().max()).unwrap_or(WARN_DAYS)
}

/// A row of the table `monitor` in the form of the backup.
fn monitor(row: Row) -> Row {
    let mut monitor = Row::new();
    for (column, value) in row {
        let value = match value.as_str() {
            Some(text) if JSON.contains(&column.as_str()) => {
                serde_json::from_str(text).unwrap_or_else(|_| json!(text))
            }
            _ => value,
        };
        let name = match column.as_str() {
            "accepted_statuscodes_json" => "accepted_statuscodes".to_owned(),
            _ if SNAKE_CASE.contains(&column.as_str()) => column,
            _ => camel_case(&column),
        };
        monitor.insert(name, value);
    }
    monitor
}

fn camel_case(column: &str) -> String {
    let mut name = String::new();
    let mut is_upper = false;
    for c in column.chars() {
        match c {
            '_' => is_upper = true,
            c if is_upper => {
                name.push(c.to_ascii_uppercase());
                is_upper = false;
            }
            c => name.push(c),
        }
    }
    name
}

/// The tags of each monitor.
fn tags(tags: &[Row], of_monitors: &[Row]) -> BTreeMap<String, Vec<Value>> {
    by_monitor(
        tags,
        of_monitors,
        "tag_id",
        |name, row| json!({ "name": name, "value": row.get("value") }),
    )
}

/// The groups of status pages as tags `group=NAME` of their monitors.
fn page_groups(groups: &[Row], of_monitors: &[Row]) -> BTreeMap<String, Vec<Value>> {
    by_monitor(
        groups,
        of_monitors,
        "group_id",
        |name, _| json!({ "name": "group", "value": name }),
    )
}

/// The tags that `tag` makes of the names in `named`, by monitor: `of_monitors` has the ids of both, in `monitor_id` and in the
/// column `id`.
fn by_monitor(
    named: &[Row],
    of_monitors: &[Row],
    id: &str,
    tag: impl Fn(&Value, &Row) -> Value,
) -> BTreeMap<String, Vec<Value>> {
    let names: BTreeMap<String, &Value> = named
        .iter()
        .filter_map(|row| Some((text_of(row.get("id")?)?, row.get("name")?)))
        .collect();
    let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for row in of_monitors {
        let text = |column: &str| row.get(column).and_then(text_of).unwrap_or_default();
        if let Some(name) = names.get(&text(id)) {
            found.entry(text("monitor_id")).or_default().push(tag(name, row));
        }
    }
    found
}
