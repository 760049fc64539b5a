//! What a notification belongs to: the incident, by the name under which pagers and the ledger keep it, and its place there.

use portpulse_core::decide::Notification;
use portpulse_core::outbox::{Kind, Stage, Subject};
use sha2::{Digest, Sha256};

/// The name of an alert in a pager: the same from the beginning of an incident to its end, in at most 255 characters.
pub(crate) fn alert_key(notification: &Notification) -> String {
    place(&notification.id).0
}

/// The incident of an id and what of it the id tells: `orders-db@2026-11-22T05:40:00Z.7/down` is the `down` of the
/// incident `orders-db@2026-11-22T05:40:00Z.7`, and `eu-west-1.7/location_silent` that of the trouble `eu-west-1.7`.
pub(crate) fn place(id: &str) -> (String, String) {
    let (incident, part) = id.rsplit_once('/').unwrap_or((id, ""));
    (bounded(incident), bounded(part))
}

/// What ends that which a notification tells of: a monitor's incident, its advisory, or a location's trouble. `None` for
/// what is itself an end, and for what has none of its own.
pub(crate) fn end_of(notification: &Notification) -> Option<Kind> {
    if notification.kind.stage() != Stage::On {
        return None;
    }
    match (&notification.subject, notification.kind) {
        (Subject::Monitor(_), Kind::Advisory) => Some(Kind::AdvisoryOver),
        (Subject::Monitor(_), _) => Some(Kind::Recovered),
        (Subject::Location(_), Kind::LocationSilent) => Some(Kind::LocationBack),
        (Subject::Location(_), Kind::LocationSuspect) => Some(Kind::LocationTrusted),
        (Subject::Location(_) | Subject::Definition(_) | Subject::Portpulse, _) => None,
    }
}

/// An id that keys can hold: itself, or where it is long or does not print, what stands for it.
fn bounded(id: &str) -> String {
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
