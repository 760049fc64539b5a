//! A directory with definitions and data for `portpulse local`, and helpers to read its JSON output.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::program::{Run, portpulse};

/// A temporary directory, removed on drop.
pub(crate) struct Workspace(pub(crate) PathBuf);

impl Workspace {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("portpulse-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Defines monitors that are checked every minute, with an incident from the first failed to the first successful check.
    pub(crate) fn define(&self, monitors: &[(&str, &str)]) {
        let mut text =
            "defaults: { tier: critical, timeout: 300ms, successes_to_close: 1 }\nmonitors:\n".to_owned();
        for (id, address) in monitors {
            let (host, port) = address.rsplit_once(':').unwrap();
            text.push_str(&format!("  {id}: {{ host: {host}, port: {port} }}\n"));
        }
        fs::write(self.0.join("monitors.yaml"), text).unwrap();
    }

    /// `portpulse local` with these data and this address of the status page.
    pub(crate) fn local(&self, data: &Path, listen: &str) -> Command {
        let mut command = portpulse();
        command.args(["local", "--listen", listen, "--monitors"]);
        command.arg(self.0.join("monitors.yaml")).arg("--data").arg(data);
        command
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.local(&self.0.join("data"), "off");
        command.args(args);
        command
    }

    /// Runs another command on the data.
    pub(crate) fn on_data(&self, args: &[&str]) -> Run {
        let mut command = portpulse();
        command.args(args).arg("--data").arg(self.0.join("data"));
        Run::of(command.env("USER", "ann").output().unwrap())
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        Run::of(self.command(args).output().unwrap())
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn of_type(lines: &[Value], kind: &str) -> Vec<Value> {
    lines
        .iter()
        .filter(|line| line["type"] == json!(kind))
        .cloned()
        .collect()
}

/// `down a`, `recovered a`, …
pub(crate) fn notified(lines: &[Value]) -> Vec<String> {
    let notifications = of_type(lines, "notification").into_iter();
    notifications
        .map(|line| {
            format!(
                "{} {}",
                line["kind"].as_str().unwrap(),
                line["monitor"].as_str().unwrap_or("-")
            )
        })
        .collect()
}

pub(crate) fn times(lines: &[Value]) -> Vec<String> {
    of_type(lines, "check")
        .iter()
        .map(|line| line["time"].as_str().unwrap().to_owned())
        .collect()
}
