//! What people read of a notification in one line: the headline and the words for a cause.

use jiff::Timestamp;
use portpulse_core::decide::{Notification, View};
use portpulse_core::group_state::{Cause, Status};
use portpulse_core::outbox::{Kind, Subject};
use portpulse_core::outcome::{DnsFailure, FailureClass};

use crate::text::plain;

/// The most bytes of a definition's id that are shown: it may be any text.
const MAX_NAME: usize = 80;

/// What it is about, on one line.
pub fn name(subject: &Subject) -> String {
    plain(&subject.to_string(), MAX_NAME)
}

/// The change in one line, such as `DOWN: orders-db - the connection was refused`.
pub fn headline(notification: &Notification) -> String {
    let name = name(&notification.subject);
    let cause = notification.finding.as_ref().map(|finding| words(finding.cause));
    let because = cause.map(|words| format!(" - {words}")).unwrap_or_default();
    let lasted = lasting(notification.since, notification.at);
    match notification.kind {
        Kind::Down => format!("DOWN: {name}{because}"),
        Kind::Exposed => format!("EXPOSED: {name}{because}"),
        Kind::Degraded => format!("DEGRADED: {name}{because}"),
        Kind::CertificateExpiring => format!("CERTIFICATE EXPIRING: {name}{}", notified(notification)),
        Kind::Unknown => format!("UNKNOWN: {name}{because}"),
        Kind::Recovered => format!("RECOVERED: {name} - after {lasted}"),
        Kind::Reminder => {
            let state = adjective(notification.status).to_uppercase();
            format!("STILL {state}: {name} - for {lasted}")
        }
        Kind::Flapping => {
            let state = adjective(notification.status);
            format!("FLAPPING: {name} - {state} and back, again and again")
        }
        Kind::Escalated => {
            let state = adjective(notification.status).to_uppercase();
            format!("ESCALATED: {name} - {state} for {lasted}")
        }
        Kind::Advisory => format!("ADVISORY: {name} - failing only in {}", failing(notification)),
        Kind::AdvisoryOver => match notification.status {
            Status::Up => format!("ADVISORY OVER: {name} - no location sees it failing any more"),
            worse @ (Status::Degraded | Status::Down | Status::Exposed | Status::Unknown) => {
                format!("ADVISORY OVER: {name} - it is {} now", adjective(worse))
            }
        },
        Kind::LocationSilent => format!("REGION SILENT: {name} does not report"),
        Kind::LocationBack => format!("REGION BACK: {name} reports again"),
        Kind::LocationSuspect => format!("REGION SUSPECT: {name} alone sees most monitors failing"),
        Kind::LocationTrusted => format!("REGION TRUSTED: {name} counts again"),
        Kind::BrokenDefinition => format!("BROKEN DEFINITION: {name} is not checked"),
        Kind::Test => format!("TEST: {name} - nothing is wrong, this is a test message"),
    }
}

/// The finding's own words, where it has some.
fn notified(notification: &Notification) -> String {
    let finding = notification.finding.as_ref();
    let detail = finding.and_then(|finding| finding.detail.as_ref());
    detail.map(|detail| format!(" - {detail}")).unwrap_or_default()
}

/// The locations that see it failing.
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

/// What the change means, in a sentence.
pub fn sentence(notification: &Notification) -> String {
    let name = name(&notification.subject);
    let lasted = lasting(notification.since, notification.at);
    let state = adjective(notification.status);
    match notification.kind {
        Kind::Down => format!("{name} is down."),
        Kind::Exposed => format!("{name} is open, and should be closed."),
        Kind::Degraded => format!("{name} answers, but not as well as it should."),
        Kind::CertificateExpiring => format!("{name} answers, but its certificate is about to expire."),
        Kind::Unknown => format!("No location can tell how {name} is."),
        Kind::Recovered => format!("{name} is as it should be again. It was {state} for {lasted}."),
        Kind::Reminder => format!("{name} is still {state}, for {lasted} now."),
        Kind::Flapping => format!(
            "{name} changes between {state} and well more often than it is told. You hear of it again when it is stable."
        ),
        Kind::Escalated => format!(
            "{name} is {state} for {lasted} now, and nobody has acknowledged it. It is critical from now on."
        ),
        Kind::Advisory => format!("Some locations see {name} failing, too few to call it down."),
        Kind::AdvisoryOver => match notification.status {
            Status::Up => format!("No location sees {name} failing any more. Some did for {lasted}."),
            Status::Degraded | Status::Down | Status::Exposed | Status::Unknown => format!(
                "{name} is {state}: enough locations see it failing to say so. Some did for {lasted} before."
            ),
        },
        Kind::LocationSilent => {
            format!("The checker in {name} does not report. Its location is not counted until it does.")
        }
        Kind::LocationBack => format!("The checker in {name} reports again, after {lasted}."),
        Kind::LocationSuspect => format!(
            "{name} sees most of its monitors failing, and no other location does. It is not counted until that ends."
        ),
        Kind::LocationTrusted => {
            format!("{name} sees what the others see again, after {lasted}, and is counted.")
        }
        Kind::BrokenDefinition => {
            format!("The definition of {name} cannot be read. It is not checked until it is mended.")
        }
        Kind::Test => match notification.subject {
            Subject::Monitor(_) => {
                format!("Nothing is wrong. This is a test message, on the way that alerts of {name} take.")
            }
            Subject::Location(_) | Subject::Definition(_) | Subject::Portpulse => {
                "Nothing is wrong. This is a test message, on the way that alerts take.".to_owned()
            }
        },
    }
}

/// What was found, for people.
pub const fn words(cause: Cause) -> &'static str {
    match cause {
        Cause::Failed(FailureClass::Refused) => "the connection was refused",
        Cause::Failed(FailureClass::Timeout) => "nothing answered in time",
        Cause::Failed(FailureClass::Unreachable) => "the host or network cannot be reached",
        Cause::Failed(FailureClass::Reset) => "the connection was reset",
        Cause::Failed(FailureClass::Dns(DnsFailure::NotFound)) => "its name does not exist",
        Cause::Failed(FailureClass::Dns(DnsFailure::ServerFailure)) => "its name servers fail",
        Cause::Failed(FailureClass::Dns(DnsFailure::Timeout)) => "its name servers do not answer",
        Cause::Failed(FailureClass::Tls) => "TLS failed",
        Cause::Failed(FailureClass::Closed) => "the service hung up before it answered",
        Cause::Failed(FailureClass::Silent) => "the service accepted, then said nothing",
        Cause::Failed(FailureClass::Busy) => "the service is at a limit",
        Cause::Failed(FailureClass::Starting) => "the service is starting or stopping",
        Cause::Failed(FailureClass::Blocked) => "the service has banned the checker",
        Cause::Failed(FailureClass::WrongService) => "something else answers there",
        Cause::Failed(FailureClass::WrongAnswer) => "it answers, but not as it must",
        Cause::Open => "the port is open",
        Cause::Slow => "it is slow",
        Cause::Warned => "the service gives a warning",
        Cause::Certificate => "its certificate is about to expire",
        Cause::NoData => "no location has data",
    }
}

pub(crate) const fn adjective(status: Status) -> &'static str {
    match status {
        Status::Up => "up",
        Status::Degraded => "degraded",
        Status::Down => "down",
        Status::Exposed => "exposed",
        Status::Unknown => "unknown",
    }
}

/// The time between two times, in the two largest units that say it.
pub fn lasting(since: Timestamp, until: Timestamp) -> String {
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

/// A time as an email shows it, in UTC to the second.
pub fn clock(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_its_two_largest_units() {
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
            assert_eq!(lasting(at(0), at(seconds)), text);
        }
    }
}
