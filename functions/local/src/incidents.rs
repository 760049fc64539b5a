//! `portpulse incidents`: what is bad, and what was.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use portpulse_alert::lasting;
use portpulse_core::group_state::Status;
use portpulse_core::time::parse_duration;

use crate::ExitStatus;
use portpulse_history::view::IncidentView;

use crate::archive::{self, EntryJson, end, ending_word, finding};
use crate::output::{INVALID, Output, Stopped, UNSURE, clock_time, notify};
use crate::overview::Overview;
use crate::place::{Fresh, Which, with_table};
use crate::status::cause;
use crate::table::{self, Cell};

const EXAMPLES: &str = "\
Examples:
  portpulse incidents
  portpulse incidents --since 90d --json --table portpulse --region eu-west-1";

/// List incidents, the latest first: those that are open, and those that closed lately
///
/// Closed incidents are kept for 400 days. One command spends at most 200 read units on them, from the latest back; how much
/// was read, and whether older ones were left out, is said on standard error.
///
/// Exit status: 0 listed, be there any or none, 2 wrong usage, or the table could not be read.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// How far back
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = parse_duration)]
    since: Duration,

    /// Only those that are open
    #[arg(long)]
    open: bool,

    /// Write one JSON object a line
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    place: Which,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, Stopped> {
    with_table(&args.place, Fresh::Refused, async |table| {
        let unable = |error| Stopped::unable(format!("read {table}"), error);
        let overview = Overview::read(&table.store, table.now()).await.map_err(unable)?;
        let now = overview.now;
        let mut archive = archive::read(&table.store, &overview, ago(now, args.since))
            .await
            .map_err(unable)?;
        archive
            .entries
            .retain(|entry| !args.open || entry.closed.is_none());
        let entries = &archive.entries;
        let lines = if args.json {
            let lines = entries
                .iter()
                .map(|entry| serde_json::to_string(&EntryJson::of(entry, now)));
            let lines: Result<Vec<_>, _> = lines.collect();
            lines.map_err(|error| Stopped::unable("write JSON", error))?
        } else if entries.is_empty() {
            vec!["There is none.".to_owned()]
        } else {
            table::lines(&entries.iter().map(|entry| row(entry, now)).collect::<Vec<_>>())
        };
        for line in lines {
            output.line(line)?;
        }
        archive.report_missing();
        notify(&format!("Read {} read units.", table.read_units()));
        Ok(ExitStatus::Good)
    })
}

/// The time so long before `now`.
pub(crate) fn ago(now: Timestamp, length: Duration) -> Timestamp {
    let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
    now.saturating_sub(length).unwrap_or(Timestamp::MIN)
}

pub(crate) fn row(entry: &IncidentView, now: Timestamp) -> Vec<Cell> {
    let (since, end) = (entry.since, end(entry, now));
    let ending = entry.closed.map_or("open", |(_, ending)| ending_word(ending));
    let style = match entry.status {
        Status::Down | Status::Exposed => INVALID,
        Status::Up | Status::Degraded | Status::Unknown => UNSURE,
    };
    vec![
        Cell::new(clock_time(since)),
        Cell::new(entry.id.monitor.as_str()),
        Cell::new(entry.status.as_str()).styled(style),
        Cell::new(lasting(since, end)).right(),
        Cell::new(ending),
        Cell::new(cause(finding(entry))),
    ]
}
