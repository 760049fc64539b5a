//! A message as its subscribers get it: an email for people, notifications for programs.

use std::path::Path;

use jiff::Timestamp;
use portpulse_local_aws::sns::Published;
use serde_json::Value;

use crate::output::{TITLE, clock_time};
use crate::place::FOLDER;

/// A message that SNS accepted.
pub(crate) struct Alert {
    subject: String,
    email: String,
    /// The notifications in it, as programs get them.
    pub(crate) notifications: Vec<Value>,
}

impl Alert {
    /// As this was published by a watch that keeps its data in this folder.
    pub(crate) fn of(published: &Published, data: &Path) -> Self {
        // What is not JSON is for people alone.
        let message: Value = serde_json::from_str(published.text("default")).unwrap_or_default();
        let notifications = match message.get("notifications").and_then(Value::as_array) {
            Some(several) => several.clone(),
            None if message.is_object() => vec![message],
            None => Vec::new(),
        };
        Self {
            subject: published.subject.clone().unwrap_or_default(),
            email: reaching(published.text("email"), data),
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

/// The email with commands that reach the data in this folder, wherever they are typed.
fn reaching(email: &str, data: &Path) -> String {
    if data == Path::new(FOLDER) {
        return email.to_owned();
    }
    let is_command = |line: &str| {
        let rest = line.strip_prefix("Silence").or_else(|| line.strip_prefix("Ack"));
        rest.is_some_and(|rest| rest.trim_start().starts_with("portpulse "))
    };
    let option = format!(" --data {}", shell_word(data));
    let lines = email.lines().map(|line| {
        let option = if is_command(line) { option.as_str() } else { "" };
        format!("{line}{option}\n")
    });
    lines.collect()
}

/// A path as one types it.
pub(crate) fn shell_word(path: &Path) -> String {
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
    fn commands_name_the_folder_unless_it_is_the_usual_one() {
        let email = "db is down.\n\nDetail    \"Ack portpulse\"\nSilence   portpulse silence db --for 2h\nAck       portpulse ack db\nId        db@x/down\n";
        assert_eq!(reaching(email, Path::new(FOLDER)), email);
        let notified = "db is down.\n\nDetail    \"Ack portpulse\"\nSilence   portpulse silence db --for 2h --data '/a b/it'\\''s'\nAck       portpulse ack db --data '/a b/it'\\''s'\nId        db@x/down\n";
        assert_eq!(reaching(email, Path::new("/a b/it's")), notified);
        assert_eq!(
            shell_word(Path::new("/tmp/portpulse-demo-12")),
            "/tmp/portpulse-demo-12"
        );
    }
}
