//! The name under which pagers keep what a notification tells.

use portpulse_core::decide::Notification;
use portpulse_core::outbox::{Kind, Stage, Subject};
use sha2::{Digest, Sha256};

/// The name of an alert in a pager: the same from the beginning of an incident to its end, in at most 255 characters.
pub(crate) fn alert_key(notification: &Notification) -> String {
    // `orders-db@2026-11-22T05:40:00Z.7/down` belongs to the incident `orders-db@2026-11-22T05:40:00Z.7`, and so does
    // `eu-west-1.7/region_silent` to the trouble `eu-west-1.7`.
    let id = notification.id.as_str();
    bounded(id.rsplit_once('/').map_or(id, |(incident, _)| incident))
}

/// The id under which the end of what this notification tells is told: of a monitor's incident, of its advisory, or of
/// a region's trouble. `None` for what is itself an end, and for what has none of its own.
pub(crate) fn end_id(notification: &Notification) -> Option<String> {
    if notification.kind.stage() != Stage::On {
        return None;
    }
    let (incident, _) = notification.id.rsplit_once('/')?;
    let end = match (&notification.subject, notification.kind) {
        (Subject::Monitor(_), Kind::Advisory) => Kind::AdvisoryOver,
        (Subject::Monitor(_), _) => Kind::Recovered,
        (Subject::Region(_), Kind::RegionSilent) => Kind::RegionBack,
        (Subject::Region(_), Kind::RegionSuspect) => Kind::RegionTrusted,
        (Subject::Region(_) | Subject::Definition(_) | Subject::Portpulse, _) => return None,
    };
    Some(format!("{incident}/{end}"))
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
