//! A message as its subscribers get it: an email for people, notifications for programs.

use jiff::Timestamp;
use portpulse_testkit::sns::Published;
use serde_json::Value;

use super::watch::TITLE;
use crate::output::clock_time;

/// A message that SNS accepted.
pub(crate) struct Alert {
    subject: String,
    email: String,
    /// The notifications in it, as programs get them.
    pub(crate) notifications: Vec<Value>,
}

impl Alert {
    pub(crate) fn of(published: &Published) -> Self {
        // What is not JSON is for people alone.
        let message: Value = serde_json::from_str(published.text("default")).unwrap_or_default();
        let notifications = match message.get("notifications").and_then(Value::as_array) {
            Some(several) => several.clone(),
            None if message.is_object() => vec![message],
            None => Vec::new(),
        };
        Self {
            subject: published.subject.clone().unwrap_or_default(),
            email: published.text("email").to_owned(),
            notifications,
        }
    }

    /// The email, under the time of its arrival.
    pub(crate) fn lines(&self, now: Timestamp) -> Vec<String> {
        let mut lines = vec![format!("{TITLE}{}  {}{TITLE:#}", clock_time(now), self.subject)];
        lines.extend(
            self.email
                .trim_end()
                .lines()
                .map(|line| format!("    {line}").trim_end().to_owned()),
        );
        lines
    }
}
