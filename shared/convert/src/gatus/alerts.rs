//! Converts alerts of Gatus: thresholds and reminders. `default-alert` of the provider holds where an alert says nothing.
//!
//! Source: <https://github.com/TwiN/gatus/blob/master/README.md#alerting>, `Setting a default alert`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::unused_keys::{ALERT, DESTINATIONS};
use crate::draft::Draft;
use crate::note::Note;
use crate::source_fields::SourceFields;

/// The default thresholds of alerts in Gatus.
const FAILURES: f64 = 3.0;
const SUCCESSES: f64 = 2.0;

/// The section `alerting`: the default alert of each provider.
#[derive(Default)]
pub(super) struct Providers(Option<BTreeMap<String, SourceFields>>);

impl Providers {
    /// Reads the section; everything but the default alerts says where notifications go.
    pub(super) fn read(alerting: Option<SourceFields>, file: &str, notes: &mut Vec<Note>) -> Self {
        let Some(alerting) = alerting else {
            return Self(None);
        };
        let mut providers = BTreeMap::new();
        for (kind, provider) in alerting.into_entries() {
            let field = format!("alerting.{kind}");
            let Some(mut provider) = SourceFields::from_value(provider) else {
                notes.push(Note::lost(file, &field, "The value is not a map."));
                continue;
            };
            let default_alert = provider.map("default-alert").unwrap_or_default();
            if provider.has("default-alert") {
                let field = format!("{field}.default-alert");
                notes.push(Note::lost(file, &field, "The value is not a map."));
            }
            notes.push(Note::lost(file, &field, DESTINATIONS));
            providers.insert(kind, default_alert);
        }
        Self(Some(providers))
    }

    /// An alert with the values of its provider's default alert; `None` if Gatus ignores the alert.
    fn completed(&self, mut alert: SourceFields, kind: &str) -> Option<SourceFields> {
        match &self.0 {
            // The section may be in a file that is not imported.
            None => Some(alert),
            Some(providers) => {
                let default_alert = providers.get(kind)?;
                for threshold in ["failure-threshold", "success-threshold"] {
                    alert.ignore_if_zero(threshold);
                }
                alert.fill(default_alert);
                Some(alert)
            }
        }
    }
}

/// Applies the alerts of an endpoint.
pub(super) fn apply(draft: &mut Draft, alerts: Vec<SourceFields>, providers: &Providers) {
    let mut failures: Vec<f64> = Vec::new();
    let mut successes: Vec<f64> = Vec::new();
    let mut reminders: Vec<Duration> = Vec::new();
    let name = draft.name.clone();
    for mut alert in alerts {
        let kind = alert.text("type").unwrap_or_default();
        let is_enabled = alert.switch("enabled");
        if is_enabled == Some(false) {
            draft.not_needed("alerts.enabled", "The alert is disabled.");
            continue;
        }
        let Some(mut alert) = providers.completed(alert, &kind) else {
            draft.changed(
                "alerts.type",
                "Gatus ignores this alert, because `alerting` has no such provider; Portpulse notifies nevertheless.",
            );
            continue;
        };
        if is_enabled.or(alert.switch("enabled")) == Some(false) {
            draft.not_needed("alerts.enabled", "The alert is disabled.");
            continue;
        }
        let threshold = |alert: &mut SourceFields, field: &str, default: f64| {
            alert
                .number(field)
                .filter(|count| *count > 0.0)
                .unwrap_or(default)
        };
        failures.push(threshold(&mut alert, "failure-threshold", FAILURES));
        successes.push(threshold(&mut alert, "success-threshold", SUCCESSES));
        reminders.extend(
            alert
                .duration("minimum-reminder-interval", Duration::from_nanos(1))
                .filter(|pause| !pause.is_zero()),
        );
        draft.lost("alerts.type", DESTINATIONS);
        if alert.switch("send-on-resolved") != Some(true) {
            draft.changed(
                "alerts.send-on-resolved",
                "Gatus does not notify of recoveries; Portpulse always does.",
            );
        }
        alert.note_unused(&name, "alerts.", &ALERT, &mut draft.notes);
    }
    let least = |counts: &[f64], default: f64| {
        let least = counts.iter().copied().reduce(f64::min).unwrap_or(default);
        let is_same = counts.iter().all(|count| (count - least).abs() < f64::EPSILON);
        (least, is_same)
    };
    if failures.is_empty() {
        draft.changed(
            "alerts",
            "Gatus sends no alert for this endpoint; Portpulse opens an incident after 3 failures.",
        );
    }
    for (field, from, counts, default) in [
        (
            "failures_to_open",
            "alerts.failure-threshold",
            &failures,
            FAILURES,
        ),
        (
            "successes_to_close",
            "alerts.success-threshold",
            &successes,
            SUCCESSES,
        ),
    ] {
        let (count, is_same) = least(counts, default);
        draft.set_count(field, from, count);
        if !is_same {
            draft.changed(
                from,
                "A monitor has one threshold: the lowest of its alerts is used.",
            );
        }
    }
    if let Some(pause) = reminders.into_iter().min() {
        draft.set_reminder("alerts.minimum-reminder-interval", pause);
    }
}
