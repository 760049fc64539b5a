//! Routing: which notifications a destination receives.

use std::collections::BTreeSet;

use portpulse_core::choice::Severity;
use portpulse_core::decide::Notification;
use portpulse_core::outbox::{Kind, Subject};

/// The filter of a destination: a notification must match every part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) severities: BTreeSet<Severity>,
    /// Notifications with any of these tags; `None` matches all.
    pub(crate) tags: Option<BTreeSet<String>>,
    /// Notifications about any of these monitors; `None` matches all.
    pub(crate) monitors: Option<Vec<Pattern>>,
}

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

    fn matches(&self, id: &str) -> bool {
        match self {
            Self::Exact(exact) => id == exact,
            Self::Prefix(prefix) => id.starts_with(prefix),
        }
    }
}

impl Route {
    /// Whether the destination receives the notification.
    ///
    /// A test without a monitor goes to every destination.
    pub(crate) fn matches(&self, notification: &Notification) -> bool {
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
            .is_none_or(|patterns| id.is_some_and(|id| patterns.iter().any(|pattern| pattern.matches(id))));
        !self.severities.is_disjoint(&notification.audience) && by_tag && by_monitor
    }
}
