//! Texts of one line: headlines, sentences, causes, times and durations.

use jiff::Timestamp;
use portpulse_core::decide::{Notification, View};
use portpulse_core::diagnosis::Layer;
use portpulse_core::group_state::{Cause, Status};
use portpulse_core::outbox::{Kind, Stage, Subject};
use portpulse_core::outcome::{DnsFailure, FailureClass};
use portpulse_core::text::excerpt;

use crate::json::MAX_TEXT;

/// The maximum length of a subject's name, in bytes. The id of a broken definition may be any text.
const MAX_NAME: usize = 80;

/// The name of the monitor, location or definition, on one line.
pub fn subject_name(subject: &Subject) -> String {
    excerpt(&subject.to_string(), MAX_NAME)
}

/// The name of the subject for people: the configured name of the monitor, otherwise its id.
fn title(notification: &Notification) -> String {
    match configured_name(notification) {
        Some(name) => excerpt(name, MAX_NAME),
        None => subject_name(&notification.subject),
    }
}

/// The name of the subject for people, with the id of the monitor if that is not the name.
fn title_with_id(notification: &Notification) -> String {
    match configured_name(notification) {
        Some(_) => format!(
            "{} ({})",
            title(notification),
            subject_name(&notification.subject)
        ),
        None => subject_name(&notification.subject),
    }
}

fn configured_name(notification: &Notification) -> Option<&str> {
    // The first affected monitor is the subject.
    let named = notification.monitors.first()?;
    let is_subject = matches!(&notification.subject, Subject::Monitor(id) if *id == named.id);
    named.name.as_deref().filter(|_| is_subject)
}

/// A name, and how many other monitors the notification is about.
fn and_others(name: String, notification: &Notification) -> String {
    match notification.monitor_count {
        0 | 1 => name,
        count => format!("{name} and {} more", count - 1),
    }
}

/// The change on one line, such as `DOWN: orders-db since 05:39 UTC - the connection was refused`.
///
/// The state, the name and the start come first, because subjects and text messages are cut at the end.
pub fn headline(notification: &Notification) -> String {
    headline_of(title(notification), notification)
}

/// As [`headline`], for texts that can only have ASCII: with the id of a monitor whose name has other characters.
pub(crate) fn ascii_headline(notification: &Notification) -> String {
    headline_of(ascii_title(notification), notification)
}

/// As [`title`], but the id of a monitor whose name has characters other than ASCII.
pub(crate) fn ascii_title(notification: &Notification) -> String {
    let title = Some(title(notification)).filter(|title| title.is_ascii());
    title.unwrap_or_else(|| subject_name(&notification.subject))
}

fn headline_of(title: String, notification: &Notification) -> String {
    let name = and_others(title, notification);
    let since = start(notification);
    let cause = notification
        .finding
        .as_ref()
        .map(|finding| cause_text(finding.cause));
    let layer = known_layer(notification).map(Layer::as_str);
    let because = match (layer, cause) {
        (Some(layer), Some(cause)) => format!(" - {layer}: {cause}"),
        (None, Some(text)) | (Some(text), None) => format!(" - {text}"),
        (None, None) => String::new(),
    };
    let layer = layer.map(|layer| format!(" - {layer}")).unwrap_or_default();
    let lasted = elapsed(notification.since, notification.at);
    match notification.kind {
        Kind::Down => format!("DOWN: {name} {since}{because}"),
        Kind::Exposed => format!("EXPOSED: {name} {since}{because}"),
        Kind::Degraded => format!("DEGRADED: {name} {since}{because}"),
        Kind::CertificateExpiring => format!("CERTIFICATE EXPIRING: {name}{}", detail(notification)),
        Kind::Unknown => format!("UNKNOWN: {name} {since}{because}"),
        Kind::Recovered => format!(
            "RECOVERED: {name} - was {} for {lasted}",
            adjective(notification.status)
        ),
        Kind::Reminder => {
            let state = adjective(notification.status).to_uppercase();
            format!("STILL {state}: {name} {since} ({lasted}){layer}")
        }
        Kind::Flapping => {
            let state = adjective(notification.status);
            format!("FLAPPING: {name} - alternates between {state} and up")
        }
        Kind::Escalated => {
            let state = adjective(notification.status);
            format!("ESCALATED: {name} {state} {since} ({lasted}), not acknowledged{layer}")
        }
        Kind::Advisory => format!(
            "ADVISORY: {name} {since} - failing only in {}",
            failing(notification)
        ),
        Kind::AdvisoryOver => match notification.status {
            Status::Up => format!("ADVISORY OVER: {name} - no location reports a failure"),
            worse @ (Status::Degraded | Status::Down | Status::Exposed | Status::Unknown) => {
                format!("ADVISORY OVER: {name} - now {}", adjective(worse))
            }
        },
        Kind::LocationSilent => format!("LOCATION SILENT: {name} {since} - no reports"),
        Kind::LocationBack => format!("LOCATION BACK: {name} - reports again after {lasted}"),
        Kind::LocationSuspect => {
            format!("LOCATION SUSPECT: {name} {since} - only this location sees most monitors failing")
        }
        Kind::LocationTrusted => format!("LOCATION TRUSTED: {name} - counts again after {lasted}"),
        Kind::HomeUnreachable => {
            let seen = notification.diagnostics.first();
            let seen = seen.map(|seen| format!(" - {}", excerpt(seen, MAX_NAME)));
            format!("HOME UNREACHABLE: {name} {since}{}", seen.unwrap_or_default())
        }
        Kind::HomeReachable => format!("HOME REACHABLE: {name} - its table can be read again after {lasted}"),
        Kind::BrokenDefinition => format!("BROKEN DEFINITION: {name} is not checked"),
        Kind::Test => format!("TEST: {name} - this is a test message, nothing is wrong"),
    }
}

/// The layer, if it is known and the kind does not name it.
fn known_layer(notification: &Notification) -> Option<Layer> {
    let layer = notification.diagnosis.as_ref()?.diagnosis.layer;
    let is_shown = layer != Layer::Unknown && notification.kind != Kind::Exposed;
    is_shown.then_some(layer)
}

/// The detail of the finding, as ` - detail`; empty if there is none.
fn detail(notification: &Notification) -> String {
    let finding = notification.finding.as_ref();
    let detail = finding.and_then(|finding| finding.detail.as_ref());
    detail.map(|detail| format!(" - {detail}")).unwrap_or_default()
}

/// The locations that see the monitor failing, separated by commas.
fn failing(notification: &Notification) -> String {
    let locations = notification.locations.iter();
    let failing = locations.filter(|(_, view)| view.view == View::Failing);
    let names: Vec<_> = failing.map(|(location, _)| location.as_str()).collect();
    if names.is_empty() {
        "some locations".to_owned()
    } else {
        names.join(", ")
    }
}

/// What the change means, in up to three sentences: while a fault lasts, its layer with the evidence; then the state, the
/// start or the duration, and the consequence.
pub fn sentence(notification: &Notification) -> String {
    let change = change_sentence(notification);
    match &notification.diagnosis {
        Some(explanation) if notification.kind.stage() == Stage::Active => {
            format!("{} {change}", excerpt(&explanation.sentence, MAX_TEXT))
        }
        Some(_) | None => change,
    }
}

fn change_sentence(notification: &Notification) -> String {
    let name = and_others(title_with_id(notification), notification);
    let since = utc_time(notification.since);
    let lasted = elapsed(notification.since, notification.at);
    let state = adjective(notification.status);
    let (is, has, answers) = match notification.monitor_count {
        0 | 1 => ("is", "has", "it answers"),
        _ => ("are", "have", "they answer"),
    };
    match notification.kind {
        Kind::Down => format!("{name} {has} been down since {since}."),
        Kind::Exposed => format!("{name} {has} been open since {since}, but must be closed."),
        Kind::Degraded => {
            format!("{name} {has} been degraded since {since}: {answers}, but slowly or with a warning.")
        }
        Kind::CertificateExpiring => format!("The certificate of {name} expires soon."),
        Kind::Unknown => {
            format!("The status of {name} has been unknown since {since}: no location has data.")
        }
        Kind::Recovered => format!("{name} {is} up again, after being {state} for {lasted}."),
        Kind::Reminder => format!("{name} {is} still {state}, since {since} ({lasted})."),
        Kind::Flapping => format!(
            "{name} keeps alternating between {state} and up. The next notification is sent when the status is stable."
        ),
        Kind::Escalated => format!(
            "{name} {has} been {state} since {since} ({lasted}), and the incident is not acknowledged. Its severity is now critical."
        ),
        Kind::Advisory => {
            format!("Some locations have seen {name} failing since {since}, fewer than the quorum.")
        }
        Kind::AdvisoryOver => match notification.status {
            Status::Up => {
                format!("No location sees {name} failing any more. Some locations did for {lasted}.")
            }
            Status::Degraded | Status::Down | Status::Exposed | Status::Unknown => format!(
                "{name} is now {state}: the quorum of locations sees it failing. Some locations did for {lasted} before."
            ),
        },
        Kind::LocationSilent => {
            format!(
                "The checker in {name} has not reported since {since}. The location does not count until it reports again."
            )
        }
        Kind::LocationBack => {
            format!("The checker in {name} reports again, after {lasted}. The location counts again.")
        }
        Kind::LocationSuspect => format!(
            "Since {since}, {name} has seen most of its monitors failing, and no other location has. The location does not count until this ends."
        ),
        Kind::LocationTrusted => {
            format!(
                "After {lasted}, {name} agrees with the other locations again. The location counts again."
            )
        }
        Kind::HomeUnreachable => format!(
            "Since {since}, a location has not been able to read the table of {name} in the home region. What it checks does not count; if no \
             location can, nothing else is notified until the table can be read again."
        ),
        Kind::HomeReachable => format!(
            "The table of {name} in the home region can be read again, after {lasted}. Changes in between are notified as they are found now."
        ),
        Kind::BrokenDefinition => {
            format!(
                "The definition of {name} is invalid. The monitor is not checked until the definition is corrected."
            )
        }
        Kind::Test => match notification.subject {
            Subject::Monitor(_) => {
                format!(
                    "This is a test message. Nothing is wrong. Alerts about {name} are sent the same way."
                )
            }
            Subject::Location(_) | Subject::Definition(_) | Subject::Portpulse => {
                "This is a test message. Nothing is wrong. Alerts are sent the same way.".to_owned()
            }
        },
    }
}

/// The description of a cause for people, such as `the connection was refused`.
pub const fn cause_text(cause: Cause) -> &'static str {
    match cause {
        Cause::Failed(FailureClass::Refused) => "the connection was refused",
        Cause::Failed(FailureClass::Timeout) => "no answer in time",
        Cause::Failed(FailureClass::Unreachable) => "the host or network is unreachable",
        Cause::Failed(FailureClass::Reset) => "the connection was reset",
        Cause::Failed(FailureClass::Dns(DnsFailure::NotFound)) => "the host name does not exist",
        Cause::Failed(FailureClass::Dns(DnsFailure::ServerFailure)) => "the DNS servers failed",
        Cause::Failed(FailureClass::Dns(DnsFailure::Timeout)) => "the DNS servers did not answer",
        Cause::Failed(FailureClass::Tls) => "TLS failed",
        Cause::Failed(FailureClass::Closed) => "the service closed the connection before it answered",
        Cause::Failed(FailureClass::Silent) => "the service accepted the connection, but sent nothing",
        Cause::Failed(FailureClass::Busy) => "the service has reached a limit",
        Cause::Failed(FailureClass::Starting) => "the service is starting or stopping",
        Cause::Failed(FailureClass::Blocked) => "the service refuses the checker",
        Cause::Failed(FailureClass::ServiceError) => "the service reports an error",
        Cause::Failed(FailureClass::NoBackend) => "a proxy answers, but cannot reach the service behind it",
        Cause::Failed(FailureClass::WrongService) => "a different service answers",
        Cause::Failed(FailureClass::WrongAnswer) => "the answer is not the expected one",
        Cause::Failed(FailureClass::TooSlow) => "the service answers too slowly",
        Cause::Open => "the port is open",
        Cause::Slow => "the connect is slow",
        Cause::SlowResponse => "the response is slow",
        Cause::Warned => "the service reports a warning",
        Cause::Certificate => "the certificate expires soon",
        Cause::NoData => "no location has data",
    }
}

/// The status as it stands in a sentence.
pub(crate) const fn adjective(status: Status) -> &'static str {
    match status {
        Status::Up => "up",
        Status::Degraded => "degraded",
        Status::Down => "down",
        Status::Exposed => "exposed",
        Status::Unknown => "unknown",
    }
}

/// The duration between two times in its two largest units, such as `2 h 5 min`; `0 s` if `until` is earlier.
pub fn elapsed(since: Timestamp, until: Timestamp) -> String {
    let seconds = until.duration_since(since).as_secs().max(0);
    let units = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (unit, length) in units {
        let count = rest / length;
        rest %= length;
        if count > 0 || !parts.is_empty() {
            parts.push((count, unit));
        }
    }
    let shown = parts.iter().take(2).filter(|(count, _)| *count > 0);
    let shown: Vec<_> = shown.map(|(count, unit)| format!("{count} {unit}")).collect();
    if shown.is_empty() {
        "0 s".to_owned()
    } else {
        shown.join(" ")
    }
}

/// When the state began, such as `since 05:39 UTC`; with the date if that is a day or more ago.
fn start(notification: &Notification) -> String {
    let age = notification.at.duration_since(notification.since).as_hours();
    let format = if age < 24 {
        "since %H:%M UTC"
    } else {
        "since %Y-%m-%d %H:%M UTC"
    };
    notification.since.strftime(format).to_string()
}

/// A time in UTC to the second, such as `2026-11-22 05:39:00 UTC`.
pub fn utc_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elapsed_shows_two_largest_units() {
        let at = |second| Timestamp::from_second(second).unwrap();
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (660, "11 min"),
            (7_505, "2 h 5 min"),
            (86_400, "1 d"),
            (86_459, "1 d"),
            (93_600, "1 d 2 h"),
            (-5, "0 s"),
        ] {
            assert_eq!(elapsed(at(0), at(seconds)), text);
        }
    }
}
