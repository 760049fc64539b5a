//! The output of `portpulse agent`: a status line on a terminal, events as lines, or JSON lines.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::SignedDuration;
use portpulse_alert::headline;
use portpulse_checker::{Clock as _, TickReport, chain};
use portpulse_core::text::escaped;
use portpulse_core::time::format_duration;
use serde_json::{Value, json};

use super::clock::AwsClock;
use super::endpoint::Endpoint;
use super::groups::Groups;
use super::progress::{Progress, unlisted_text};
use super::settings::Settings;
use crate::local::round_json::round_json;
use crate::output::{BAD, CommandError, GOOD, Output, WARNING, clock_time, count_of, with_help};

/// The output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Events as lines, and below them a status line that is redrawn.
    StatusLine,
    /// Events as lines, such as for the journal of systemd.
    Events,
    Json,
}

/// Writes events as they happen, each problem once when it begins and once when it ends.
pub(super) struct Display<'a> {
    output: &'a mut Output,
    mode: Mode,
    progress: Arc<Mutex<Progress>>,
    clock: AwsClock,
    /// The monitors and unlisted groups that were shown last.
    groups: Option<(usize, String)>,
    /// When the current problem began, and its text.
    problem: Option<jiff::Timestamp>,
    warned: BTreeSet<String>,
    skew: SignedDuration,
    error: Option<CommandError>,
}

impl<'a> Display<'a> {
    pub(super) fn new(
        output: &'a mut Output,
        json: bool,
        progress: Arc<Mutex<Progress>>,
        clock: AwsClock,
    ) -> Self {
        let is_terminal =
            std::io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let mode = match (json, is_terminal) {
            (true, _) => Mode::Json,
            (false, true) => Mode::StatusLine,
            (false, false) => Mode::Events,
        };
        Self {
            output,
            mode,
            progress,
            clock,
            groups: None,
            problem: None,
            warned: BTreeSet::new(),
            skew: SignedDuration::ZERO,
            error: None,
        }
    }

    pub(super) fn started(&mut self, settings: &Settings, endpoint: Option<&Endpoint>) {
        let Settings {
            location,
            table,
            home_region,
            ..
        } = settings;
        let url = endpoint.map(Endpoint::url);
        let health = url.as_ref().map_or(String::new(), |url| {
            format!(" Health and metrics: {url}healthz, {url}metrics.")
        });
        self.event(
            format!("Agent for {location}, table {table} in {home_region}.{health} Ctrl-C stops it."),
            json!({ "type": "start", "location": location.as_str(), "table": table, "region": home_region, "url": url }),
        );
    }

    /// Shows the groups if they have changed.
    pub(super) fn searched(&mut self, found: &Result<Groups, String>) {
        if let Ok(found) = found {
            let (monitors, unlisted) = {
                let progress = self.progress();
                let unlisted = unlisted_text(progress.location(), &found.unlisted);
                (progress.monitors(), unlisted.unwrap_or_default())
            };
            let shown = (monitors, unlisted);
            if self.groups.as_ref() != Some(&shown) {
                let location = self.progress().location().clone();
                let text = match (monitors, shown.1.is_empty()) {
                    (_, false) => format!("{WARNING}{}{WARNING:#}", shown.1),
                    (0, true) => with_help(
                        format_args!("{WARNING}No monitor names the location {location}.{WARNING:#}"),
                        format_args!("write `locations: [{location}]` in a monitor"),
                    ),
                    (_, true) => format!("Checking {}.", count_of(monitors as u64, "monitor")),
                };
                self.event(
                    text,
                    json!({ "type": "monitors", "monitors": monitors, "problem": shown.1 }),
                );
                self.groups = Some(shown);
            }
        }
        self.problem();
        self.skew();
    }

    pub(super) fn finished(&mut self, report: &TickReport) {
        for notification in &report.published {
            let text = headline(notification);
            self.event(
                format!("Notification: {text}"),
                json!({
                    "type": "notification", "id": notification.id, "kind": notification.kind.to_string(),
                    "subject": notification.subject.to_string(),
                }),
            );
        }
        if let (Mode::Json, Some(results)) = (self.mode, round_json(report)) {
            self.write(|output| output.json(&results));
        }
        for warning in &report.warnings {
            // A warning repeats until its cause is removed.
            let text = chain(warning);
            if self.warned.insert(text.clone()) {
                self.event(
                    format!("{WARNING}warning: {text}{WARNING:#}"),
                    json!({ "type": "warning", "message": text }),
                );
            }
        }
        self.problem();
        self.skew();
        self.redraw();
    }

    /// Whether the output was closed or cannot be written.
    pub(super) fn has_failed(&self) -> bool {
        self.error.is_some()
    }

    /// Writes the summary.
    ///
    /// # Errors
    /// If any write failed.
    pub(super) fn end(mut self) -> Result<(), CommandError> {
        let (now, skew) = (self.clock.now(), self.clock.skew());
        let (counts, mut summary) = {
            let progress = self.progress();
            (progress.counts, progress.json(now, skew))
        };
        if let Some(fields) = summary.as_object_mut() {
            fields.insert("type".to_owned(), "summary".into());
        }
        let text = format!(
            "Stopped. {} counted, {} repeated, {} failed; {} published.",
            count_of(counts.counted, "round"),
            counts.repeated,
            counts.failed,
            count_of(counts.notifications, "notification"),
        );
        self.event(text, summary);
        self.clear();
        self.error.map_or(Ok(()), Err)
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows the begin and the end of a problem.
    fn problem(&mut self) {
        let error = self.progress().error().map(str::to_owned);
        match (self.problem, error) {
            (None, Some(error)) => {
                self.problem = Some(self.clock.now());
                self.event(
                    format!("{BAD}{error}{BAD:#}"),
                    json!({ "type": "problem", "message": error }),
                );
            }
            (Some(began), None) => {
                self.problem = None;
                let lasted = self.clock.now().duration_since(began);
                let lasted = format_duration(std::time::Duration::from_secs(lasted.as_secs().unsigned_abs()));
                self.event(
                    format!(
                        "{GOOD}The problem since {} has ended after {lasted}.{GOOD:#}",
                        clock_time(began)
                    ),
                    json!({ "type": "problem_over", "since": began.to_string() }),
                );
            }
            (None, None) | (Some(_), Some(_)) => {}
        }
    }

    /// Shows a changed difference between the clocks.
    fn skew(&mut self) {
        let skew = self.clock.skew();
        if skew == self.skew {
            return;
        }
        self.skew = skew;
        let amount = format_duration(std::time::Duration::from_secs(skew.as_secs().unsigned_abs()));
        let text = match skew.signum() {
            0 => "The clock of this machine agrees with that of AWS again.".to_owned(),
            sign => with_help(
                format_args!(
                    "{WARNING}The clock of this machine is {amount} {} that of AWS; checks follow the clock of AWS.{WARNING:#}",
                    if sign > 0 { "ahead of" } else { "behind" }
                ),
                "synchronize the clock, such as with systemd-timesyncd or chrony",
            ),
        };
        self.event(text, json!({ "type": "clock", "ahead_seconds": skew.as_secs() }));
    }

    fn event(&mut self, text: String, json: Value) {
        self.clear();
        match self.mode {
            Mode::Json => self.write(|output| output.json(&json)),
            Mode::StatusLine | Mode::Events => self.write(|output| output.line(text)),
        }
        self.redraw();
    }

    fn clear(&mut self) {
        if self.mode == Mode::StatusLine {
            self.write(|output| output.control("\r\u{1b}[K"));
        }
    }

    fn redraw(&mut self) {
        if self.mode != Mode::StatusLine {
            return;
        }
        let line = {
            let progress = self.progress();
            let latest = progress.intervals().into_values().flatten().max();
            let latest = latest.map_or("never".to_owned(), |tick| clock_time(tick.timestamp()));
            format!(
                "{}: {}, last checked {latest}",
                progress.location(),
                count_of(progress.monitors() as u64, "monitor")
            )
        };
        let line = escaped(&line, |_| false).into_owned();
        self.write(|output| output.control(&format!("\r\u{1b}[K{line}")));
    }

    /// Writes, unless an earlier write failed.
    fn write(&mut self, write: impl FnOnce(&mut Output) -> Result<(), CommandError>) {
        if self.error.is_none() {
            self.error = write(self.output).and_then(|()| self.output.flush()).err();
        }
    }
}
