//! Which notifications a destination is told of.

use std::collections::BTreeSet;

use portpulse_core::choice::Severity;
use portpulse_core::decide::Notification;
use portpulse_core::outbox::{Kind, Subject};

/// What a destination is told of: a notification that fits every part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) severities: BTreeSet<Severity>,
    /// Any of these tags; all notifications if absent.
    pub(crate) tags: Option<BTreeSet<String>>,
    /// Any of these monitors; all notifications if absent.
    pub(crate) monitors: Option<Vec<Pattern>>,
}

/// A monitor's id, or the beginning of one and `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pattern {
    Exactly(String),
    Beginning(String),
}

impl Pattern {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let id = text.strip_suffix('*').unwrap_or(text);
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
        if id.len() > 64 || !id.chars().all(fits) || text.is_empty() {
            return Err(
                "write a monitor's id such as orders-db, or the beginning of some such as orders-*"
                    .to_owned(),
            );
        }
        Ok(if text.ends_with('*') {
            Self::Beginning(id.to_owned())
        } else {
            Self::Exactly(id.to_owned())
        })
    }

    fn fits(&self, id: &str) -> bool {
        match self {
            Self::Exactly(known) => id == known,
            Self::Beginning(beginning) => id.starts_with(beginning),
        }
    }
}

impl Route {
    /// Whether the destination is told of this.
    ///
    /// A test that is of no monitor goes everywhere.
    pub(crate) fn takes(&self, notification: &Notification) -> bool {
        if (notification.kind, &notification.subject) == (Kind::Test, &Subject::Portpulse) {
            return true;
        }
        let id = match &notification.subject {
            Subject::Monitor(id) => Some(id.as_str()),
            Subject::Definition(id) => Some(id.as_str()),
            Subject::Location(_) | Subject::Portpulse => None,
        };
        let by_tag = self
            .tags
            .as_ref()
            .is_none_or(|tags| notification.tags.iter().any(|tag| tags.contains(tag)));
        let by_monitor = self
            .monitors
            .as_ref()
            .is_none_or(|patterns| id.is_some_and(|id| patterns.iter().any(|pattern| pattern.fits(id))));
        !self.severities.is_disjoint(&notification.audience) && by_tag && by_monitor
    }
}
