//! What is wrong with a definition: where, what, and the mend.

use std::fmt;

/// The place of a value in a file or item, such as `monitors.orders-db.timeout`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(Vec<String>);

impl FieldPath {
    /// The whole file or item.
    pub fn root() -> Self {
        Self(Vec::new())
    }

    /// The value called `name` in this one.
    #[must_use]
    pub fn field(&self, name: &str) -> Self {
        let mut parts = self.0.clone();
        parts.push(name.to_owned());
        Self(parts)
    }

    /// The `index`th value of this list.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.field(&index.to_string())
    }

    /// What this stands in; `None` at the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, parents) = self.0.split_last()?;
        Some(Self(parents.to_vec()))
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

/// One mistake in a definition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{}{}{what} ({mend})", at, if at.to_string().is_empty() { "" } else { ": " })]
pub struct Fault {
    /// Where it stands.
    pub at: FieldPath,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub mend: String,
}

impl Fault {
    /// A fault at a place.
    pub fn new(at: FieldPath, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            at,
            what: what.into(),
            mend: mend.into(),
        }
    }
}
