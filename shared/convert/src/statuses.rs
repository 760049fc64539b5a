//! Sets of HTTP statuses, as conditions of sources narrow them.

use serde_json::{Value, json};

const FIRST: u16 = 100;
const LAST: u16 = 999;
/// The maximum number of entries in `http.status`.
const MAX_ENTRIES: usize = 16;

/// The statuses from 100 to 999 that count as a success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statuses(Vec<u16>);

impl Statuses {
    pub(crate) fn all() -> Self {
        Self((FIRST..=LAST).collect())
    }

    /// Keeps only these statuses.
    pub(crate) fn keep(&mut self, is_kept: impl Fn(u16) -> bool) {
        self.0.retain(|status| is_kept(*status));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of `http.status`.
    ///
    /// # Errors
    /// The reason, if the set has no status or too many ranges.
    pub(crate) fn field(&self) -> Result<Value, &'static str> {
        let mut ranges: Vec<(u16, u16)> = Vec::new();
        for status in &self.0 {
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(*status) => *last = *status,
                _ => ranges.push((*status, *status)),
            }
        }
        match ranges.len() {
            0 => Err("No status meets these conditions."),
            1..=MAX_ENTRIES => {
                let range = |(first, last): (u16, u16)| {
                    if first == last {
                        json!(first)
                    } else {
                        json!(format!("{first}-{last}"))
                    }
                };
                Ok(ranges.into_iter().map(range).collect())
            }
            _ => Err("`http.status` has at most 16 entries, so any status is accepted."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consecutive_statuses_become_ranges() {
        let check = |is_kept: fn(u16) -> bool, expected: Value| {
            let mut statuses = Statuses::all();
            statuses.keep(is_kept);
            assert_eq!(statuses.field().ok(), Some(expected));
        };
        check(|_| true, json!(["100-999"]));
        check(|status| status == 200, json!([200]));
        check(
            |status| matches!(status, 200..=202 | 301),
            json!(["200-202", 301]),
        );
        let mut odd = Statuses::all();
        odd.keep(|status| status % 2 == 1);
        assert!(odd.field().is_err());
        odd.keep(|_| false);
        assert!(odd.field().is_err());
    }
}
