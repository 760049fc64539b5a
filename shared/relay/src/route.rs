//! Routing: which notifications a destination receives.

use std::collections::BTreeSet;

use portpulse_core::choice::Severity;
use portpulse_core::decide::Notification;
use portpulse_core::outbox::{Kind, Subject};

use crate::pattern::Pattern;
use crate::setting::SettingValue;
use crate::settings::Settings;

/// The filter of a destination: a notification must match every part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) severities: BTreeSet<Severity>,
    /// Notifications with any of these tags; `None` matches all.
    pub(crate) tags: Option<BTreeSet<String>>,
    /// Notifications about any of these monitors; `None` matches all.
    pub(crate) monitors: Option<Vec<Pattern>>,
}

impl Route {
    /// The route of a destination with these settings.
    pub(crate) fn new(settings: &Settings, default_severities: &[Severity]) -> Self {
        let mut route = Self {
            severities: default_severities.iter().copied().collect(),
            tags: None,
            monitors: None,
        };
        for value in settings.values() {
            match value {
                SettingValue::Severities(severities) => route.severities.clone_from(severities),
                SettingValue::Tags(tags) => route.tags = Some(tags.clone()),
                SettingValue::Monitors(patterns) => route.monitors = Some(patterns.clone()),
                SettingValue::Secret(_) | SettingValue::Text(_) | SettingValue::Duration(_) => {}
            }
        }
        route
    }

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
