//! Parses notifications from their published JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use portpulse_core::choice::Severity;
use portpulse_core::decide::{AffectedMonitor, Explanation, LocationView, Notification};
use portpulse_core::diagnosis::{Diagnosis, Evidence, HostEvidence};
use portpulse_core::group_state::Finding;
use portpulse_core::id::Location;
use portpulse_core::outbox::{Kind, Subject};
use portpulse_core::outcome::Detail;
use portpulse_core::text::quoted;
use portpulse_core::time::parse_time;
use serde_json::{Map, Value};

/// JSON that is not a valid notification.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct InvalidNotification {
    /// The id, if there is one.
    pub id: Option<String>,
    diagnostics: Vec<String>,
}

impl fmt::Display for InvalidNotification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let which = self
            .id
            .as_deref()
            .map_or_else(|| "without an id".to_owned(), |id| format!("`{}`", quoted(id)));
        write!(
            f,
            "the notification {which} is invalid: {}",
            self.diagnostics.join("; ")
        )
    }
}

/// Parses the JSON of a [`portpulse_alert::Message`]: one notification, or several; none of a monthly report. Each invalid notification is an
/// error of its own.
pub fn parse_notifications(message: &str) -> Vec<Result<Notification, InvalidNotification>> {
    let invalid = |diagnostic: &str| {
        vec![Err(InvalidNotification {
            id: None,
            diagnostics: vec![diagnostic.to_owned()],
        })]
    };
    let Ok(message) = serde_json::from_str::<Value>(message) else {
        return invalid("the message is not JSON");
    };
    let several = message.get("notifications").and_then(Value::as_array);
    match (message.get("type").and_then(Value::as_str), several) {
        (Some("notification"), _) => vec![parse_notification(&message)],
        // A monthly report is for people.
        (Some("report"), _) => Vec::new(),
        (Some("notifications"), Some(several)) => several.iter().map(parse_notification).collect(),
        _ => invalid("`type` must be `notification`, or `notifications` with a list in `notifications`"),
    }
}

/// Parses one notification: the inverse of [`portpulse_alert::to_json`]. Unknown fields are ignored.
///
/// # Errors
/// All diagnostics of the JSON.
pub fn parse_notification(json: &Value) -> Result<Notification, InvalidNotification> {
    let mut reader = NotificationReader {
        json,
        diagnostics: Vec::new(),
    };
    let read = reader.notification();
    let id = json.get("id").and_then(Value::as_str).map(str::to_owned);
    match read {
        Some(notification) if reader.diagnostics.is_empty() => Ok(notification),
        _ => Err(InvalidNotification {
            id,
            diagnostics: reader.diagnostics,
        }),
    }
}

struct NotificationReader<'a> {
    json: &'a Value,
    diagnostics: Vec<String>,
}

impl<'a> NotificationReader<'a> {
    fn notification(&mut self) -> Option<Notification> {
        let id = self.text("id").filter(|id| !id.is_empty());
        if id.is_none() {
            self.diagnostics.push("`id` is missing or empty".to_owned());
        }
        let kind = self.parsed("kind");
        let subject = self.subject(kind);
        let check_group = self.text("check_group");
        let check_group = check_group.map(|group| self.read("check_group", group.parse()));
        let status = self.parsed("status");
        let severity = self.parsed("severity");
        let audience = self.audience(severity);
        let finding = finding(self.json, &mut self.diagnostics);
        let since = self
            .required("since")
            .and_then(|text| self.read("since", parse_time(text)));
        let at = self
            .required("at")
            .and_then(|text| self.read("at", parse_time(text)));
        let diagnosis = self.diagnosis();
        let monitors = self.monitors();
        let locations = self.locations();
        Some(Notification {
            id: id?.to_owned(),
            kind: kind?,
            subject: subject?,
            check_group: check_group.flatten(),
            group: self.text("group").map(str::to_owned),
            status: status?,
            severity: severity?,
            audience,
            finding,
            diagnosis,
            monitor_count: self.count("monitor_count", monitors.len()),
            monitors,
            since: since?,
            at: at?,
            target: self.text("target").map(str::to_owned),
            tags: self.texts("tags"),
            runbook: self.text("runbook").map(str::to_owned),
            page: self.text("page").map(str::to_owned),
            locations,
            diagnostics: self.texts("diagnostics"),
        })
    }

    /// The severities whose subscribers are notified; if the field is absent, the severity of the notification.
    fn audience(&mut self, severity: Option<Severity>) -> BTreeSet<Severity> {
        let texts = self.texts("audience");
        let named = texts
            .iter()
            .filter_map(|text| self.read("audience", text.parse()));
        let named: BTreeSet<_> = named.collect();
        if named.is_empty() {
            severity.into_iter().collect()
        } else {
            named
        }
    }

    fn subject(&mut self, kind: Option<Kind>) -> Option<Subject> {
        if let Some(id) = self.text("monitor") {
            return self.read("monitor", id.parse()).map(Subject::Monitor);
        }
        if let Some(location) = self.text("location") {
            return self.read("location", location.parse()).map(Subject::Location);
        }
        if let Some(id) = self.text("definition") {
            return Some(Subject::Definition(id.to_owned()));
        }
        if matches!(
            kind,
            Some(Kind::Test | Kind::HomeUnreachable | Kind::HomeReachable)
        ) {
            return Some(Subject::Portpulse);
        }
        self.diagnostics
            .push("`monitor`, `location` or `definition` is required".to_owned());
        None
    }

    /// The affected monitors; if the field is absent, the subject.
    fn monitors(&mut self) -> Vec<AffectedMonitor> {
        let listed = self.json.get("monitors").and_then(Value::as_array);
        let Some(listed) = listed else {
            let id = self.text("monitor").and_then(|id| id.parse().ok());
            let target = self.text("target").map(str::to_owned);
            let name = None;
            let cause = None;
            let monitor = id.map(|id| AffectedMonitor {
                id,
                name,
                target,
                cause,
            });
            return monitor.into_iter().collect();
        };
        let mut monitors = Vec::new();
        for json in listed {
            let text = |field: &str| json.get(field).and_then(Value::as_str);
            let id = self.read("monitors", text("id").unwrap_or_default().parse());
            let (name, target) = (text("name"), text("target"));
            let finding = finding(json, &mut self.diagnostics);
            monitors.extend(id.map(|id| AffectedMonitor {
                id,
                name: name.map(str::to_owned),
                target: target.map(str::to_owned),
                cause: finding.map(|finding| finding.cause),
            }));
        }
        monitors
    }

    /// A count, at least `listed`.
    fn count(&self, field: &str, listed: usize) -> u32 {
        let listed = u32::try_from(listed).unwrap_or(u32::MAX);
        let count = self.json.get(field).and_then(Value::as_u64).unwrap_or(0);
        u32::try_from(count).unwrap_or(u32::MAX).max(listed)
    }

    /// The diagnosis; `None` if the field is absent.
    fn diagnosis(&mut self) -> Option<Explanation> {
        let json = self.json.get("diagnosis").filter(|json| !json.is_null())?;
        let mut reader = NotificationReader {
            json,
            diagnostics: Vec::new(),
        };
        let layer = reader.parsed("layer");
        let sentence = reader.required("sentence");
        let parent = reader
            .text("parent")
            .map(|parent| reader.read("parent", parent.parse()));
        self.diagnostics.extend(
            reader
                .diagnostics
                .into_iter()
                .map(|text| format!("`diagnosis`: {text}")),
        );
        let number = |field: &str| u32::try_from(json.get(field)?.as_u64()?).ok();
        let port = number("answering_port").and_then(|port| u16::try_from(port).ok());
        let host = match (port, number("silent_ports")) {
            (Some(port), _) => HostEvidence::Answers { port },
            (None, _) if json.get("answers_ping") == Some(&Value::Bool(true)) => HostEvidence::AnswersPing,
            (None, Some(ports)) => HostEvidence::Silent { ports },
            (None, None) => HostEvidence::Unchecked,
        };
        let evidence = number("failing").map(|failing| Evidence {
            failing,
            good: number("good").unwrap_or(0),
            pending: number("pending").unwrap_or(0),
            host,
            parent: parent.flatten(),
        });
        Some(Explanation {
            diagnosis: Diagnosis {
                layer: layer?,
                evidence,
            },
            sentence: sentence?.to_owned(),
        })
    }

    fn locations(&mut self) -> BTreeMap<Location, LocationView> {
        let empty = Map::new();
        let locations = self
            .json
            .get("locations")
            .and_then(Value::as_object)
            .unwrap_or(&empty);
        let mut views = BTreeMap::new();
        for (name, json) in locations {
            let mut reader = NotificationReader {
                json,
                diagnostics: Vec::new(),
            };
            let location = reader.read("location", name.parse());
            let view = reader.parsed("view");
            let since = reader
                .text("since")
                .and_then(|text| reader.read("since", text.parse()));
            let ticks = json.get("checks").and_then(Value::as_u64).unwrap_or(0);
            let finding = finding(json, &mut reader.diagnostics);
            let at = format!("`locations.{}`: ", quoted(name));
            self.diagnostics.extend(
                reader
                    .diagnostics
                    .into_iter()
                    .map(|diagnostic| format!("{at}{diagnostic}")),
            );
            if let (Some(location), Some(view)) = (location, view) {
                let ticks = u32::try_from(ticks).unwrap_or(u32::MAX);
                views.insert(
                    location,
                    LocationView {
                        view,
                        ticks,
                        since,
                        finding,
                    },
                );
            }
        }
        views
    }

    fn text(&self, field: &str) -> Option<&'a str> {
        self.json.get(field)?.as_str()
    }

    fn texts(&self, field: &str) -> Vec<String> {
        let items = self.json.get(field).and_then(Value::as_array);
        let items = items.into_iter().flatten();
        items
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect()
    }

    fn required(&mut self, field: &str) -> Option<&'a str> {
        let text = self.text(field);
        if text.is_none() {
            self.diagnostics
                .push(format!("`{field}` is missing or not a string"));
        }
        text
    }

    fn parsed<T: FromStr<Err: fmt::Display>>(&mut self, field: &str) -> Option<T> {
        let text = self.required(field)?;
        self.read(field, text.parse())
    }

    fn read<T, E: fmt::Display>(&mut self, field: &str, read: Result<T, E>) -> Option<T> {
        read.map_err(|error| self.diagnostics.push(format!("`{field}`: {error}")))
            .ok()
    }
}

fn finding(json: &Value, diagnostics: &mut Vec<String>) -> Option<Finding> {
    let code = json.get("finding")?.as_str()?;
    let cause = code
        .parse()
        .map_err(|error| diagnostics.push(format!("`finding`: {error}")))
        .ok()?;
    let detail = json.get("detail").and_then(Value::as_str).and_then(Detail::new);
    Some(Finding { cause, detail })
}
