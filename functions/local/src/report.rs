//! `portpulse report`: the uptime of a month, by monitor and group.

use clap::ValueEnum;
use portpulse_core::uptime::Objective;
use portpulse_history::figure;
use portpulse_history::report::{MonitorReport, Month, Report, WINDOWS, left_text, window_text};
use portpulse_history::view::Audience;
use portpulse_status::report_html;

use crate::ExitStatus;
use crate::output::{CommandError, Output, print_note};
use crate::overview::{Overview, reader};
use crate::table_access::{MissingData, TableArgs, with_table};
use crate::text_table::{self, Cell};

const EXAMPLES: &str = "\
Examples:
  portpulse report
  portpulse report --month 2026-10 --objective 99.9
  portpulse report --month 2026-10 --format html > october.html";

/// Report the uptime of a month, by monitor and group
///
/// Uptime is the share of the watched time without an outage; maintenance is neither up nor down. Beside the outages and the
/// mean time to recovery stands the uptime of the hour and the day with the most downtime: one long outage lowers it more than
/// many short ones of the same sum. Summaries are kept for 400 days.
///
/// Exit status: 0 reported, 2 invalid usage or an error.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The month in UTC, such as 2026-10 [default: the month before the current one]
    #[arg(long, value_name = "MONTH")]
    month: Option<Month>,

    /// The objective in percent, such as 99.9, of the monitors without their own; the report shows what is left of it
    #[arg(long, value_name = "PERCENT")]
    objective: Option<Objective>,

    /// The format of the report; HTML is one file without references, to print or to send
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Print one JSON object
    #[arg(long, conflicts_with = "format")]
    json: bool,

    #[command(flatten)]
    table_args: TableArgs,
}

/// The formats of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Csv,
    Html,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, CommandError> {
    with_table(&args.table_args, MissingData::Refuse, async |table| {
        let now = Overview::of_table(table).await?.now;
        let month = args.month.unwrap_or_else(|| Month::containing(now).before());
        let report = reader(&table.store)
            .report(month, Audience::Private, args.objective, now)
            .await;
        let report = report.map_err(|error| CommandError::failed(format!("read {table}"), error))?;
        match (args.json, args.format) {
            (true, _) => output.json(&report.json())?,
            (false, Format::Text) => output.lines(lines(&report))?,
            (false, Format::Csv) => output.line(report.csv().trim_end())?,
            (false, Format::Html) => output.line(report_html(&report))?,
        }
        if report.is_incomplete {
            print_note(
                "warning: a part of the month is missing: it has no summaries, they cannot be read, or they exceed the read limit",
            );
        }
        Ok(ExitStatus::Success)
    })
}

fn lines(report: &Report) -> Vec<String> {
    let mut lines = vec![format!("{}  (UTC)", report.month.title())];
    if report.monitors.is_empty() {
        lines.push("No monitors are defined.".to_owned());
        return lines;
    }
    let titles = [
        "MONITOR",
        "UPTIME",
        "WATCHED",
        "DOWN",
        "OUTAGES",
        "MTTR",
        "WORST HOUR",
        "WORST DAY",
        "MAINTENANCE",
        "NOT WATCHED",
        "OBJECTIVE",
    ];
    let rows = report
        .monitors
        .iter()
        .map(|monitor| row(monitor, report))
        .collect();
    lines.extend(text_table::titled(&titles, rows));
    let groups = report.groups();
    if groups.len() > 1 {
        lines.push(String::new());
        let rows = groups.iter().map(|(group, watched)| {
            vec![
                Cell::new(*group),
                Cell::new(figure::uptime(Some(*watched))).right(),
                Cell::new(seconds(watched.down_seconds())).right(),
            ]
        });
        lines.extend(text_table::titled(&["GROUP", "UPTIME", "DOWN"], rows.collect()));
    }
    lines
}

fn row(monitor: &MonitorReport, report: &Report) -> Vec<Cell> {
    let [worst_hour, worst_day, _] = monitor.worst;
    let [hour, day, _] = WINDOWS;
    let worst = |worst, window| window_text(worst, window).unwrap_or_default();
    let recovery = monitor.mean_time_to_recovery.map(figure::duration);
    let objective = report.objective_of(monitor);
    let objective = objective.map(|(objective, left)| format!("{objective}: {}", left_text(left)));
    let texts = [
        figure::uptime(Some(monitor.watched)),
        seconds(monitor.watched.seconds()),
        seconds(monitor.watched.down_seconds()),
        monitor.outages.to_string(),
        recovery.unwrap_or_default(),
        worst(worst_hour, hour),
        worst(worst_day, day),
        seconds(monitor.watched.maintenance_seconds()),
        figure::duration(monitor.unwatched),
        objective.unwrap_or_default(),
    ];
    let cells = texts.into_iter().map(|text| Cell::new(text).right());
    [Cell::new(monitor.title.as_str())]
        .into_iter()
        .chain(cells)
        .collect()
}

fn seconds(seconds: i64) -> String {
    figure::duration(jiff::SignedDuration::from_secs(seconds))
}
