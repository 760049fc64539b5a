//! What was not carried over as it was, and why.

use std::fmt;

use portpulse_core::text::plain;
use serde::Serialize;

/// How something fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A monitor, or a part of one, that Portpulse cannot have.
    Lost,
    /// It is carried over, and means something else now.
    Changed,
    /// The other program may know it; this one does not.
    Unknown,
    /// It has nothing to do with what is watched.
    NotNeeded,
}

/// One thing that was not carried over as it was. Values are not repeated: some are secrets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Left {
    /// How it fared.
    pub kind: Kind,
    /// The monitor, as its source calls it; or the file.
    pub of: String,
    /// Which field; empty for the whole.
    pub field: String,
    /// Why, and what to do about it.
    pub why: String,
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { of, field, why, .. } = self;
        if field.is_empty() {
            write!(f, "{of}: {why}")
        } else {
            write!(f, "{of}: {field}: {why}")
        }
    }
}

/// Text of another program on one line, so that it cannot do anything to a terminal or a comment.
pub(crate) fn tame(text: &str) -> String {
    const MAX: usize = 120;
    let mut tame = plain(&text.chars().take(MAX).collect::<String>());
    if text.chars().nth(MAX).is_some() {
        tame.push('…');
    }
    tame.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::tame;

    #[test]
    fn text_of_others_stays_on_its_line_and_leaves_the_terminal_alone() {
        assert_eq!(tame(" a\nb\u{1b}[31m\u{2028}c\u{202e} "), "a b [31m c");
        assert_eq!(tame(&"x".repeat(200)).chars().count(), 121);
    }
}
