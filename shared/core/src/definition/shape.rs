//! The shapes of values: what may be written in a field. Reading, the JSON Schema and the documentation use the same ones.

use std::time::Duration;

use super::diagnostic::one_of;
use crate::time::format_duration;
use crate::uptime::InvalidObjective;

/// The maximum duration of a field, as of [`crate::time::parse_duration`].
pub const MAX_DURATION: Duration = Duration::from_secs(366 * 86_400);
/// The maximum number of entries in a list, because the size of an item is limited.
pub const MAX_LIST: usize = 50;

/// The values that a field may have.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// A text.
    Text(TextShape),
    /// One of these words.
    Choice(fn() -> Vec<&'static str>),
    /// A duration such as `5s`.
    Duration {
        /// The minimum.
        min: Duration,
        /// The maximum.
        max: Duration,
    },
    /// A whole number.
    Number {
        /// The minimum.
        min: u32,
        /// The maximum.
        max: u32,
    },
    /// A percentage between 0 and 100, both exclusive, with at most 3 decimals.
    Percent,
    /// `true` or `false`.
    Bool,
    /// A list.
    List {
        /// The shape of each entry.
        of: &'static Shape,
        /// The minimum number of entries.
        min: usize,
        /// The maximum number of entries.
        max: usize,
    },
    /// A map with declared fields.
    Map(&'static [Subfield]),
    /// A map with exactly one of the declared fields.
    OneField(&'static [Subfield]),
    /// A map from monitor ids.
    ById(&'static Shape),
    /// A map from free names.
    ByName {
        /// The form of the names.
        name: &'static TextShape,
        /// The shape of each value.
        of: &'static Shape,
        /// The maximum number of entries.
        max: usize,
    },
    /// A text, a number, `true` or `false`.
    Scalar,
    /// The name of a secret. Messages never show the text, which may be the secret itself.
    Secret,
    /// One of several shapes.
    Either {
        /// What to write, for the help of a diagnostic.
        wanted: &'static str,
        /// The shapes.
        of: &'static [Shape],
    },
}

/// The form of a text.
#[derive(Debug, Clone, Copy)]
pub struct TextShape {
    /// What to write, for the help of a diagnostic.
    pub wanted: &'static str,
    /// Regular expressions that all match, in the common subset of ECMA-262 and RE2. They may accept more than the program
    /// does.
    pub patterns: &'static [&'static str],
    /// The maximum number of characters.
    pub max: usize,
}

/// One field of a nested map.
#[derive(Debug, Clone, Copy)]
pub struct Subfield {
    /// The name.
    pub name: &'static str,
    /// What the field is, in one sentence.
    pub about: &'static str,
    /// The values that it may have.
    pub shape: Shape,
    /// A value in YAML.
    pub example: &'static str,
}

impl Shape {
    /// A duration of at least `min`.
    pub(super) const fn duration_from(min: Duration) -> Self {
        let max = MAX_DURATION;
        Self::Duration { min, max }
    }

    /// A list of at least `min` entries.
    pub(super) const fn list(of: &'static Self, min: usize) -> Self {
        let max = MAX_LIST;
        Self::List { of, min, max }
    }

    /// What to write, for the help of a diagnostic; `example` is a value in YAML.
    pub fn wanted(&self, example: &str) -> String {
        match self {
            Self::Text(text) => text.wanted.to_owned(),
            Self::Choice(words) => one_of(&words()),
            Self::Duration { .. } => format!(
                "a duration {}, such as {example}",
                self.bounds().unwrap_or_default()
            ),
            Self::Number { .. } => format!("a whole number {}", self.bounds().unwrap_or_default()),
            Self::Percent => InvalidObjective::WANTED.to_owned(),
            Self::Bool => "true or false".to_owned(),
            Self::List { .. } => format!("a list such as {example}"),
            Self::Map(_) | Self::OneField(_) | Self::ById(_) | Self::ByName { .. } => {
                format!("a map such as {example}")
            }
            Self::Secret => SECRET.wanted.to_owned(),
            Self::Scalar => "a text, a number, true or false".to_owned(),
            Self::Either { wanted, .. } => (*wanted).to_owned(),
        }
    }

    /// The bounds of a number or a duration as text, such as `from 1 to 10`.
    pub fn bounds(&self) -> Option<String> {
        match self {
            Self::Number { min, max } => Some(format!("from {min} to {max}")),
            Self::Duration { min, max } if *max == MAX_DURATION => {
                Some(format!("of at least {}", format_duration(*min)))
            }
            Self::Duration { min, max } => Some(format!(
                "from {} to {}",
                format_duration(*min),
                format_duration(*max)
            )),
            Self::Text(_)
            | Self::Choice(_)
            | Self::Percent
            | Self::Bool
            | Self::List { .. }
            | Self::Map(_)
            | Self::OneField(_)
            | Self::ById(_)
            | Self::ByName { .. }
            | Self::Scalar
            | Self::Secret
            | Self::Either { .. } => None,
        }
    }
}

/// The form of the name of a secret.
pub const SECRET: TextShape = TextShape {
    wanted: "the name of a secret, such as ssm:/portpulse/shop",
    patterns: &["^(ssm:/|secretsmanager:|env:|file:)."],
    max: 1_024,
};

/// The words of an enumerated type.
macro_rules! words {
    ($type:ty) => {
        Shape::Choice(|| <$type>::ALL.iter().map(|value| value.as_str()).collect())
    };
}
pub(crate) use words;
