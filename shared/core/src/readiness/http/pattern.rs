//! Regular expressions that take linear time, for bodies and values in them.

use std::str::FromStr;
use std::sync::Arc;

use regex_lite::{Regex, RegexBuilder};

/// The maximum size of a compiled pattern, in bytes: a pattern such as `(a{1000}){1000}` is refused.
const MAX_COMPILED_BYTES: usize = 256 * 1024;

/// A regular expression that is searched in a text in linear time. `\d`, `\s`, `\w` and `\b` are ASCII, as in RE2; `\p{…}`
/// is not supported.
#[derive(Debug, Clone)]
pub struct Pattern(Arc<Regex>);

/// A text that is not a supported regular expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not a supported regular expression: {reason}")]
pub struct InvalidPattern {
    pub(crate) reason: String,
}

impl Pattern {
    /// Whether the pattern matches somewhere in the text.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for Pattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let built = RegexBuilder::new(text).size_limit(MAX_COMPILED_BYTES).build();
        let regex = built.map_err(|error| InvalidPattern {
            reason: error.to_string(),
        })?;
        Ok(Self(Arc::new(regex)))
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Pattern {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_pattern_is_refused() {
        assert!("(a{1000}){1000}".parse::<Pattern>().is_err());
        let pattern: Pattern = "(?i)status: \\w+".parse().unwrap();
        assert!(pattern.is_match("x STATUS: ok") && !pattern.is_match("status:"));
    }
}
