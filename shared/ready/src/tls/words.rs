//! Durations in messages about certificates.

/// A length of time, such as `40 days`.
pub(super) fn ago(seconds: u64) -> String {
    match seconds {
        0..3_600 => "less than an hour".to_owned(),
        3_600..172_800 => format!("{} hours", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
