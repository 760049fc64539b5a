//! Runs the program and captures its output.

use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

/// The result of a run.
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A running program; killed on drop.
pub(crate) struct Running {
    pub(crate) child: Child,
    /// The lines of standard output. They are always read, because the program stops when its output is closed.
    pub(crate) lines: Receiver<String>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap()).lines();
        let (printed, lines) = channel();
        std::thread::spawn(move || {
            for line in out.map_while(Result::ok) {
                // The receiver may be dropped.
                drop(printed.send(line));
            }
        });
        Self { child, lines }
    }

    /// The next lines, up to the first that matches.
    pub(crate) fn lines_to(&self, is_last: impl Fn(&str) -> bool) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        while !lines.last().is_some_and(|line| is_last(line)) {
            lines.push(self.lines.recv_timeout(Duration::from_secs(60)).unwrap());
        }
        lines
    }

    /// The URL of the status page, once it is printed.
    pub(crate) fn page(&self) -> String {
        let label = "Status page: ";
        let lines = self.lines_to(|line| line.starts_with(label));
        lines.last().unwrap().trim_start_matches(label).to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The process may have exited already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The program, without colours and without the settings of the environment.
pub(crate) fn portpulse() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portpulse"));
    command
        .env("NO_COLOR", "1")
        .env("TZ", "UTC")
        .env_remove("CLICOLOR_FORCE")
        .env_remove("PORTPULSE_TABLE")
        .env_remove("PORTPULSE_HOME_REGION")
        .env_remove("PORTPULSE_TOPIC_ARN")
        .env_remove("PORTPULSE_LOCATION")
        .env_remove("PORTPULSE_LISTEN")
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
    // A program with invalid arguments may exit before it reads its input.
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

    /// Asserts that standard error contains a text.
    #[track_caller]
    pub(crate) fn assert_err(&self, part: &str) {
        assert!(self.err.contains(part), "{part:?} is not in\n{}", self.err);
    }

    /// Asserts exit status 2, no output, and an error that contains a text.
    #[track_caller]
    pub(crate) fn assert_refused(&self, part: &str) {
        assert_eq!(
            (self.status, self.out.as_str()),
            (2, ""),
            "{part:?}: {}",
            self.err
        );
        self.assert_err(part);
    }

    /// The JSON object of each line.
    pub(crate) fn json(&self) -> Vec<Value> {
        self.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
            .collect()
    }
}
