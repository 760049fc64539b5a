//! JSONPaths (RFC 9535), limited to those that take little time.

use std::str::FromStr;
use std::sync::Arc;

use serde_json::Value;

/// The maximum depth of brackets and parentheses in a JSONPath: the parser takes twice the time for each nested filter.
const MAX_PATH_DEPTH: usize = 6;
/// The maximum number of `..` in a JSONPath: each multiplies the selected values by up to the depth of the body.
const MAX_DESCENTS: usize = 2;

/// A JSONPath (RFC 9535), such as `$.status` or `$.items[0].name`.
#[derive(Debug, Clone)]
pub struct JsonPath {
    text: String,
    path: Arc<serde_json_path::JsonPath>,
}

/// A text that is not a supported JSONPath.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidJsonPath {
    /// The text is not a JSONPath.
    #[error("is not a JSONPath")]
    Malformed,
    /// Brackets and parentheses are nested too deeply.
    #[error("nests brackets more than {} deep", MAX_PATH_DEPTH)]
    Depth,
    /// Too many parts select all descendants.
    #[error("contains `..` more than {} times", MAX_DESCENTS)]
    Descents,
}

impl JsonPath {
    /// The selected values of a body, in the order of the body.
    pub(super) fn select<'a>(&self, body: &'a Value) -> Vec<&'a Value> {
        self.path.query(body).all()
    }

    /// The path as written.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for JsonPath {
    type Err = InvalidJsonPath;

    fn from_str(text: &str) -> Result<Self, InvalidJsonPath> {
        let (depth, descents) = complexity(text);
        if depth > MAX_PATH_DEPTH {
            return Err(InvalidJsonPath::Depth);
        }
        if descents > MAX_DESCENTS {
            return Err(InvalidJsonPath::Descents);
        }
        let path = serde_json_path::JsonPath::parse(text).map_err(|_| InvalidJsonPath::Malformed)?;
        Ok(Self {
            text: text.to_owned(),
            path: Arc::new(path),
        })
    }
}

impl PartialEq for JsonPath {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for JsonPath {}

/// The depth of brackets and parentheses of a JSONPath, and the number of `..`, both outside quoted names.
fn complexity(path: &str) -> (usize, usize) {
    let (mut depth, mut max_depth, mut descents) = (0_usize, 0, 0);
    let mut quote = None;
    let mut chars = path.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(_), '\\') => drop(chars.next()),
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '[' | '(') => {
                depth += 1;
                max_depth = max_depth.max(depth);
            }
            (None, ']' | ')') => depth = depth.saturating_sub(1),
            (None, '.') if chars.next_if_eq(&'.').is_some() => descents += 1,
            (None, _) => {}
        }
    }
    (max_depth, descents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_that_takes_exponential_time_is_refused() {
        let nested = |depth: usize| format!("$[?{}@.a{}]", "@[?".repeat(depth - 1), "]".repeat(depth - 1));
        for (path, expected) in [
            (nested(MAX_PATH_DEPTH), None),
            (nested(MAX_PATH_DEPTH + 1), Some(InvalidJsonPath::Depth)),
            (
                format!("$[?{}", "(".repeat(MAX_PATH_DEPTH)),
                Some(InvalidJsonPath::Depth),
            ),
            ("$..a..b".to_owned(), None),
            (format!("${}", "..*".repeat(9)), Some(InvalidJsonPath::Descents)),
            // In a quoted name, neither counts.
            (r#"$['((((((((\'...]..*..*..*']["....(((((("]"#.to_owned(), None),
            ("$.a[".to_owned(), Some(InvalidJsonPath::Malformed)),
        ] {
            assert_eq!(path.parse::<JsonPath>().err(), expected, "{path}");
        }
    }
}
