//! Where a notification stands in the life of what it tells, and the name under which pagers keep that.

use portpulse_core::choice::Severity;
use portpulse_core::decide::Notification;
use portpulse_core::outbox::{Kind, Subject};
use sha2::{Digest, Sha256};

/// Whether what a notification tells goes on or is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It begins, or still is so.
    On,
    /// It has ended.
    Over,
}

impl Stage {
    pub(crate) fn of(kind: Kind) -> Self {
        match kind {
            Kind::Down
            | Kind::Exposed
            | Kind::Degraded
            | Kind::CertificateExpiring
            | Kind::Unknown
            | Kind::Reminder
            | Kind::Advisory
            | Kind::RegionSilent
            | Kind::RegionSuspect
            | Kind::BrokenDefinition => Self::On,
            Kind::Recovered | Kind::AdvisoryOver | Kind::RegionBack | Kind::RegionTrusted => Self::Over,
        }
    }
}

/// The severity by which a notification is routed: an end goes wherever its beginning went.
pub(crate) fn routed_as(notification: &Notification) -> Severity {
    match notification.kind {
        // A region that is silent or suspect is told as a warning, its return as information.
        Kind::RegionBack | Kind::RegionTrusted => notification.severity.min(Severity::Warning),
        Kind::Down
        | Kind::Exposed
        | Kind::Degraded
        | Kind::CertificateExpiring
        | Kind::Unknown
        | Kind::Recovered
        | Kind::Reminder
        | Kind::Advisory
        | Kind::AdvisoryOver
        | Kind::RegionSilent
        | Kind::RegionSuspect
        | Kind::BrokenDefinition => notification.severity,
    }
}

/// The name of an alert in a pager: the same from the beginning of an incident to its end, in at most 255 characters.
pub(crate) fn alert_key(notification: &Notification) -> String {
    let key = match (&notification.subject, notification.kind) {
        // What a region's silence and its return have in common is the region.
        (Subject::Region(region), Kind::RegionSilent | Kind::RegionBack) => format!("region/{region}/silent"),
        (Subject::Region(region), Kind::RegionSuspect | Kind::RegionTrusted) => {
            format!("region/{region}/suspect")
        }
        // `orders-db@2026-11-22T05:40:00Z.7/down` belongs to the incident `orders-db@2026-11-22T05:40:00Z.7`.
        (Subject::Monitor(_) | Subject::Region(_) | Subject::Definition(_), _) => {
            let id = notification.id.as_str();
            id.rsplit_once('/')
                .map_or(id, |(incident, _)| incident)
                .to_owned()
        }
    };
    bounded(&key)
}

/// An id that keys can hold: itself, or where it is long or does not print, what stands for it.
pub(crate) fn bounded(id: &str) -> String {
    if (1..=255).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic()) {
        return id.to_owned();
    }
    let digest = Sha256::digest(id.as_bytes());
    format!("sha256-{}", hex(&digest))
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_no_key_can_hold_is_named_by_its_hash() {
        assert_eq!(bounded("a@b/c"), "a@b/c");
        for foreign in ["", "a b", "ü", &"x".repeat(256)] {
            assert_eq!(bounded(foreign).len(), "sha256-".len() + 64, "{foreign}");
        }
        assert_ne!(bounded("a b"), bounded("a  b"));
    }
}
