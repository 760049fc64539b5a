//! The id of the incident that a notification belongs to, as pagers and the ledger use it.

use portpulse_core::decide::Notification;
use portpulse_core::outbox::{Kind, Stage, Subject};
use sha2::{Digest, Sha256};

/// The key of the alert in a pager: the same from the start of an incident to its end, at most 255 characters.
pub(crate) fn alert_key(notification: &Notification) -> String {
    split_id(&notification.id).0
}

/// Splits the id of a notification into incident and part: `orders-db@2026-11-22T05:40:00Z.7/down` is the part `down` of
/// the incident `orders-db@2026-11-22T05:40:00Z.7`, and `eu-west-1.7/location_silent` a part of `eu-west-1.7`.
pub(crate) fn split_id(id: &str) -> (String, String) {
    let (incident, part) = id.rsplit_once('/').unwrap_or((id, ""));
    (bounded(incident), bounded(part))
}

/// The kind of the notification that ends the incident, the advisory or the location problem of this one. `None` if this
/// one is itself an end, or if it has no end.
pub(crate) fn end_kind(notification: &Notification) -> Option<Kind> {
    if notification.kind.stage() != Stage::Active {
        return None;
    }
    match (&notification.subject, notification.kind) {
        (Subject::Monitor(_), Kind::Advisory) => Some(Kind::AdvisoryOver),
        (Subject::Monitor(_), _) => Some(Kind::Recovered),
        (Subject::Location(_), Kind::LocationSilent) => Some(Kind::LocationBack),
        (Subject::Location(_), Kind::LocationSuspect) => Some(Kind::LocationTrusted),
        (Subject::Portpulse, Kind::HomeUnreachable) => Some(Kind::HomeReachable),
        (Subject::Location(_) | Subject::Definition(_) | Subject::Portpulse, _) => None,
    }
}

/// An id of at most 255 printable ASCII characters: unchanged if it is one, otherwise its hash.
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
    fn unsuitable_id_is_replaced_by_its_hash() {
        assert_eq!(bounded("a@b/c"), "a@b/c");
        for foreign in ["", "a b", "ü", &"x".repeat(256)] {
            assert_eq!(bounded(foreign).len(), "sha256-".len() + 64, "{foreign}");
        }
        assert_ne!(bounded("a b"), bounded("a  b"));
    }
}
