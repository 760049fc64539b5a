//! UptimeFlare: what `uptime.config.ts` exports, written as JSON.
//!
//! Source: <https://github.com/lyc8503/UptimeFlare/blob/main/types/config.ts>

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::address::Address;
use crate::draft::Draft;
use crate::fields::{Fields, Known};
use crate::left::{Kind, Left, tame};
use crate::maintenance::{Window, WindowScope};
use crate::{Format, ImportError, Read};

const MINUTE: Duration = Duration::from_secs(60);
/// UptimeFlare's own default.
const TIMEOUT: Duration = Duration::from_secs(10);

const OF_WORKER: [Known; 4] = [
    (
        "kvWriteCooldownMinutes",
        Kind::NotNeeded,
        "is of UptimeFlare itself",
    ),
    ("passwordProtection", Kind::NotNeeded, "is of the page"),
    (
        "callbacks",
        Kind::Lost,
        "what is to happen is set up in the relay",
    ),
    (
        "notification",
        Kind::Lost,
        "whom to tell is set up with the variable `subscribers`, and in the relay",
    ),
];
const OF_FILE: [Known; 2] = [
    ("pageConfig", Kind::NotNeeded, "is of the page"),
    ("maintenances", Kind::Lost, "is not a list"),
];
const OF_NOTIFICATION: [Known; 5] = [
    (
        "appriseApiServer",
        Kind::Lost,
        "whom to tell is set up with the variable `subscribers`, and in the relay",
    ),
    (
        "recipientUrl",
        Kind::Lost,
        "whom to tell is set up with the variable `subscribers`, and in the relay",
    ),
    ("webhook", Kind::Lost, "whom to tell is set up in the relay"),
    ("timeZone", Kind::NotNeeded, "times are told in UTC"),
    (
        "skipNotificationIds",
        Kind::Lost,
        "put a `severity` or `tags` on them that no subscriber hears",
    ),
];
const OF_MONITOR: [Known; 10] = [
    ("expectedCodes", Kind::Lost, "goes with the method, or is of HTTP"),
    (
        "responseKeyword",
        Kind::Lost,
        "goes with the method, or is of HTTP",
    ),
    ("tooltip", Kind::NotNeeded, "is of the page"),
    ("statusPageLink", Kind::NotNeeded, "is of the page"),
    ("hideLatencyChart", Kind::NotNeeded, "is of the page"),
    ("headers", Kind::Lost, "requests have no headers of one's own"),
    ("body", Kind::Lost, "requests have no body"),
    (
        "responseForbiddenKeyword",
        Kind::Lost,
        "a text can only be asked to be there",
    ),
    ("checkProxy", Kind::Lost, "name `regions` instead"),
    (
        "checkProxyFallback",
        Kind::NotNeeded,
        "several locations check at once",
    ),
];

pub(crate) fn read(sources: Vec<(&str, Value)>) -> Result<Read, ImportError> {
    let mut read = Read::default();
    for (name, value) in sources {
        let foreign = || ImportError::Foreign {
            name: name.to_owned(),
            format: Format::UptimeFlare,
            wanted: "it has no `monitors`, nor a `workerConfig` that has",
        };
        let mut file = Fields::of(value).ok_or_else(foreign)?;
        let own = file.map("workerConfig");
        let is_whole = own.is_some();
        let mut worker = own.unwrap_or_else(|| std::mem::take(&mut file));
        if !worker.has("monitors") {
            return Err(foreign());
        }
        let monitors = worker.list("monitors");
        let grace = worker.map("notification").and_then(|mut notification| {
            let grace = notification.number("gracePeriod");
            notification.rest(name, "notification.", &OF_NOTIFICATION, &mut read.left);
            grace
        });
        for (index, monitor) in monitors.into_iter().enumerate() {
            match Fields::of(monitor) {
                Some(fields) => read
                    .drafts
                    .extend(monitor_of(fields, index, grace, &mut read.left)),
                None => read
                    .left
                    .push(of_file(name, &format!("monitors.{index}"), "is not a map")),
            }
        }
        worker.rest(name, "", &OF_WORKER, &mut read.left);
        if is_whole {
            for (index, window) in file.list("maintenances").into_iter().enumerate() {
                match window_of(name, index, window, &mut read.left) {
                    Some(window) => read.maintenance.push(window),
                    None => read.left.push(of_file(
                        name,
                        &format!("maintenances.{index}"),
                        "only windows with `start` and `end` as text with an offset can be carried over",
                    )),
                }
            }
            file.rest(name, "", &OF_FILE, &mut read.left);
        }
    }
    Ok(read)
}

fn of_file(name: &str, field: &str, why: &str) -> Left {
    Left {
        kind: Kind::Lost,
        of: name.to_owned(),
        field: field.to_owned(),
        why: why.to_owned(),
    }
}

fn monitor_of(mut fields: Fields, index: usize, grace: Option<f64>, left: &mut Vec<Left>) -> Option<Draft> {
    let title = fields.text("name");
    let id = fields
        .text("id")
        .or_else(|| title.clone())
        .unwrap_or_else(|| format!("monitor {index}"));
    let mut draft = Draft::new(&id, title.as_deref().unwrap_or(&id));
    let method = fields.text("method").unwrap_or_default().to_ascii_uppercase();
    let Some(address) = fields.text("target").and_then(|target| Address::parse(&target)) else {
        left.push(of_file(&draft.name, "", "its `target` names no host"));
        return None;
    };

    if method == "TCP_PING" {
        draft.at(&address, None);
    } else {
        draft.http_at(&address);
        draft.option("http", "follow", true);
        if matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS" | "") {
            draft.option("http", "method", if method.is_empty() { "GET" } else { &method });
            let codes = fields.list("expectedCodes");
            let expected = if codes.is_empty() {
                vec![json!("2xx")]
            } else {
                codes
            };
            draft.option("http", "status", expected);
            if let Some(keyword) = fields.text("responseKeyword") {
                draft.option("http", "text", keyword);
            }
        } else {
            let why = "only GET, HEAD and OPTIONS are sent: HEAD asks whether the server answers with a status below 500";
            draft.leave(Kind::Changed, "method", why);
        }
    }
    draft.every("interval", MINUTE);
    let timeout = fields.duration("timeout", Duration::from_millis(1));
    draft.timeout("timeout", timeout.unwrap_or(TIMEOUT));
    draft.ticks(
        "failures_to_open",
        "notification.gracePeriod",
        grace.unwrap_or(0.0) + 1.0,
    );
    let name = draft.name.clone();
    fields.rest(&name, "", &OF_MONITOR, &mut draft.left);
    Some(draft)
}

fn window_of(name: &str, index: usize, window: Value, left: &mut Vec<Left>) -> Option<Window> {
    let field = format!("maintenances.{index}");
    let mut window = Fields::of(window)?;
    let time = |text: Option<Value>| text.and_then(|text| text.as_str().map(str::to_owned));
    let (start, end) = (time(window.take("start"))?, time(window.take("end"))?);
    let mut when = Map::from_iter([
        ("from".to_owned(), json!(start)),
        ("until".to_owned(), json!(end)),
    ]);
    if let Some(why) = window.text("title") {
        when.insert("why".to_owned(), json!(tame(&why)));
    }
    // One that names nobody is a banner on the page, and holds no alert back there either.
    let monitors: Vec<_> = window.texts("monitors").iter().map(|id| tame(id)).collect();
    let known = [
        ("body", Kind::Lost, "`why` has the title"),
        ("color", Kind::NotNeeded, "is of the page"),
    ];
    window.rest(name, &format!("{field}."), &known, left);
    Some(Window {
        of: name.to_owned(),
        field,
        window_scope: WindowScope::Named(monitors),
        when,
    })
}
