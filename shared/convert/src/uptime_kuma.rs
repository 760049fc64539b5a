//! Uptime Kuma: the backup of 1.x, and the tables of its database, 1.x and 2.x.
//!
//! Sources: <https://github.com/louislam/uptime-kuma/blob/1.23.X/server/model/monitor.js>, `toJSON`;
//! <https://github.com/louislam/uptime-kuma/blob/1.23.X/src/components/settings/Backup.vue>, `downloadBackup`, which
//! writes only the version, the notifications and the monitors; and
//! <https://github.com/louislam/uptime-kuma/tree/master/server/monitor-types>.

mod kinds;
mod maintenance;
mod tables;
mod unused_keys;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use self::unused_keys::{FILE, MONITOR, OF_SOME_TYPES, TAG};
use crate::draft::Draft;
use crate::duration::scaled;
use crate::note::Note;
use crate::pending::Retries;
use crate::source_fields::SourceFields;
use crate::{Extracted, Format, ImportError};

const SECOND: Duration = Duration::from_secs(1);
/// The default interval of the form.
const EVERY: Duration = Duration::from_secs(60);
/// The most days before the expiry of a certificate at which Uptime Kuma notifies by default.
const WARN_DAYS: u64 = 21;

/// The versions whose checks differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    /// 1.x.
    One,
    /// 2.x, which added the settings of pings.
    Two,
}

/// What holds for all monitors of a source.
struct Context {
    /// The names of group monitors by their ids.
    groups: BTreeMap<String, String>,
    warn_days: u64,
}

pub(crate) fn read(sources: Vec<(&str, Value)>) -> Result<Extracted, ImportError> {
    let mut read = Extracted::default();
    for (name, value) in sources {
        let foreign = || ImportError::Foreign {
            name: name.to_owned(),
            format: Format::UptimeKuma,
            problem: "`monitorList` is missing",
        };
        let mut file = SourceFields::from_value(value).ok_or_else(foreign)?;
        if file.has("monitor") && !file.has("monitorList") {
            tables::read(file, name, &mut read);
            continue;
        }
        if !file.has("monitorList") {
            return Err(foreign());
        }
        let monitors = file.list("monitorList");
        let context = Context {
            groups: groups(&monitors),
            warn_days: WARN_DAYS,
        };
        monitors_of(monitors, name, &context, &mut read);
        read.notes.push(Note::lost(
            name,
            "maintenance",
            "Backups do not contain maintenance. Import `kuma.db` instead, or add the windows under `maintenance:`.",
        ));
        file.note_unused(name, "", &FILE, &mut read.notes);
    }
    Ok(read)
}

fn monitors_of(monitors: Vec<Value>, name: &str, context: &Context, read: &mut Extracted) {
    for (index, monitor) in monitors.into_iter().enumerate() {
        match SourceFields::from_value(monitor) {
            Some(fields) => monitor_of(fields, index, context, read),
            None => {
                read.found += 1;
                let field = format!("monitorList.{index}");
                read.notes
                    .push(Note::lost(name, &field, "The value is not a map."));
            }
        }
    }
}

/// The names of groups by their ids.
fn groups(monitors: &[Value]) -> BTreeMap<String, String> {
    let is_group = |monitor: &&Value| monitor.get("type").and_then(Value::as_str) == Some("group");
    let entry = |monitor: &Value| {
        let id = crate::source_fields::text_of(monitor.get("id")?)?;
        Some((id, monitor.get("name")?.as_str()?.to_owned()))
    };
    monitors.iter().filter(is_group).filter_map(entry).collect()
}

fn monitor_of(mut fields: SourceFields, index: usize, context: &Context, read: &mut Extracted) {
    let name = fields.text("name").unwrap_or_else(|| format!("monitor {index}"));
    let mut draft = Draft::new(&name, &name);
    draft.set_display_name(&name);
    if let Some(description) = fields.text("description") {
        draft.set_description(&description);
    }
    let kind = fields.text("type").unwrap_or_default();
    if kind == "group" {
        let reason =
            "A group becomes the `group` of its monitors; use `depends_on` to suppress notifications.";
        read.notes
            .push(Note::not_needed(&draft.name, "type group", reason));
        return;
    }
    read.found += 1;
    draft.key = fields.text("id").unwrap_or_else(|| format!("{index} {name}"));
    let is_inverted = fields.switch("upsideDown") == Some(true);
    let every = fields
        .duration("interval", SECOND)
        .filter(|every| !every.is_zero());
    let every = every.unwrap_or(EVERY);
    // The columns of a database have the type of their numbers.
    fields.ignore_if_zero("timeout");
    let written_timeout = fields.duration("timeout", SECOND);
    let version = if fields.has("ping_count") {
        Version::Two
    } else {
        Version::One
    };
    let default_timeout = scaled(every, 0.8).unwrap_or(every);
    if let Err(reason) = kinds::apply(&mut draft, &mut fields, &kind, is_inverted, &mut read.notes) {
        read.notes.push(Note::lost(&draft.name, "", reason));
        return;
    }
    kinds::set_timeout(&mut draft, &kind, written_timeout, default_timeout, version);
    common(&mut draft, &mut fields, every, context);
    let accepts_any = matches!(kind.as_str(), "http" | "keyword" | "json-query" | "redis");
    if accepts_any && fields.switch("ignoreTls") == Some(true) {
        draft.set_insecure("ignoreTls");
    }
    let expires = fields.switch("expiryNotification").unwrap_or(true);
    draft.set_warn_days("", None);
    if expires && draft.has("warn_days") {
        draft.set_warn_days("expiryNotification", Some(context.warn_days));
        draft.changed(
            "expiryNotification",
            "An expiring certificate makes the monitor degraded until it is renewed; Uptime Kuma notifies on single days.",
        );
    }
    for switch in [
        "ignoreTls",
        "invertKeyword",
        "domainExpiryNotification",
        "forceInactive",
        "maintenance",
        "grpcEnableTls",
        "cacheBust",
        "retryOnlyOnStatusCodeFailure",
    ] {
        fields.ignore_if_off(switch);
    }
    // Uptime Kuma stores the settings of all types in each monitor.
    let mut has_others = false;
    for (key, kinds) in OF_SOME_TYPES {
        if !kinds.contains(&kind.as_str()) {
            has_others |= fields.take(key).is_some();
        }
    }
    if has_others {
        let reason = "Uptime Kuma stores the settings of all types with each monitor; those of other types have no effect.";
        draft.not_needed("settings of other types", reason);
    }
    let name = draft.name.clone();
    fields.note_unused(&name, "", &MONITOR, &mut draft.notes);
    read.drafts.push(draft);
}

fn common(draft: &mut Draft, fields: &mut SourceFields, every: Duration, context: &Context) {
    draft.set_interval("interval", every);
    let pause = fields
        .duration("retryInterval", SECOND)
        .filter(|pause| !pause.is_zero());
    draft.set_retries(Retries {
        count_field: "maxretries",
        count: fields.number("maxretries").unwrap_or(0.0),
        pause_field: "retryInterval",
        pause: pause.unwrap_or(every),
    });
    // The first success after a failure is up again.
    draft.set("successes_to_close", 1);
    let resent = fields.number("resendInterval").unwrap_or(0.0);
    if let Some(again) = scaled(every, resent).filter(|again| !again.is_zero()) {
        draft.set_reminder("resendInterval", again);
    }
    if fields.switch("active") == Some(false) || fields.switch("forceInactive") == Some(true) {
        draft.set("enabled", false);
    }
    let parent = fields.text("parent").and_then(|id| context.groups.get(&id));
    if let Some(parent) = parent {
        draft.set_group(parent);
    }
    for mut tag in fields.maps("tags") {
        match (tag.text("name"), tag.text("value")) {
            (Some(name), Some(value)) => draft.label("tags.", &name, &value),
            (Some(name), None) => draft.tag(&name),
            (None, _) => {}
        }
        let name = draft.name.clone();
        tag.note_unused(&name, "tags.", &TAG, &mut draft.notes);
    }
}
