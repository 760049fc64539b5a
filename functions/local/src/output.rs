//! Standard output and standard error of all commands, and the errors that end a command.
//!
//! Colours are written to terminals only. A reader that closes the pipe is not an error.

use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use anstream::AutoStream;
use clap::builder::styling::{AnsiColor, Style};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use portpulse_core::definition::Diagnostic;
use portpulse_core::group_state::{LocationKind, Status};
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::text::escaped;
use portpulse_history::location_kinds::LocationKinds;
use portpulse_history::state::State;
use portpulse_monitors_file::Mistake;
use serde::Serialize;
use serde_json::{Map, Value};

/// Results that are as expected.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Failures.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
/// Warnings, and results without data.
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default();

/// Table headers and titles.
pub(crate) const BOLD: Style = Style::new().bold();
/// Secondary text.
pub(crate) const DIM: Style = AnsiColor::BrightBlack.on_default();
/// Every style that [`sanitized`] keeps.
const STYLES: [Style; 5] = [GOOD, BAD, WARNING, BOLD, DIM];

/// Why a command ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The reader closed the output, as `head` does. Not a failure: exit status 0.
    #[error("the output was closed")]
    OutputClosed,
    /// By Ctrl-C; by the second one if the first starts a shutdown. Exit status 130.
    #[error("interrupted")]
    Interrupted,
    /// The output cannot be written. Exit status 2.
    #[error("cannot write the output")]
    Output {
        #[source]
        source: io::Error,
    },
    /// Invalid arguments, or an invalid file. Exit status 2.
    #[error("{message}")]
    Usage { message: String },
    /// The operation failed. Exit status 2.
    #[error("cannot {what}")]
    Failed {
        what: String,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl CommandError {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        let message = message.into();
        Self::Usage { message }
    }

    /// A usage error with a hint.
    pub(crate) fn usage_with_help(message: impl fmt::Display, help: impl fmt::Display) -> Self {
        Self::usage(with_help(message, help))
    }

    pub(crate) fn failed(what: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed {
            what: what.into(),
            source: source.into(),
        }
    }
}

/// A message with a hint on a line of its own.
pub(crate) fn with_help(message: impl fmt::Display, help: impl fmt::Display) -> String {
    format!("{message}\n  help: {help}")
}

/// The error of an invalid file, with all its mistakes.
pub(crate) fn invalid_file(name: impl fmt::Display, mistakes: &[Mistake]) -> CommandError {
    CommandError::usage(mistake_lines(name, mistakes).join("\n"))
}

/// The mistakes of a file, each with its line, field and hint.
pub(crate) fn mistake_lines(name: impl fmt::Display, mistakes: &[Mistake]) -> Vec<String> {
    let line = |Mistake { line, diagnostic, .. }: &Mistake| {
        format!("{name}:{line}: {}", diagnostic_text(diagnostic))
    };
    mistakes.iter().map(line).collect()
}

/// `field: what is wrong`, with the hint on a line of its own.
pub(crate) fn diagnostic_text(diagnostic: &Diagnostic) -> String {
    let Diagnostic { at, what, help } = diagnostic;
    let separator = if at.parts().is_empty() { "" } else { ": " };
    with_help(format_args!("{at}{separator}{what}"), help)
}

/// Standard output.
pub(crate) struct Output(AutoStream<io::Stdout>);

impl Output {
    /// Standard output; colours depend on the terminal, `NO_COLOR` and `CLICOLOR_FORCE`.
    pub(crate) fn new() -> Self {
        Self(AutoStream::auto(io::stdout()))
    }

    pub(crate) fn line(&mut self, line: impl fmt::Display) -> Result<(), CommandError> {
        writeln!(self.0, "{}", sanitized(&line.to_string())).map_err(write_error)
    }

    pub(crate) fn lines(
        &mut self,
        lines: impl IntoIterator<Item = impl fmt::Display>,
    ) -> Result<(), CommandError> {
        lines.into_iter().try_for_each(|line| self.line(line))
    }

    /// Writes a text of this program as it is, such as a script.
    pub(crate) fn raw(&mut self, text: &[u8]) -> Result<(), CommandError> {
        self.0.write_all(text).map_err(write_error)
    }

    /// Writes a value as one line of JSON.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), CommandError> {
        let line = serde_json::to_string(value);
        self.line(line.map_err(|error| CommandError::failed("write JSON", error))?)
    }

    /// Writes a terminal control sequence, also where colours are off.
    pub(crate) fn control(&mut self, sequence: &str) -> Result<(), CommandError> {
        io::stdout().write_all(sequence.as_bytes()).map_err(write_error)
    }

    pub(crate) fn flush(&mut self) -> Result<(), CommandError> {
        self.0.flush().map_err(write_error)
    }
}

fn write_error(error: io::Error) -> CommandError {
    if error.kind() == io::ErrorKind::BrokenPipe {
        CommandError::OutputClosed
    } else {
        CommandError::Output { source: error }
    }
}

/// Reads a text file; `-` is standard input.
pub(crate) fn read_text(path: &Path) -> Result<String, CommandError> {
    let text = if path.as_os_str() == "-" {
        io::read_to_string(io::stdin())
    } else {
        std::fs::read_to_string(path)
    };
    text.map_err(|error| CommandError::failed(format!("read {}", path.display()), error))
}

/// Warns if every user of this machine can read or write a file of secrets. A file whose mode cannot be read causes no
/// warning.
pub(crate) fn warn_if_exposed(path: &Path) {
    let mode = |path: &Path| path.metadata().map_or(0, |found| found.mode());
    let Ok(path) = path.canonicalize() else { return };
    let is_reachable = path.ancestors().skip(1).all(|folder| mode(folder) & 0o001 != 0);
    if is_reachable && mode(&path) & 0o006 != 0 {
        let path = path.display();
        print_note(&with_help(
            format_args!("warning: every user of this machine can read or change {path}"),
            format_args!("run `chmod 600 {path}`"),
        ));
    }
}

/// Prints an error and its causes on standard error.
pub(crate) fn print_error(error: &dyn Error) {
    print_note(&format!("error: {}", portpulse_store::chain(error)));
}

/// Writes a line on standard error.
pub(crate) fn print_note(line: &str) {
    // A failed write to standard error cannot be reported anywhere.
    let _ = writeln!(anstream::stderr(), "{}", sanitized(line));
}

/// Escapes control characters, except line breaks and the styles of this program: text from services and files must not
/// control the terminal.
fn sanitized(text: &str) -> String {
    const ESCAPE: char = '\u{1b}';
    let is_allowed = |c| c == '\n';
    let (first, styled) = match text.split_once(ESCAPE) {
        Some((first, styled)) => (first, Some(styled)),
        None => (text, None),
    };
    let mut text = escaped(first, is_allowed).into_owned();
    for part in styled.iter().flat_map(|styled| styled.split(ESCAPE)) {
        let style = STYLES
            .iter()
            .flat_map(|style| [style.render().to_string(), style.render_reset().to_string()]);
        let is_style = style
            .filter_map(|style| style.strip_prefix(ESCAPE).map(str::to_owned))
            .any(|style| part.starts_with(&style));
        if is_style {
            text.push(ESCAPE);
        } else {
            text.push_str("\\u001b");
        }
        text.push_str(&escaped(part, is_allowed));
    }
    text
}

/// `1 monitor`, `2 monitors`.
pub(crate) fn count_of(count: impl Into<u64>, what: &str) -> String {
    let count = count.into();
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Milliseconds, rounded down to hundredths.
pub(crate) fn rounded_ms(time: Duration) -> f64 {
    let hundredths = u32::try_from(time.as_micros() / 10).unwrap_or(u32::MAX);
    f64::from(hundredths) / 100.0
}

/// The fields that have a value, as a JSON object.
pub(crate) fn present<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map<String, Value> {
    let fields = fields.into_iter();
    fields
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

/// A monitor with its name for people, if one is configured: `orders-db (Orders database)`.
pub(crate) fn monitor_title(id: &MonitorId, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{id} ({name})"),
        None => id.to_string(),
    }
}

/// `region` or `agent` for each location; null if it is neither, as in `portpulse local`.
pub(crate) fn kinds_json<'a>(
    kinds: &LocationKinds,
    locations: impl Iterator<Item = &'a Location>,
) -> Map<String, Value> {
    let kind = |location| kinds.get(location).map(LocationKind::as_str);
    locations
        .map(|location| (location.to_string(), kind(location).into()))
        .collect()
}

/// The colour of a status.
pub(crate) const fn status_style(status: Status) -> Style {
    match status {
        Status::Up => GOOD,
        Status::Down | Status::Exposed => BAD,
        Status::Degraded | Status::Unknown => WARNING,
    }
}

/// The colour of a state.
pub(crate) const fn state_style(state: State) -> Style {
    match state {
        State::Up => GOOD,
        State::Down | State::Exposed => BAD,
        State::Flapping | State::Degraded | State::Unknown => WARNING,
        State::Maintenance => DIM,
    }
}

/// The time zone of [`clock_time`]; UTC until [`use_time_zone`] sets it, as in tests.
static TIME_ZONE: OnceLock<TimeZone> = OnceLock::new();

/// Sets the time zone in which times are shown, once at the start.
pub(crate) fn use_time_zone(zone: TimeZone) {
    // The first zone stays.
    let _ = TIME_ZONE.set(zone);
}

/// A time in the time zone of this program: `2026-11-22 05:41:00Z`, or `2026-11-22 06:41:00+01:00`.
pub(crate) fn clock_time(time: Timestamp) -> String {
    time_in(time, TIME_ZONE.get().unwrap_or(&TimeZone::UTC))
}

fn time_in(time: Timestamp, zone: &TimeZone) -> String {
    let time = time.to_zoned(zone.clone());
    let format = match time.offset().is_zero() {
        true => "%Y-%m-%d %H:%M:%SZ",
        false => "%Y-%m-%d %H:%M:%S%:z",
    };
    time.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_has_the_offset_of_its_zone() {
        let time = "2026-11-22T05:41:00Z".parse().unwrap();
        for (zone, expected) in [
            (TimeZone::UTC, "2026-11-22 05:41:00Z"),
            (
                TimeZone::get("Asia/Kolkata").unwrap(),
                "2026-11-22 11:11:00+05:30",
            ),
        ] {
            assert_eq!(time_in(time, &zone), expected);
        }
    }

    #[test]
    fn sanitized_text_keeps_own_styles_and_escapes_other_sequences() {
        let line = format!("{BAD}db{BAD:#} is down\nfor 2 min");
        assert_eq!(sanitized(&line), line);
        assert_eq!(
            sanitized("a\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}2J\u{202e}b\u{1b}"),
            "a\\u001b[2J\\u001b]0;t\\u0007\\u009b2J\\u202eb\\u001b"
        );
    }
}
