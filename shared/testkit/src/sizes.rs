//! Compares computed maximum sizes of items and messages with the table in `shared/store/README.md`.
#![expect(clippy::panic, reason = "a difference fails the test")]

use std::collections::BTreeSet;

const README: &str = include_str!("../../store/README.md");

/// The maximum size of one kind of item or message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Largest {
    /// The kind, as in the table.
    pub kind: &'static str,
    /// The maximum bytes of one item or message.
    pub bytes: usize,
    /// The service's limit in bytes.
    pub limit: usize,
    /// The number of items or messages for the largest content.
    pub parts: usize,
}

impl Largest {
    /// The beginning of the row in the table.
    fn row(&self) -> String {
        let percent = (self.bytes * 100).div_ceil(self.limit);
        let Self {
            kind, bytes, parts, ..
        } = self;
        format!("| {kind} | {} | {percent} % | {parts} |", grouped(*bytes))
    }
}

/// Asserts that the table contains the computed sizes.
///
/// # Panics
/// If the table differs. The message has the expected beginnings of the rows.
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
            "wrong sizes in shared/store/README.md, expected:\n{}",
            wrong.join("\n")
        );
    }
}

/// All kinds in the table.
pub fn documented() -> BTreeSet<&'static str> {
    let rows = README.lines().filter_map(|line| line.strip_prefix("| "));
    let kinds = rows.filter_map(|row| row.split_once(" |")).map(|(kind, _)| kind);
    kinds.filter(|kind| *kind != "item or message").collect()
}

/// Formats a number with thousands separators.
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
