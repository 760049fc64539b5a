//! Sends the report of the last month to the subscribers of the topic, once.

use std::collections::BTreeMap;

use jiff::Timestamp;
use portpulse_alert::{Attribute, Message, Publish, PublishError};
use portpulse_core::uptime::Objective;
use portpulse_history::report::{MonitorReport, Month, Report, left_text};
use portpulse_history::view::Audience;
use portpulse_history::{Reader, figure};
use portpulse_store::table::{PagedQuery, Table};
use portpulse_store::{Error, Store};
use serde_json::{Value, json};

/// The maximum length of the list of monitors in bytes; SNS accepts messages of 256 KB, in which JSON may escape each byte with six.
const MAX_LIST_BYTES: usize = 40_000;

/// Why a report was not sent.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The table failed.
    #[error("failed to make the report of {month}")]
    Table {
        /// The month.
        month: Month,
        /// The error of the table.
        source: Error,
    },
    /// The topic failed. A repeated invocation sends the report again.
    #[error("failed to send the report of {month}")]
    Topic {
        /// The month.
        month: Month,
        /// The error of the topic.
        source: PublishError,
    },
}

/// Whether an event asks for the report of the last month: `{"report": "monthly"}`. A function URL sends no such event.
pub fn is_monthly_report(event: &Value) -> bool {
    event.get("requestContext").is_none() && event.get("report").is_some_and(|kind| kind == "monthly")
}

/// Sends the report of the month before `now`, unless another request has claimed it. Monitors without an objective of their own
/// have `objective`. Returns the response of the function.
///
/// # Errors
/// If the table or the topic fails. Lambda repeats the request under its id, which may send it again.
pub async fn send_monthly_report<T: Table + PagedQuery, P: Publish>(
    (reader, store, topic): (&Reader<T>, &Store<T>, &P),
    objective: Option<Objective>,
    request_id: &str,
    now: Timestamp,
) -> Result<Value, ReportError> {
    let month = Month::containing(now).before();
    let failed = |source| ReportError::Table { month, source };
    // Read before the claim, so that a table that cannot be read leaves the report unclaimed.
    let report = reader.report(month, Audience::Private, objective, now).await;
    let report = report.map_err(failed)?;
    let is_ours = store.claim_report(&month.to_string(), request_id, now).await;
    let is_ours = is_ours.map_err(failed)?;
    if is_ours {
        let sent = topic.publish(&message(&report)).await;
        sent.map_err(|source| ReportError::Topic { month, source })?;
    }
    Ok(json!({ "report": month.to_string(), "sent": is_ours }))
}

/// The report as a message: for people a text; for programs the month and the numbers of monitors. It has the severity `info`.
fn message(report: &Report) -> Message {
    let month = report.month;
    let (down, others): (Vec<_>, Vec<_>) = report
        .monitors
        .iter()
        .partition(|monitor| monitor.outages > 0 || monitor.watched.down_seconds() > 0);
    let summary = match (report.monitors.len(), down.len()) {
        (all, 0) => format!("no outage of {all} monitors"),
        (all, some) => format!("outages of {some} of {all} monitors"),
    };
    let mut body = format!("Report of {} (UTC): {summary}.\n", month.title());
    if report.is_incomplete {
        body += "\nA part of the month is missing: it has no summaries, they cannot be read, or they exceed the read limit.\n";
    }
    for (title, monitors) in [("With outages", &down), ("Without outages", &others)] {
        if !monitors.is_empty() {
            body += &format!("\n{title}:\n{}", list(monitors, report));
        }
    }
    body +=
        "\nUptime is the share of the watched time without an outage; maintenance is neither up nor down.\n";
    body +=
        &format!("All figures: portpulse report --month {month}, or /reports/{month} of the status page.\n");
    Message {
        ids: vec![format!("report/{month}")],
        subject: format!("[Portpulse] Report of {}: {summary}", month.title()),
        sms: format!("Portpulse: report of {}: {summary}", month.title()),
        body,
        json: json!({
            "type": "report",
            "version": 1,
            "month": month.to_string(),
            "monitors": report.monitors.len(),
            "monitors_with_outages": down.len(),
            "incomplete": report.is_incomplete,
        }),
        attributes: BTreeMap::from([("severity", Attribute::Text("info".to_owned()))]),
    }
}

/// One line for each monitor, and the number of those that have no room.
fn list(monitors: &[&MonitorReport], report: &Report) -> String {
    let mut list = String::new();
    for (number, monitor) in monitors.iter().enumerate() {
        let line = line(monitor, report);
        if list.len() + line.len() > MAX_LIST_BYTES {
            return format!("{list}… and {} more\n", monitors.len() - number);
        }
        list += &line;
    }
    list
}

fn line(monitor: &MonitorReport, report: &Report) -> String {
    let mut line = format!("- {}", monitor.title);
    if let Some(group) = &monitor.group {
        line += &format!(" ({group})");
    }
    line += &format!(": {}", figure::uptime(Some(monitor.watched)));
    let down = jiff::SignedDuration::from_secs(monitor.watched.down_seconds());
    if monitor.outages > 0 || down.is_positive() {
        let plural = if monitor.outages == 1 { "" } else { "s" };
        line += &format!(
            ", down {} in {} outage{plural}",
            figure::duration(down),
            monitor.outages
        );
    }
    if let Some(mean) = monitor.mean_time_to_recovery {
        line += &format!(", mean time to recovery {}", figure::duration(mean));
    }
    if let Some((objective, left)) = report.objective_of(monitor) {
        line += &format!("; objective {objective}: {}", left_text(left));
    }
    line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use portpulse_core::uptime::{CheckedSeconds, Outages};
    use portpulse_testkit::event::sample;

    fn report(monitors: usize) -> Report {
        let at: Timestamp = "2026-12-01T06:00:00Z".parse().unwrap();
        let checked = CheckedSeconds {
            observed: 86_400,
            failing: 0,
        };
        let watched = Outages::default().observed_for("2026-11-20".parse().unwrap(), at, checked);
        let monitor = |number: usize| MonitorReport {
            id: format!("m-{number}").parse().unwrap(),
            title: format!("Monitor {number}"),
            group: (number == 0).then(|| "Shop".to_owned()),
            objective: None,
            watched,
            unwatched: jiff::SignedDuration::ZERO,
            outages: u32::from(number == 0) * 2,
            mean_time_to_recovery: (number == 0).then(|| jiff::SignedDuration::from_mins(7)),
            worst: [None; 3],
        };
        Report {
            month: "2026-11".parse().unwrap(),
            at,
            objective: "99.9".parse().ok(),
            monitors: (0..monitors).map(monitor).collect(),
            is_incomplete: false,
        }
    }

    #[test]
    fn message_lists_monitors_with_outages_first() {
        let message = message(&report(2));
        assert_eq!(
            message.subject,
            "[Portpulse] Report of November 2026: outages of 1 of 2 monitors"
        );
        assert_eq!(
            message.body,
            "Report of November 2026 (UTC): outages of 1 of 2 monitors.\n\n\
             With outages:\n\
             - Monitor 0 (Shop): 100%, down 0 s in 2 outages, mean time to recovery 7 min; objective 99.9%: 43 min 12 s left\n\n\
             Without outages:\n\
             - Monitor 1: 100%; objective 99.9%: 43 min 12 s left\n\n\
             Uptime is the share of the watched time without an outage; maintenance is neither up nor down.\n\
             All figures: portpulse report --month 2026-11, or /reports/2026-11 of the status page.\n"
        );
    }

    #[test]
    fn largest_message_fits() {
        let mut report = report(5_000);
        for monitor in &mut report.monitors {
            monitor.title = "\u{202e}".repeat(33);
            monitor.outages = monitor.outages.max(u32::from(monitor.id.as_str().ends_with('1')));
        }
        let message = message(&report);
        assert!(
            message.bytes() <= portpulse_alert::MAX_BYTES,
            "{}",
            message.bytes()
        );
        assert!(message.subject.len() <= portpulse_alert::MAX_SUBJECT && message.sms.len() <= 140);
        assert!(message.body.contains("… and "), "{}", message.body);
    }

    #[test]
    fn sample_event_asks_for_the_report_and_a_request_does_not() {
        assert!(is_monthly_report(&sample("status-monthly-report.json")));
        let mut request = sample("status-overview.json");
        assert!(!is_monthly_report(&request));
        request["report"] = "monthly".into();
        assert!(!is_monthly_report(&request));
    }
}
