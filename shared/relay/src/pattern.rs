//! Patterns of monitor ids.

/// A monitor id, or a prefix followed by `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pattern {
    Exact(String),
    Prefix(String),
}

impl Pattern {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let id = text.strip_suffix('*').unwrap_or(text);
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
        if id.len() > 64 || !id.chars().all(fits) || text.is_empty() {
            return Err("use a monitor id such as orders-db, or a prefix such as orders-*".to_owned());
        }
        Ok(if text.ends_with('*') {
            Self::Prefix(id.to_owned())
        } else {
            Self::Exact(id.to_owned())
        })
    }

    /// Whether the pattern matches a monitor id.
    pub(crate) fn matches(&self, id: &str) -> bool {
        match self {
            Self::Exact(exact) => id == exact,
            Self::Prefix(prefix) => id.starts_with(prefix),
        }
    }
}
