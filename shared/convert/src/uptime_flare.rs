//! UptimeFlare: the exports of `uptime.config.ts`, as JSON.
//!
//! Source: <https://github.com/lyc8503/UptimeFlare/blob/main/types/config.ts>

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::address::Address;
use crate::draft::Draft;
use crate::maintenance::{Window, WindowScope};
use crate::note::NoteKind::{Lost, NotNeeded};
use crate::note::{Note, sanitize};
use crate::source_fields::{SourceFields, UnusedKey, text_of};
use crate::{Extracted, Format, ImportError};

const MINUTE: Duration = Duration::from_secs(60);
/// The default timeout of UptimeFlare.
const TIMEOUT: Duration = Duration::from_secs(10);

const DESTINATIONS: &str = "Notifications are configured apart: with the variable `subscribers`, or as destinations of the \
                            relay.";
const OF_ITSELF: &str = "The setting concerns only UptimeFlare itself.";
const OF_THE_PAGE: &str = "The setting concerns only the status page.";
const WORKER_KEYS: [UnusedKey; 5] = [
    ("kvWriteCooldownMinutes", NotNeeded, OF_ITSELF),
    ("passwordProtection", NotNeeded, OF_THE_PAGE),
    (
        "callbacks",
        Lost,
        "Code is not run: configure webhooks in the relay.",
    ),
    ("notification", Lost, "The value is not a map."),
    ("monitors", Lost, "The value is not a list."),
];
const FILE_KEYS: [UnusedKey; 2] = [
    ("pageConfig", NotNeeded, OF_THE_PAGE),
    ("maintenances", Lost, "The value is not a list."),
];
const NOTIFICATION_KEYS: [UnusedKey; 7] = [
    ("appriseApiServer", Lost, DESTINATIONS),
    ("recipientUrl", Lost, DESTINATIONS),
    ("webhook", Lost, DESTINATIONS),
    ("timeZone", NotNeeded, "Times are shown in UTC."),
    (
        "skipNotificationIds",
        Lost,
        "These monitors are notified too: use a `severity` or `tags` that no subscription matches.",
    ),
    (
        "skipErrorChangeNotification",
        NotNeeded,
        "A change of the cause within an incident is never notified.",
    ),
    ("gracePeriod", Lost, "The value is not a number."),
];
const MONITOR_KEYS: [UnusedKey; 9] = [
    ("expectedCodes", NotNeeded, "The setting concerns only HTTP."),
    ("responseKeyword", NotNeeded, "The setting concerns only HTTP."),
    ("tooltip", NotNeeded, OF_THE_PAGE),
    ("statusPageLink", NotNeeded, OF_THE_PAGE),
    ("hideLatencyChart", NotNeeded, OF_THE_PAGE),
    ("body", NotNeeded, "The setting concerns only HTTP."),
    (
        "responseForbiddenKeyword",
        NotNeeded,
        "The setting concerns only HTTP.",
    ),
    (
        "checkProxy",
        Lost,
        "The location of a check is not chosen by the target: use `locations`.",
    ),
    (
        "checkProxyFallback",
        NotNeeded,
        "Several locations check at the same time.",
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
            read.found += 1;
            match SourceFields::from_value(monitor) {
                Some(fields) => read
                    .drafts
                    .extend(monitor_of(fields, index, grace, &mut read.notes)),
                None => {
                    let field = format!("monitors.{index}");
                    read.notes
                        .push(Note::lost(name, &field, "The value is not a map."));
                }
            }
        }
        worker.note_unused(name, "", &WORKER_KEYS, &mut read.notes);
        if is_whole {
            for window in file.list("maintenances") {
                match window_of(name, window, &mut read.notes) {
                    Some(window) => read.maintenance.push(window),
                    None => read.notes.push(Note::lost(
                        name,
                        "maintenances",
                        "A window requires `start` and `end` as times with an offset, as text.",
                    )),
                }
            }
            file.note_unused(name, "", &FILE_KEYS, &mut read.notes);
        }
    }
    Ok(read)
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
    draft.set_display_name(title.as_deref().unwrap_or(&id));
    let method = fields.text("method").unwrap_or_default().to_ascii_uppercase();
    let Some(address) = fields.text("target").and_then(|target| Address::parse(&target)) else {
        notes.push(Note::lost(&draft.name, "", "Its `target` has no host."));
        return None;
    };
    if method == "TCP_PING" {
        draft.set_target(&address, None);
    } else {
        draft.set_http_target(&address);
        http(
            &mut draft,
            &mut fields,
            if method.is_empty() { "GET" } else { &method },
        );
    }
    draft.set_interval("interval", MINUTE);
    let timeout = fields.duration("timeout", Duration::from_millis(1));
    draft.set_timeout(
        "timeout",
        timeout.filter(|timeout| !timeout.is_zero()).unwrap_or(TIMEOUT),
    );
    draft.set_count(
        "failures_to_open",
        "notification.gracePeriod",
        grace.unwrap_or(0.0) + 1.0,
    );
    // The first success ends an incident.
    draft.set("successes_to_close", 1);
    draft.set_warn_days("", None);
    let name = draft.name.clone();
    fields.note_unused(&name, "", &MONITOR_KEYS, &mut draft.notes);
    Some(draft)
}

fn http(draft: &mut Draft, fields: &mut SourceFields, method: &str) {
    draft.set_method("method", method);
    for (name, value) in fields
        .map("headers")
        .into_iter()
        .flat_map(SourceFields::into_entries)
    {
        let value = text_of(&value).unwrap_or_default();
        draft.add_header(&format!("headers.{name}"), &name, &value);
    }
    if let Some(body) = fields.text("body") {
        draft.set_body("body", &body);
    }
    draft.set_option("http", "follow", true);
    let codes = fields.list("expectedCodes");
    let expected = if codes.is_empty() {
        vec![json!("2xx")]
    } else {
        codes
    };
    draft.set_option("http", "status", expected);
    if let Some(keyword) = fields.text("responseKeyword") {
        draft.require_text("responseKeyword", &keyword);
    }
    if let Some(keyword) = fields.text("responseForbiddenKeyword") {
        draft.forbid_text("responseForbiddenKeyword", &keyword);
    }
}

fn window_of(name: &str, window: Value, notes: &mut Vec<Note>) -> Option<Window> {
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
        ("body", Lost, "Only the title is converted, to `why`."),
        ("color", NotNeeded, OF_THE_PAGE),
        ("monitors", Lost, "The value is not a list of ids."),
    ];
    window.note_unused(name, "maintenances.", &known, notes);
    Some(Window {
        item: name.to_owned(),
        field: "maintenances".to_owned(),
        window_scope: WindowScope::Keys(monitors),
        when,
    })
}
