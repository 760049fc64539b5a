//! The output of `portpulse check`: each result as soon as it is known, the progress, and a summary.

use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use portpulse_core::assess::{Assessment, assess};
use portpulse_core::id::MonitorId;
use portpulse_core::observation::milliseconds;
use portpulse_core::outcome::{FailureClass, Outcome, Phases};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::planned::PlannedCheck;
use crate::output::{BAD, CommandError, GOOD, Output, WARNING, present, print_note, rounded_ms};
use crate::text_table::{Cell, Columns, header};

const TITLES: [&str; 4] = ["TARGET", "RESULT", "TOTAL", "DETAIL"];

/// Whether all checks ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Completed,
    /// By Ctrl-C.
    Interrupted,
}

/// The output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Text,
    Json,
}

/// Writes the results, and counts them.
pub(super) struct Report<'a> {
    output: &'a mut Output,
    format: Format,
    columns: Columns,
    progress: Progress,
    planned: usize,
    good: usize,
    failing: usize,
    no_data: usize,
    started: Instant,
}

impl<'a> Report<'a> {
    pub(super) fn new(output: &'a mut Output, format: Format, planned: &[PlannedCheck]) -> Self {
        let names: Vec<_> = planned
            .iter()
            .map(|check| vec![Cell::new(check.name())])
            .collect();
        let codes = FailureClass::ALL.iter().map(|class| class.code().len() + 2);
        Self {
            output,
            format,
            columns: Columns::fixed([
                Columns::of(&names).width().max("TARGET".len()),
                codes.max().unwrap_or_default(),
                "1000.00 ms".len(),
            ]),
            progress: Progress::new(planned.len()),
            planned: planned.len(),
            good: 0,
            failing: 0,
            no_data: 0,
            started: Instant::now(),
        }
    }

    /// Writes one result.
    pub(super) fn add(&mut self, check: &PlannedCheck, outcome: &Outcome) -> Result<(), CommandError> {
        let assessment = assess(check.expect, outcome);
        let is_first = self.finished() == 0;
        match assessment {
            Assessment::Good => self.good += 1,
            Assessment::Failing => self.failing += 1,
            Assessment::NoData => self.no_data += 1,
        }
        self.progress.clear();
        match self.format {
            Format::Json => self.output.json(&json_line(check, outcome, assessment))?,
            Format::Text => {
                let row = row(check, outcome, assessment);
                if is_first {
                    self.output.line(self.columns.line(&header(&TITLES, &row)))?;
                }
                self.output.line(self.columns.line(&row))?;
            }
        }
        self.output.flush()?;
        self.progress.show(self.finished());
        Ok(())
    }

    /// Writes the summary of several checks on standard error. Returns whether all results are as expected.
    pub(super) fn end(self, ended: Ended) -> bool {
        self.progress.clear();
        let finished = self.finished();
        if self.planned > 1 || ended == Ended::Interrupted {
            let interrupted = match ended {
                Ended::Completed => "",
                Ended::Interrupted => "Interrupted. ",
            };
            let seconds = self.started.elapsed().as_secs_f64();
            let mut parts = vec![format!("{} as expected", self.good)];
            let others = [(self.failing, "failing"), (self.no_data, "without data")];
            let others = others.into_iter().filter(|(count, _)| *count > 0);
            parts.extend(others.map(|(count, what)| format!("{count} {what}")));
            print_note(&format!(
                "{interrupted}{finished} of {} checked in {seconds:.1} s: {}.",
                self.planned,
                parts.join(", ")
            ));
        }
        self.good == self.planned
    }

    fn finished(&self) -> usize {
        self.good + self.failing + self.no_data
    }
}

/// `12 of 40 checked` on the last line of the terminal, on standard error.
struct Progress {
    total: usize,
    is_shown: bool,
}

impl Progress {
    fn new(total: usize) -> Self {
        let progress = Self {
            total,
            is_shown: total > 1 && std::io::stderr().is_terminal(),
        };
        progress.show(0);
        progress
    }

    fn show(&self, finished: usize) {
        if finished < self.total {
            self.write(&format!("{finished} of {} checked", self.total));
        }
    }

    fn clear(&self) {
        // Returns to the start of the line and erases it.
        self.write("\r\u{1b}[K");
    }

    fn write(&self, text: &str) {
        if self.is_shown {
            // A failed write to standard error cannot be reported anywhere.
            let _ = std::io::stderr().write_all(text.as_bytes());
        }
    }
}

fn row(check: &PlannedCheck, outcome: &Outcome, assessment: Assessment) -> Vec<Cell> {
    let word = match outcome {
        Outcome::Open(_) => "open",
        Outcome::Failed(failure) => failure.class.code(),
        Outcome::NoData(_) => "no data",
    };
    // The marks distinguish results without colours.
    let (mark, style) = match assessment {
        Assessment::Good => ("", GOOD),
        Assessment::Failing => ("✗ ", BAD),
        Assessment::NoData => ("? ", WARNING),
    };
    let total = phases(outcome).total();
    let total = total.map(|time| format!("{} ms", milliseconds(time)));
    vec![
        Cell::new(check.name()),
        Cell::new(format!("{mark}{word}")).styled(style),
        Cell::new(total.unwrap_or_default()).right(),
        Cell::new(remarks(outcome)),
    ]
}

fn phases(outcome: &Outcome) -> Phases {
    match outcome {
        Outcome::Open(opened) => opened.phases,
        Outcome::Failed(failure) => failure.phases,
        Outcome::NoData(_) => Phases::default(),
    }
}

/// The last column: phase times, warnings, the banner or the details of a failure.
fn remarks(outcome: &Outcome) -> String {
    let phases = phases(outcome);
    // The connect alone is the total.
    let is_connect_alone = phases.dns.or(phases.tls).or(phases.ready).is_none();
    let times = [
        ("dns", phases.dns),
        ("connect", phases.connect.filter(|_| !is_connect_alone)),
        ("tls", phases.tls),
        ("ready", phases.ready),
    ];
    let times = times.into_iter().filter_map(|(name, time)| Some((name, time?)));
    let mut remarks: Vec<_> = times
        .map(|(name, time)| format!("{name} {} ms", milliseconds(time)))
        .collect();
    match outcome {
        Outcome::Open(opened) => {
            let warning = opened.warning.iter().map(|warning| format!("warning: {warning}"));
            remarks.extend(warning.chain(opened.banner.iter().map(ToString::to_string)));
        }
        Outcome::Failed(failure) => remarks.extend(failure.detail.iter().map(ToString::to_string)),
        Outcome::NoData(reason) => remarks.push(reason.code().to_owned()),
    }
    remarks.join(", ")
}

/// A result as one JSON object. Unknown fields are absent; `as_expected` is null without data.
fn json_line(check: &PlannedCheck, outcome: &Outcome, assessment: Assessment) -> Value {
    let phases = phases(outcome);
    let ms = |time: Option<Duration>| time.map(|time| json!(rounded_ms(time)));
    let common = present([
        (
            "monitor",
            check.id.as_ref().map(|id| json!(MonitorId::as_str(id))),
        ),
        ("target", Some(json!(check.target.to_string()))),
        (
            "as_expected",
            Some(match assessment {
                Assessment::Good => json!(true),
                Assessment::Failing => json!(false),
                Assessment::NoData => Value::Null,
            }),
        ),
        (
            "phases",
            Some(Value::Object(present([
                ("total_ms", ms(phases.total())),
                ("dns_ms", ms(phases.dns)),
                ("connect_ms", ms(phases.connect)),
                ("tls_ms", ms(phases.tls)),
                ("ready_ms", ms(phases.ready)),
            ]))),
        ),
    ]);
    let own = match outcome {
        Outcome::Open(opened) => present([
            ("outcome", Some(json!("open"))),
            ("address", Some(json!(address_text(opened.address)))),
            ("trust", Some(json!(opened.trust.as_str()))),
            (
                "warning",
                opened.warning.as_ref().map(|warning| json!(warning.to_string())),
            ),
            (
                "banner",
                opened.banner.as_ref().map(|banner| json!(banner.as_str())),
            ),
        ]),
        Outcome::Failed(failure) => present([
            ("outcome", Some(json!(failure.class.code()))),
            ("phase", Some(json!(failure.phase.as_str()))),
            (
                "address",
                failure.address.map(|address| json!(address_text(address))),
            ),
            (
                "detail",
                failure.detail.as_ref().map(|detail| json!(detail.as_str())),
            ),
        ]),
        Outcome::NoData(reason) => present([("outcome", Some(json!(reason.code())))]),
    };
    Value::Object(common.into_iter().chain(own).collect())
}

/// An address with its port; a ping has none.
fn address_text(address: SocketAddr) -> String {
    match address.port() {
        0 => address.ip().to_string(),
        _ => address.to_string(),
    }
}
