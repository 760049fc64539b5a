//! What is declared about a field of a monitor.

use super::shape::Shape;

/// The declaration of one field.
#[derive(Debug, Clone, Copy)]
pub struct FieldDeclaration {
    /// What the field is, in one sentence without a full stop.
    pub about: &'static str,
    /// The values that it may have.
    pub shape: Shape,
    /// Valid values in YAML; messages show the first.
    pub examples: &'static [&'static str],
    /// What applies if no layer sets the field.
    pub absent: &'static str,
    /// Where the field may be written.
    pub place: Place,
    /// How a monitor's own value combines with the value in `defaults:`.
    pub merge: Merge,
    /// The section of the documentation.
    pub topic: Topic,
    /// How `portpulse export` treats the field.
    pub export: Export,
}

impl FieldDeclaration {
    /// What to write, for the help of a diagnostic.
    pub(super) fn wanted(&self) -> String {
        let example = self.examples.first().copied();
        self.shape.wanted(example.unwrap_or_default())
    }
}

/// Where a field may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In a monitor and in `defaults:`.
    Everywhere,
    /// In a monitor only.
    Monitor,
    /// In a monitor of a file only: a list that makes one monitor for each entry, which is the value of the field with this
    /// name.
    Expansion(&'static str),
    /// In the items of the table only, where other parts of the file are stored.
    Item,
}

/// How a monitor's own value combines with the value in `defaults:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// The own value replaces the default.
    Replace,
    /// The entries of the own list are added to those of the default.
    Union,
    /// The fields of the own map replace the same fields of the default; other fields of the default stay.
    Keys,
}

/// A section of the documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// What is monitored.
    Target,
    /// How it is checked.
    Check,
    /// When an incident opens, and who is notified.
    Incidents,
    /// How it is shown.
    Display,
    /// Not for users.
    Internal,
}

/// How `portpulse export` treats a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Export {
    /// The target, its module or its labels express the field.
    Exported,
    /// The field is not exported, for this reason.
    Lost(&'static str),
}
