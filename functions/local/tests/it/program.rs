//! Runs the program and keeps what it said.

use std::io::{self, ErrorKind, Write};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// How a run ended.
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The program, with colours off whatever the environment of the tests says.
pub(crate) fn portpulse() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portpulse"));
    command
        .env("NO_COLOR", "1")
        .env_remove("CLICOLOR_FORCE")
        .env_remove("PORTPULSE_TABLE")
        .env_remove("PORTPULSE_HOME_REGION")
        .env_remove("PORTPULSE_TOPIC_ARN")
        .stdin(Stdio::null());
    command
}

pub(crate) fn run(args: &[&str]) -> Run {
    Run::of(portpulse().args(args).output().unwrap())
}

pub(crate) fn run_with_input(args: &[&str], input: &str) -> Run {
    let mut command = portpulse();
    command
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Who refuses its arguments may have ended before it read anything.
    let written = child.stdin.take().unwrap().write_all(input.as_bytes());
    let refused = |error: &io::Error| error.kind() == ErrorKind::BrokenPipe;
    assert!(written.as_ref().err().is_none_or(refused), "{written:?}");
    Run::of(child.wait_with_output().unwrap())
}

impl Run {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The JSON object of each line.
    pub(crate) fn json(&self) -> Vec<Value> {
        self.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
            .collect()
    }
}
