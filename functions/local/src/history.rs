//! `portpulse history`: the timeline of one of a monitor's incidents, with each location's streaks.

mod phases;
mod streaks;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use portpulse_core::definition::Monitor;
use portpulse_core::group::GroupId;
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::rollup::of_ticks;
use portpulse_core::time::{Interval, Tick, parse_duration, parse_time};
use serde::Serialize;

use crate::ExitStatus;
use portpulse_history::view::IncidentView;

use crate::archive::{self, Archive, EntryJson, end};
use crate::control::find;
use crate::incidents::{ago, row};
use crate::output::{Output, Stopped, clock_time, notify};
use crate::overview::Overview;
use crate::place::{Fresh, Opened, Which, with_table};
use crate::table::{self, Cell};
use phases::{Phases, TimesJson};
use streaks::{Streak, StreakJson, streaks};

/// How many ticks are shown before the first bad one and after the last.
const AROUND: u32 = 5;
/// The most ticks of an incident that are read of each region: as many of its beginning as of its end.
const MAX_TICKS: usize = 120;

const EXAMPLES: &str = "\
Examples:
  portpulse history orders-db
  portpulse history orders-db --at 2026-11-22T05:40:00Z
  portpulse history orders-db --incident orders-db@2026-11-22T05:40:00Z.7
  portpulse history orders-db --since 30d --json --table portpulse --region eu-west-1";

/// Show a monitor's incidents, and one of them tick by tick: what each location saw, in streaks
///
/// The latest, unless another is named. Where there was no incident, the ticks around that time are shown, or the last.
/// Where checks have more phases than the connect, how long each took in these ticks is told below them,
/// within 6.25 % for the connect and 12 % for the others.
/// Results are kept for 35 days. Of a long incident the first and the last sixty ticks are read; how much was read, and
/// whether older incidents were left out, is said on standard error.
///
/// Exit status: 0 shown, 2 wrong usage (such as an unknown monitor), or the table could not be read.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The monitor
    #[arg(value_name = "ID")]
    id: String,

    /// The incident of this id, as messages have it
    #[arg(long, value_name = "INCIDENT", conflicts_with = "at")]
    incident: Option<String>,

    /// What was at this time, such as 2026-11-22T05:40:00Z: the incident that was open, or else the ticks around it
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: Option<Timestamp>,

    /// How far back incidents are looked for
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = parse_duration)]
    since: Duration,

    /// Write one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    place: Which,
}

/// What is shown.
struct History {
    monitor: MonitorId,
    group: GroupId,
    target: Option<String>,
    now: Timestamp,
    /// The monitor's own.
    archive: Archive,
    locations: BTreeMap<Location, Vec<Streak>>,
    /// Of the locations that saw more phases than the connect.
    phases: BTreeMap<Location, Phases>,
    /// How many ticks in the middle of the incident were not read.
    skipped: usize,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, Stopped> {
    with_table(&args.place, Fresh::Refused, async |table| {
        let history = History::read(args, table).await?;
        let lines = if args.json {
            vec![history.json(&table.to_string())?]
        } else {
            history.lines()
        };
        for line in lines {
            output.line(line)?;
        }
        history.archive.report_missing();
        notify(&format!("Read {} read units.", table.read_units()));
        Ok(ExitStatus::Good)
    })
}

impl History {
    async fn read(args: &Args, table: &Opened) -> Result<Self, Stopped> {
        let unable = |error| Stopped::unable(format!("read {table}"), error);
        let (id, group) = find(table, &args.id).await?;
        let overview = Overview::read(&table.store, table.now()).await.map_err(unable)?;
        let now = overview.now;
        let wanted = Wanted::of(args, &id)?;
        let listed = ago(now, args.since);
        let since = wanted.time().map_or(listed, |time| time.min(listed));
        let archive = archive::read(&table.store, &overview, since).await;
        let mut archive = archive.map_err(unable)?;
        archive.entries.retain(|entry| entry.id.monitor == id);
        let shown = wanted.find(&archive, now)?;
        archive.entries.retain(|entry| {
            end(entry, now) >= listed || Some(&entry.id) == shown.as_ref().map(|one| &one.id)
        });

        let read = overview.known.groups.get(&group);
        let monitor: Option<&Monitor> = read.and_then(|read| read.definitions.monitors.get(&id));
        let around = wanted.time().unwrap_or(now).min(now);
        let (ticks, skipped) = ticks(shown.as_ref(), group.interval, around, now);
        let (mut locations, mut phases) = (BTreeMap::new(), BTreeMap::new());
        let all = read.into_iter().flat_map(|read| &read.expected);
        for location in
            all.filter(|location| monitor.is_none_or(|monitor| monitor.rule().locations.includes(location)))
        {
            let found = table
                .store
                .results_of(group, ticks.iter().copied(), location)
                .await;
            let found = found.map_err(unable)?;
            let sum = read.and_then(|read| of_ticks(&read.definitions, &found.rows).remove(&id));
            if let Some(taken) = sum.as_ref().and_then(Phases::of) {
                phases.insert(location.clone(), taken);
            }
            locations.insert(
                location.clone(),
                streaks(&id, monitor, group.interval, &ticks, &found.rows),
            );
        }
        Ok(Self {
            monitor: id,
            group,
            target: monitor.map(|monitor| monitor.target().to_string()),
            now,
            archive,
            locations,
            phases,
            skipped,
        })
    }

    fn lines(&self) -> Vec<String> {
        let target = self.target.as_deref().unwrap_or("disabled, or not to be read");
        let mut lines = vec![format!("{}  {target}  {}", self.monitor, self.group)];
        let incidents = &self.archive.entries;
        if incidents.is_empty() {
            lines.push("No incident in this time.".to_owned());
        }
        let rows: Vec<_> = incidents.iter().map(|entry| row(entry, self.now)).collect();
        lines.extend(table::lines(&rows));
        for (location, streaks) in &self.locations {
            lines.push(String::new());
            lines.push(format!("{location}:"));
            let rows: Vec<_> = streaks.iter().map(Streak::row).collect();
            let phases = self.phases.get(location).map(Phases::rows).unwrap_or_default();
            let tables = [table::lines(&rows), table::lines(&phases)].concat();
            lines.extend(tables.into_iter().map(|line| format!("  {line}")));
        }
        if self.skipped > 0 {
            lines.push(format!("{} ticks in the middle were not read.", self.skipped));
        }
        lines
    }

    fn json(&self, table: &str) -> Result<String, Stopped> {
        #[derive(Serialize)]
        struct HistoryJson<'a> {
            table: &'a str,
            monitor: &'a str,
            group: String,
            target: Option<&'a str>,
            incidents: Vec<EntryJson<'a>>,
            locations: BTreeMap<&'a str, Vec<StreakJson>>,
            #[serde(skip_serializing_if = "BTreeMap::is_empty")]
            phases: BTreeMap<&'a str, BTreeMap<&'static str, TimesJson>>,
            ticks_not_read: usize,
        }
        let (locations, phases) = (self.locations.iter(), self.phases.iter());
        let json = HistoryJson {
            table,
            monitor: self.monitor.as_str(),
            group: self.group.to_string(),
            target: self.target.as_deref(),
            incidents: self
                .archive
                .entries
                .iter()
                .map(|entry| EntryJson::of(entry, self.now))
                .collect(),
            locations: locations
                .map(|(location, streaks)| (location.as_str(), streaks.iter().map(Streak::json).collect()))
                .collect(),
            phases: phases
                .map(|(location, taken)| (location.as_str(), taken.json()))
                .collect(),
            ticks_not_read: self.skipped,
        };
        serde_json::to_string(&json).map_err(|error| Stopped::unable("write JSON", error))
    }
}

/// Which incident is to be shown.
enum Wanted {
    Latest,
    /// The one that was open then, if any.
    At(Timestamp),
    /// The one of this id, which opened then.
    Named {
        id: String,
        opened: Timestamp,
    },
}

impl Wanted {
    fn of(args: &Args, monitor: &MonitorId) -> Result<Self, Stopped> {
        let Some(id) = &args.incident else {
            return Ok(args.at.map_or(Self::Latest, Self::At));
        };
        let own = id
            .strip_prefix(monitor.as_str())
            .and_then(|rest| rest.strip_prefix('@'));
        let opened = own.and_then(|own| parse_time(own.split('.').next()?).ok());
        let id = id.escape_debug().to_string();
        match opened {
            Some(opened) => Ok(Self::Named { id, opened }),
            None => Err(Stopped::Usage {
                complaint: format!(
                    "--incident {id}: is no incident of {monitor} (messages and `portpulse incidents --json` have their \
                     ids, such as {monitor}@2026-11-22T05:40:00Z.7)"
                ),
            }),
        }
    }

    /// The time that is asked about.
    const fn time(&self) -> Option<Timestamp> {
        match self {
            Self::Latest => None,
            Self::At(time) | Self::Named { opened: time, .. } => Some(*time),
        }
    }

    /// The incident among those that were found.
    fn find(&self, archive: &Archive, now: Timestamp) -> Result<Option<IncidentView>, Stopped> {
        let incidents = &archive.entries;
        let found = match self {
            Self::Latest => incidents.first(),
            Self::At(time) => incidents
                .iter()
                .find(|entry| entry.since <= *time && *time <= end(entry, now)),
            Self::Named { id, .. } => {
                let named = incidents.iter().find(|entry| entry.id.to_string() == *id);
                let further = match archive.is_cut {
                    true => ", or it lies further back than one command reads",
                    false => "",
                };
                let complaint =
                    || format!("--incident {id}: there is none, or it is no longer kept{further}");
                Some(named.ok_or_else(|| Stopped::Usage {
                    complaint: complaint(),
                })?)
            }
        };
        Ok(found.cloned())
    }
}

/// The ticks to read, and how many in their middle are left out: those of an incident, or those around a time.
fn ticks(
    incident: Option<&IncidentView>,
    interval: Interval,
    time: Timestamp,
    now: Timestamp,
) -> (Vec<Tick>, usize) {
    let tick = |time| Tick::containing(time, interval);
    let (from, to) = match incident {
        Some(entry) => (tick(entry.since), tick(end(entry, now))),
        None => (tick(time), tick(time)),
    };
    let to = to.later(interval, AROUND).min(tick(now));
    let seconds = interval.seconds();
    let from = from.as_second() - i64::from(AROUND) * seconds;
    let count = usize::try_from((to.as_second() - from) / seconds + 1).unwrap_or(0);
    let first = Tick::containing(Timestamp::from_second(from).unwrap_or(Timestamp::MIN), interval);
    let half = MAX_TICKS / 2;
    let skipped = count.saturating_sub(MAX_TICKS);
    let wanted = (0..count).filter(|at| skipped == 0 || *at < half || *at >= count - half);
    let tick = |at: usize| first.later(interval, u32::try_from(at).unwrap_or(u32::MAX));
    (wanted.map(tick).collect(), skipped)
}

/// The time of a tick.
fn clock(time: Tick) -> Cell {
    Cell::new(clock_time(time.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_that_is_not_found_may_lie_further_back_than_was_read() {
        let wanted = Wanted::Named {
            id: "db@2026-11-22T05:40:00Z.7".to_owned(),
            opened: Timestamp::UNIX_EPOCH,
        };
        for (is_cut, ending) in [
            (false, "or it is no longer kept"),
            (true, "or it lies further back than one command reads"),
        ] {
            let archive = Archive {
                entries: Vec::new(),
                is_cut,
                unreadable: Vec::new(),
            };
            let Err(Stopped::Usage { complaint }) = wanted.find(&archive, Timestamp::UNIX_EPOCH) else {
                panic!("{is_cut}: it was found");
            };
            assert!(complaint.ends_with(ending), "{complaint}");
        }
    }
}
