//! The largest items and messages: what tests compute, against the table in `shared/store/README.md`.
#![expect(clippy::panic, reason = "it fails a test")]

use std::collections::BTreeSet;

const README: &str = include_str!("../../store/README.md");

/// The largest that one kind of item, or of message, can become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Largest {
    /// The kind, as the table names it.
    pub kind: &'static str,
    /// The most bytes of one item or message.
    pub bytes: usize,
    /// The most bytes that the service takes.
    pub limit: usize,
    /// Into how many items or messages the largest content is split.
    pub parts: usize,
}

impl Largest {
    /// The beginning of its row in the table.
    fn row(&self) -> String {
        let percent = (self.bytes * 100).div_ceil(self.limit);
        let Self {
            kind, bytes, parts, ..
        } = self;
        format!("| {kind} | {} | {percent} % | {parts} |", grouped(*bytes))
    }
}

/// Holds what was computed against the table.
///
/// # Panics
/// Where the table says something else: with the rows as they should begin.
pub fn assert_documented(computed: &[Largest]) {
    let row_of = |kind: &str| {
        README
            .lines()
            .find(|line| line.starts_with(&format!("| {kind} |")))
    };
    let wrong = computed.iter().filter(|largest| {
        let row = row_of(largest.kind);
        row.is_none_or(|row| !row.starts_with(&largest.row()))
    });
    let wrong: Vec<_> = wrong.map(Largest::row).collect();
    if !wrong.is_empty() {
        panic!(
            "the table in shared/store/README.md must say:\n{}",
            wrong.join("\n")
        );
    }
}

/// The kinds that the table names.
pub fn documented() -> BTreeSet<&'static str> {
    let rows = README.lines().filter_map(|line| line.strip_prefix("| "));
    let kinds = rows.filter_map(|row| row.split_once(" |")).map(|(kind, _)| kind);
    kinds.filter(|kind| *kind != "item or message").collect()
}

/// A number with commas.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
