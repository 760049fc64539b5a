//! Where the watch is shown: a table that is redrawn below what was told, plain lines, or JSON lines.

use std::io::IsTerminal as _;

use jiff::Timestamp;
use portpulse_store::chain;

use super::alert::Alert;
use super::lines::tick_json;
use super::relay::Relayed;
use super::scheduler::Ticked;
use super::watch::Watch;
use crate::output::{INVALID, Output, Stopped, notify};

/// How the watch is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A table, redrawn in place; what was told stays above it.
    Redrawn,
    /// A line a tick, where nothing can be redrawn.
    Appended,
    /// One JSON object a line.
    Json,
}

impl Mode {
    pub(crate) fn suited(json: bool) -> Self {
        let can_redraw =
            std::io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        match (json, can_redraw) {
            (true, _) => Self::Json,
            (false, true) => Self::Redrawn,
            (false, false) => Self::Appended,
        }
    }
}

/// Shows what happens as it happens.
pub(crate) struct Screen<'a> {
    output: &'a mut Output,
    mode: Mode,
    /// How many lines of the table stand on the terminal.
    drawn: usize,
}

impl<'a> Screen<'a> {
    pub(crate) fn new(output: &'a mut Output, mode: Mode) -> Self {
        Self {
            output,
            mode,
            drawn: 0,
        }
    }

    /// Says something once, for people.
    pub(crate) fn note(&mut self, line: &str) -> Result<(), Stopped> {
        match self.mode {
            Mode::Redrawn | Mode::Appended => self.output.line(line)?,
            Mode::Json => notify(line),
        }
        self.output.flush()
    }

    pub(crate) fn ticked(&mut self, watch: &Watch, ticked: &Ticked, now: Timestamp) -> Result<(), Stopped> {
        let report = &ticked.report;
        let errors = report.errors.iter().chain(&report.warnings);
        let errors = errors.map(|error| {
            let (location, group) = (&report.location, report.group);
            format!("{INVALID}{location} {group}: {}{INVALID:#}", chain(error))
        });
        match self.mode {
            Mode::Json => {
                errors.for_each(|error| notify(&error));
                self.lines(tick_json(ticked))
            }
            Mode::Appended => self.lines(watch.tick_line(ticked).into_iter().chain(errors)),
            Mode::Redrawn => self.redraw(watch, now, errors.collect()),
        }
    }

    pub(crate) fn alert(&mut self, watch: &Watch, alert: &Alert, now: Timestamp) -> Result<(), Stopped> {
        match self.mode {
            Mode::Json => self.lines(alert.notifications.iter().map(ToString::to_string)),
            Mode::Appended => self.lines(alert.lines(now)),
            Mode::Redrawn => self.redraw(watch, now, alert.lines(now)),
        }
    }

    pub(crate) fn relayed(
        &mut self,
        watch: &Watch,
        relayed: &Relayed,
        now: Timestamp,
    ) -> Result<(), Stopped> {
        match self.mode {
            Mode::Json => {
                let line = relayed.json();
                if line.is_none() {
                    relayed.line().iter().for_each(|line| notify(line));
                }
                self.lines(line.as_ref().map(ToString::to_string))
            }
            Mode::Appended => self.lines(relayed.line()),
            Mode::Redrawn => self.redraw(watch, now, relayed.line().into_iter().collect()),
        }
    }

    /// Shows that time passes.
    pub(crate) fn refresh(&mut self, watch: &Watch, now: Timestamp) -> Result<(), Stopped> {
        match self.mode {
            Mode::Redrawn => self.redraw(watch, now, Vec::new()),
            Mode::Appended | Mode::Json => Ok(()),
        }
    }

    pub(crate) fn summary(&mut self, watch: &Watch) -> Result<(), Stopped> {
        match self.mode {
            Mode::Json => self.lines([watch.summary_json()]),
            Mode::Appended | Mode::Redrawn => {
                self.lines(std::iter::once(String::new()).chain(watch.summary()))
            }
        }
    }

    fn lines(&mut self, lines: impl IntoIterator<Item = String>) -> Result<(), Stopped> {
        for line in lines {
            self.output.line(line)?;
        }
        self.output.flush()
    }

    /// Writes lines that stay where the table stood, and the table below them.
    fn redraw(&mut self, watch: &Watch, now: Timestamp, stay: Vec<String>) -> Result<(), Stopped> {
        // One line is left for the cursor.
        let height = terminal_size::terminal_size()
            .map_or(24, |(_, height)| usize::from(height.0))
            .saturating_sub(1);
        let table = watch.table(now, height);
        if self.drawn > 0 {
            self.output.control(&format!("\u{1b}[{}F", self.drawn))?;
        }
        // Clears what is below; a line too long for the terminal is cut, or it would count as two.
        self.output.control("\u{1b}[J\u{1b}[?7l")?;
        for line in stay.iter().chain(&table) {
            self.output.line(line)?;
        }
        self.output.control("\u{1b}[?7h")?;
        self.drawn = table.len();
        self.output.flush()
    }
}
