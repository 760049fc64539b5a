//! UptimeFlare: the exports of `uptime.config.ts`, as JSON.
//!
//! Source: <https://github.com/lyc8503/UptimeFlare/blob/main/types/config.ts>

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::address::Address;
use crate::draft::Draft;
use crate::maintenance::{Window, WindowScope};
use crate::note::{Note, NoteKind, sanitize};
use crate::source_fields::{SourceFields, UnusedKey};
use crate::{Extracted, Format, ImportError};

const MINUTE: Duration = Duration::from_secs(60);
/// The default timeout of UptimeFlare.
const TIMEOUT: Duration = Duration::from_secs(10);

const WORKER_KEYS: [UnusedKey; 4] = [
    (
        "kvWriteCooldownMinutes",
        NoteKind::NotNeeded,
        "concerns only UptimeFlare itself",
    ),
    (
        "passwordProtection",
        NoteKind::NotNeeded,
        "concerns only the status page",
    ),
    (
        "callbacks",
        NoteKind::Lost,
        "configure webhooks in the relay instead",
    ),
    (
        "notification",
        NoteKind::Lost,
        "configure subscribers with the variable `subscribers`, or destinations in the relay",
    ),
];
const FILE_KEYS: [UnusedKey; 2] = [
    ("pageConfig", NoteKind::NotNeeded, "concerns only the status page"),
    ("maintenances", NoteKind::Lost, "is not a list"),
];
const NOTIFICATION_KEYS: [UnusedKey; 5] = [
    (
        "appriseApiServer",
        NoteKind::Lost,
        "configure subscribers with the variable `subscribers`, or destinations in the relay",
    ),
    (
        "recipientUrl",
        NoteKind::Lost,
        "configure subscribers with the variable `subscribers`, or destinations in the relay",
    ),
    ("webhook", NoteKind::Lost, "configure destinations in the relay"),
    ("timeZone", NoteKind::NotNeeded, "times are shown in UTC"),
    (
        "skipNotificationIds",
        NoteKind::Lost,
        "use a `severity` or `tags` that no subscription matches",
    ),
];
const MONITOR_KEYS: [UnusedKey; 10] = [
    (
        "expectedCodes",
        NoteKind::Lost,
        "requires HTTP with a supported method",
    ),
    (
        "responseKeyword",
        NoteKind::Lost,
        "requires HTTP with a supported method",
    ),
    ("tooltip", NoteKind::NotNeeded, "concerns only the status page"),
    (
        "statusPageLink",
        NoteKind::NotNeeded,
        "concerns only the status page",
    ),
    (
        "hideLatencyChart",
        NoteKind::NotNeeded,
        "concerns only the status page",
    ),
    (
        "headers",
        NoteKind::Lost,
        "custom request headers are not supported",
    ),
    ("body", NoteKind::Lost, "requests have no body"),
    (
        "responseForbiddenKeyword",
        NoteKind::Lost,
        "a text can only be required, not forbidden",
    ),
    ("checkProxy", NoteKind::Lost, "use `locations` instead"),
    (
        "checkProxyFallback",
        NoteKind::NotNeeded,
        "several locations check at the same time",
    ),
];

pub(crate) fn read(sources: Vec<(&str, Value)>) -> Result<Extracted, ImportError> {
    let mut read = Extracted::default();
    for (name, value) in sources {
        let foreign = || ImportError::Foreign {
            name: name.to_owned(),
            format: Format::UptimeFlare,
            problem: "`monitors` or `workerConfig.monitors` is missing",
        };
        let mut file = SourceFields::from_value(value).ok_or_else(foreign)?;
        let own = file.map("workerConfig");
        let is_whole = own.is_some();
        let mut worker = own.unwrap_or_else(|| std::mem::take(&mut file));
        if !worker.has("monitors") {
            return Err(foreign());
        }
        let monitors = worker.list("monitors");
        let grace = worker.map("notification").and_then(|mut notification| {
            let grace = notification.number("gracePeriod");
            notification.note_unused(name, "notification.", &NOTIFICATION_KEYS, &mut read.notes);
            grace
        });
        for (index, monitor) in monitors.into_iter().enumerate() {
            match SourceFields::from_value(monitor) {
                Some(fields) => read
                    .drafts
                    .extend(monitor_of(fields, index, grace, &mut read.notes)),
                None => read
                    .notes
                    .push(of_file(name, &format!("monitors.{index}"), "is not a map")),
            }
        }
        worker.note_unused(name, "", &WORKER_KEYS, &mut read.notes);
        if is_whole {
            for (index, window) in file.list("maintenances").into_iter().enumerate() {
                match window_of(name, index, window, &mut read.notes) {
                    Some(window) => read.maintenance.push(window),
                    None => read.notes.push(of_file(
                        name,
                        &format!("maintenances.{index}"),
                        "`start` and `end` must be times with an offset, as text",
                    )),
                }
            }
            file.note_unused(name, "", &FILE_KEYS, &mut read.notes);
        }
    }
    Ok(read)
}

fn of_file(name: &str, field: &str, reason: &str) -> Note {
    Note {
        kind: NoteKind::Lost,
        item: name.to_owned(),
        field: field.to_owned(),
        reason: reason.to_owned(),
    }
}

fn monitor_of(
    mut fields: SourceFields,
    index: usize,
    grace: Option<f64>,
    notes: &mut Vec<Note>,
) -> Option<Draft> {
    let title = fields.text("name");
    let id = fields
        .text("id")
        .or_else(|| title.clone())
        .unwrap_or_else(|| format!("monitor {index}"));
    let mut draft = Draft::new(&id, title.as_deref().unwrap_or(&id));
    let method = fields.text("method").unwrap_or_default().to_ascii_uppercase();
    let Some(address) = fields.text("target").and_then(|target| Address::parse(&target)) else {
        notes.push(of_file(&draft.name, "", "its `target` has no host"));
        return None;
    };

    if method == "TCP_PING" {
        draft.set_target(&address, None);
    } else {
        draft.set_http_target(&address);
        draft.set_option("http", "follow", true);
        if matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS" | "") {
            draft.set_option("http", "method", if method.is_empty() { "GET" } else { &method });
            let codes = fields.list("expectedCodes");
            let expected = if codes.is_empty() {
                vec![json!("2xx")]
            } else {
                codes
            };
            draft.set_option("http", "status", expected);
            if let Some(keyword) = fields.text("responseKeyword") {
                draft.set_option("http", "text", keyword);
            }
        } else {
            let reason =
                "only GET, HEAD and OPTIONS are supported: became HEAD, which requires a status below 500";
            draft.add_note(NoteKind::Changed, "method", reason);
        }
    }
    draft.set_interval("interval", MINUTE);
    let timeout = fields.duration("timeout", Duration::from_millis(1));
    draft.set_timeout("timeout", timeout.unwrap_or(TIMEOUT));
    draft.set_count(
        "failures_to_open",
        "notification.gracePeriod",
        grace.unwrap_or(0.0) + 1.0,
    );
    let name = draft.name.clone();
    fields.note_unused(&name, "", &MONITOR_KEYS, &mut draft.notes);
    Some(draft)
}

fn window_of(name: &str, index: usize, window: Value, notes: &mut Vec<Note>) -> Option<Window> {
    let field = format!("maintenances.{index}");
    let mut window = SourceFields::from_value(window)?;
    let time = |text: Option<Value>| text.and_then(|text| text.as_str().map(str::to_owned));
    let (start, end) = (time(window.take("start"))?, time(window.take("end"))?);
    let mut when = Map::from_iter([
        ("from".to_owned(), json!(start)),
        ("until".to_owned(), json!(end)),
    ]);
    if let Some(reason) = window.text("title") {
        when.insert("why".to_owned(), json!(sanitize(&reason)));
    }
    // A window without monitors is only a banner on the page of UptimeFlare, too.
    let monitors: Vec<_> = window.texts("monitors").iter().map(|id| sanitize(id)).collect();
    let known = [
        ("body", NoteKind::Lost, "only the title is converted, to `why`"),
        ("color", NoteKind::NotNeeded, "concerns only the status page"),
    ];
    window.note_unused(name, &format!("{field}."), &known, notes);
    Some(Window {
        item: name.to_owned(),
        field,
        window_scope: WindowScope::Named(monitors),
        when,
    })
}
