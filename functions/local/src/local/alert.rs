//! A published message, as its subscribers receive it: email text and JSON notifications.

use std::path::Path;

use jiff::Timestamp;
use portpulse_local_aws::sns::Published;
use serde_json::Value;

use crate::output::{BOLD, clock_time};
use crate::table_access::DEFAULT_DATA_DIR;

/// A message that was published to the topic.
pub(crate) struct Alert {
    subject: String,
    email: String,
    /// The notifications in the message, as JSON.
    pub(crate) notifications: Vec<Value>,
}

impl Alert {
    /// Converts a published message; `data` is the data directory that its commands must name.
    pub(crate) fn of(published: &Published, data: &Path) -> Self {
        // Text that is not JSON contains no notifications.
        let message: Value = serde_json::from_str(published.text("default")).unwrap_or_default();
        let notifications = match message.get("notifications").and_then(Value::as_array) {
            Some(several) => several.clone(),
            None if message.is_object() => vec![message],
            None => Vec::new(),
        };
        Self {
            subject: published.subject.clone().unwrap_or_default(),
            email: with_data_option(published.text("email"), data),
            notifications,
        }
    }

    /// The email, below the current time and the subject.
    pub(crate) fn lines(&self, now: Timestamp) -> Vec<String> {
        let mut lines = vec![format!("{BOLD}{}  {}{BOLD:#}", clock_time(now), self.subject)];
        lines.extend(
            self.email
                .trim_end()
                .lines()
                .map(|line| format!("    {line}").trim_end().to_owned()),
        );
        lines
    }
}

/// Adds `--data` to the commands in an email, unless the data directory is the default.
fn with_data_option(email: &str, data: &Path) -> String {
    if data == Path::new(DEFAULT_DATA_DIR) {
        return email.to_owned();
    }
    let is_command = |line: &str| {
        let rest = line.strip_prefix("Silence").or_else(|| line.strip_prefix("Ack"));
        rest.is_some_and(|rest| rest.trim_start().starts_with("portpulse "))
    };
    let option = format!(" --data {}", shell_quoted(data));
    let lines = email.lines().map(|line| {
        let option = if is_command(line) { option.as_str() } else { "" };
        format!("{line}{option}\n")
    });
    lines.collect()
}

/// A path, quoted for a shell if necessary.
pub(crate) fn shell_quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    if text.chars().all(is_plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_name_the_data_dir_unless_it_is_the_default() {
        let email = "db is down.\n\nDetail    \"Ack portpulse\"\nSilence   portpulse silence db --for 2h\nAck       portpulse ack db\nId        db@x/down\n";
        assert_eq!(with_data_option(email, Path::new(DEFAULT_DATA_DIR)), email);
        let notified = "db is down.\n\nDetail    \"Ack portpulse\"\nSilence   portpulse silence db --for 2h --data '/a b/it'\\''s'\nAck       portpulse ack db --data '/a b/it'\\''s'\nId        db@x/down\n";
        assert_eq!(with_data_option(email, Path::new("/a b/it's")), notified);
        assert_eq!(
            shell_quoted(Path::new("/tmp/portpulse-demo-12")),
            "/tmp/portpulse-demo-12"
        );
    }
}
