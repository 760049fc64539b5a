//! Where commands write, and why they stop: colours on a terminal alone, and no fuss when the reader has left.

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
use portpulse_core::text::escaped;

/// Good news.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Bad news.
pub(crate) const INVALID: Style = AnsiColor::Red.on_default();
/// News that is neither.
pub(crate) const UNSURE: Style = AnsiColor::Yellow.on_default();

/// The head of a table.
pub(crate) const TITLE: Style = Style::new().bold();
/// What matters less.
pub(crate) const QUIET: Style = AnsiColor::BrightBlack.on_default();
/// All of them.
const STYLES: [Style; 5] = [GOOD, INVALID, UNSURE, TITLE, QUIET];

/// Why a command stopped before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stopped {
    /// Whoever read our output has left, as `head` does: nothing to complain of.
    #[error("nobody reads the output")]
    NobodyReads,
    /// It was told to end, and then told again.
    #[error("interrupted")]
    Interrupted,
    /// The output cannot be written.
    #[error("cannot write the output")]
    Output {
        #[source]
        source: io::Error,
    },
    /// What was asked for cannot be done as it was asked.
    #[error("{complaint}")]
    Usage { complaint: String },
    /// What was asked for could not be done.
    #[error("cannot {what}")]
    Unable {
        what: String,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl Stopped {
    pub(crate) fn unable(what: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unable {
            what: what.into(),
            source: source.into(),
        }
    }
}

/// Standard output.
pub(crate) struct Output(AutoStream<io::Stdout>);

impl Output {
    /// Colours are kept on a terminal that wants them (`NO_COLOR`, `CLICOLOR_FORCE` are respected).
    pub(crate) fn new() -> Self {
        Self(AutoStream::auto(io::stdout()))
    }

    pub(crate) fn line(&mut self, line: impl fmt::Display) -> Result<(), Stopped> {
        writeln!(self.0, "{}", shown(&line.to_string())).map_err(stopped)
    }

    /// Moves the cursor and the like, on a terminal that wants no colours too.
    pub(crate) fn control(&mut self, sequence: &str) -> Result<(), Stopped> {
        io::stdout().write_all(sequence.as_bytes()).map_err(stopped)
    }

    pub(crate) fn flush(&mut self) -> Result<(), Stopped> {
        self.0.flush().map_err(stopped)
    }
}

fn stopped(error: io::Error) -> Stopped {
    if error.kind() == io::ErrorKind::BrokenPipe {
        Stopped::NobodyReads
    } else {
        Stopped::Output { source: error }
    }
}

/// Reads a text file that the user named; `-` is standard input.
pub(crate) fn read_text(path: &Path) -> Result<String, Stopped> {
    let text = if path.as_os_str() == "-" {
        io::read_to_string(io::stdin())
    } else {
        std::fs::read_to_string(path)
    };
    text.map_err(|error| Stopped::unable(format!("read {}", path.display()), error))
}

/// Warns of a file of secrets that every user of this machine can reach and read, or change. Where its mode cannot be
/// read, nothing is known against it.
pub(crate) fn warn_if_exposed(path: &Path) {
    let mode = |path: &Path| path.metadata().map_or(0, |found| found.mode());
    let Ok(path) = path.canonicalize() else { return };
    let is_reached = path.ancestors().skip(1).all(|folder| mode(folder) & 0o001 != 0);
    if is_reached && mode(&path) & 0o006 != 0 {
        let shown = path.display();
        notify(&format!(
            "Warning: every user of this machine can read or change {shown} (`chmod 600` it)"
        ));
    }
}

/// Tells an error and what it came from, on standard error.
pub(crate) fn describe_chain(error: &dyn Error) {
    notify(&format!("portpulse: {}", portpulse_store::chain(error)));
}

/// Writes a line on standard error.
pub(crate) fn notify(line: &str) {
    // There is nobody left to tell if this fails.
    let _ = writeln!(anstream::stderr(), "{}", shown(line));
}

/// What goes to a terminal: lines, the styles of this program, and nothing else that moves the cursor or the eye.
fn shown(text: &str) -> String {
    const ESCAPE: char = '\u{1b}';
    let stays = |c| c == '\n';
    let (first, styled) = match text.split_once(ESCAPE) {
        Some((first, styled)) => (first, Some(styled)),
        None => (text, None),
    };
    let mut shown = escaped(first, stays).into_owned();
    for part in styled.iter().flat_map(|styled| styled.split(ESCAPE)) {
        let style = STYLES
            .iter()
            .flat_map(|style| [style.render().to_string(), style.render_reset().to_string()]);
        let is_style = style
            .filter_map(|style| style.strip_prefix(ESCAPE).map(str::to_owned))
            .any(|style| part.starts_with(&style));
        if is_style {
            shown.push(ESCAPE);
        } else {
            shown.push_str("\\u001b");
        }
        shown.push_str(&escaped(part, stays));
    }
    shown
}

/// `1 monitor`, `2 monitors`.
pub(crate) fn counted(count: impl Into<u64>, what: &str) -> String {
    let count = count.into();
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Milliseconds, to the hundredth.
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
    fn a_terminal_gets_the_styles_of_this_program_and_no_other_sequence() {
        let line = format!("{INVALID}db{INVALID:#} is down\nfor 2 min");
        assert_eq!(shown(&line), line);
        assert_eq!(
            shown("a\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}2J\u{202e}b\u{1b}"),
            "a\\u001b[2J\\u001b]0;t\\u0007\\u009b2J\\u202eb\\u001b"
        );
    }
}
