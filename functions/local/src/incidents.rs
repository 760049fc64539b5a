//! `portpulse incidents`: lists open and closed incidents.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use portpulse_alert::elapsed;
use portpulse_core::time::parse_duration;
use portpulse_history::view::IncidentView;

use crate::ExitStatus;
use crate::incident_list::{self, diagnosis, end, ending_name, finding, unnotified};
use crate::output::{CommandError, Output, clock_time, print_note, status_style};
use crate::overview::Overview;
use crate::status::cause;
use crate::table_access::{MissingData, TableArgs, with_table};
use crate::text_table::{self, Cell};

const EXAMPLES: &str = "\
Examples:
  portpulse incidents
  portpulse incidents --since 90d --json --table portpulse --region eu-west-1";

/// List open and recently closed incidents, latest first
///
/// Closed incidents are kept for 400 days. One command consumes at most 200 read units on them, from the latest back. The
/// consumed read units, and a warning if older incidents are not listed, go to standard error.
///
/// Exit status: 0 listed (also if there are none), 2 invalid usage or an error.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// List the incidents that closed within this period, and open ones
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = parse_duration)]
    since: Duration,

    /// List open incidents only
    #[arg(long)]
    open: bool,

    /// Print one JSON object per line
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    table_args: TableArgs,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, CommandError> {
    with_table(&args.table_args, MissingData::Refuse, async |table| {
        let overview = Overview::of_table(table).await?;
        let now = overview.now;
        let incident_list = incident_list::read(&table.store, &overview, ago(now, args.since)).await;
        let mut incident_list =
            incident_list.map_err(|error| CommandError::failed(format!("read {table}"), error))?;
        incident_list
            .entries
            .retain(|entry| !args.open || entry.closed.is_none());
        let entries = incident_list.entries.iter();
        if args.json {
            entries
                .map(|entry| incident_list::json(entry, now))
                .try_for_each(|line| output.json(&line))?;
        } else if incident_list.entries.is_empty() {
            output.line("No incidents.")?;
        } else {
            output.lines(table_lines(entries, now))?;
        }
        incident_list.warn_if_incomplete();
        print_note(&format!("Consumed read units: {}", table.read_units()));
        Ok(ExitStatus::Success)
    })
}

/// The time `length` before `now`.
pub(crate) fn ago(now: Timestamp, length: Duration) -> Timestamp {
    let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
    now.saturating_sub(length).unwrap_or(Timestamp::MIN)
}

/// The table of incidents, and a line for each that was not notified.
pub(crate) fn table_lines<'a>(
    incidents: impl IntoIterator<Item = &'a IncidentView>,
    now: Timestamp,
) -> Vec<String> {
    let titles = ["SINCE", "MONITOR", "STATUS", "LENGTH", "ENDING", "CAUSE"];
    let incidents: Vec<_> = incidents.into_iter().collect();
    let rows = incidents.iter().map(|entry| row(entry, now));
    let mut lines = text_table::titled(&titles, rows.collect());
    lines.extend(incidents.into_iter().filter_map(unnotified));
    lines
}

fn row(entry: &IncidentView, now: Timestamp) -> Vec<Cell> {
    let (since, end) = (entry.since, end(entry, now));
    let ending = entry.closed.map_or("open", |(_, ending)| ending_name(ending));
    vec![
        Cell::new(clock_time(since)),
        Cell::new(entry.id.monitor.as_str()),
        Cell::new(entry.status.as_str()).styled(status_style(entry.status)),
        Cell::new(elapsed(since, end)).right(),
        Cell::new(ending),
        Cell::new(cause(diagnosis(entry), finding(entry))),
    ]
}
