//! Standard output and standard error of all commands, and the errors that end a command.
//!
//! Colours are written to terminals only. A reader that closes the pipe is not an error.

use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use anstream::AutoStream;
use clap::builder::styling::{AnsiColor, Style};
use jiff::Timestamp;
use jiff::tz::Offset;
use portpulse_core::definition::Diagnostic;
use portpulse_core::text::escaped;
use portpulse_monitors_file::Mistake;

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
    /// A second signal arrived during shutdown. Exit status 130.
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

/// The mistakes of a file, each with its line, field and hint.
pub(crate) fn mistake_lines(name: impl fmt::Display, mistakes: &[Mistake]) -> Vec<String> {
    let line =
        |Mistake { line, diagnostic }: &Mistake| format!("{name}:{line}: {}", diagnostic_text(diagnostic));
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

/// `2026-11-22 05:41:00Z`.
pub(crate) fn clock_time(time: Timestamp) -> String {
    Offset::UTC
        .to_datetime(time)
        .strftime("%Y-%m-%d %H:%M:%SZ")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

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
