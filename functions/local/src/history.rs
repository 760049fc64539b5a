//! `portpulse history`: a monitor's incidents, and the results of each location around one of them.

mod phases;
mod streaks;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use portpulse_core::definition::Monitor;
use portpulse_core::group_state::{AGENT_REACH, LocationKind};
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::rollup::of_ticks;
use portpulse_core::time::{Interval, Tick, parse_duration, parse_time};
use portpulse_history::location_kinds::{LocationKinds, kind_suffix};
use portpulse_history::view::IncidentView;
use serde_json::{Map, Value, json};

use crate::ExitStatus;
use crate::incident_list::{self, IncidentList, diagnosis, end};
use crate::incidents::{ago, table_lines};
use crate::monitor_selection::find_monitor;
use crate::output::{CommandError, Output, kinds_json, monitor_title, print_note};
use crate::overview::Overview;
use crate::table_access::{MissingData, OpenTable, TableArgs, with_table};
use phases::Phases;
use streaks::{Streak, streaks};

/// The number of checks shown before the start and after the end of an incident.
const CONTEXT_CHECKS: u32 = 5;
/// The maximum checks of an incident that are read per location, half of them from its start and half from its end.
const MAX_CHECKS: usize = 120;

const EXAMPLES: &str = "\
Examples:
  portpulse history orders-db
  portpulse history orders-db --at 2026-11-22T05:40:00Z
  portpulse history orders-db --incident orders-db@2026-11-22T05:40:00Z.7
  portpulse history orders-db --since 30d --json --table portpulse --region eu-west-1";

/// Show a monitor's incidents, and the results of each location around one of them
///
/// Shows the latest incident by default. Without an incident, shows the results around the time of --at, or the latest
/// results. Consecutive equal results are combined into one line. The time shown is the total of all phases. If
/// the checks have more phases than the connect, the percentiles of the total and of each phase follow (accurate to 12 %).
///
/// Results are kept for 35 days. Of a long incident, the first and last 60 checks are read. The consumed read units, and
/// a warning if older incidents are not listed, go to standard error.
///
/// Exit status: 0 shown, 2 invalid usage (such as an unknown monitor) or an error.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The id of the monitor
    #[arg(value_name = "ID")]
    id: String,

    /// Show the incident with this id (ids are in notifications and in `portpulse incidents --json`)
    #[arg(long, value_name = "INCIDENT", conflicts_with = "at")]
    incident: Option<String>,

    /// Show the incident that was open at this time, such as 2026-11-22T05:40:00Z, or the results around it
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: Option<Timestamp>,

    /// List the incidents that closed within this period, and open ones
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = parse_duration)]
    since: Duration,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    table_args: TableArgs,
}

/// The incidents and results to show.
struct History {
    monitor: MonitorId,
    /// The name for people, if one is configured.
    name: Option<String>,
    interval: Interval,
    target: Option<String>,
    now: Timestamp,
    /// The diagnosis of the incident shown.
    diagnosis: Option<String>,
    /// The incidents of the monitor.
    incident_list: IncidentList,
    locations: BTreeMap<Location, Vec<Streak>>,
    kinds: LocationKinds,
    /// The locations whose checks have more phases than the connect.
    phases: BTreeMap<Location, Phases>,
    /// The number of checks in the middle of the incident that were not read.
    skipped: usize,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, CommandError> {
    with_table(&args.table_args, MissingData::Refuse, async |table| {
        let history = History::read(args, table).await?;
        match args.json {
            true => output.json(&history.json(&table.to_string()))?,
            false => output.lines(history.lines())?,
        }
        history.incident_list.warn_if_incomplete();
        print_note(&format!("Consumed read units: {}", table.read_units()));
        Ok(ExitStatus::Success)
    })
}

impl History {
    async fn read(args: &Args, table: &OpenTable) -> Result<Self, CommandError> {
        let failed = |error| CommandError::failed(format!("read {table}"), error);
        let (id, group) = find_monitor(table, &args.id).await?;
        let overview = Overview::of_table(table).await?;
        let now = overview.now;
        let selection = Selection::of(args, &id)?;
        let listed = ago(now, args.since);
        let since = selection.time().map_or(listed, |time| time.min(listed));
        let incident_list = incident_list::read(&table.store, &overview, since).await;
        let mut incident_list = incident_list.map_err(failed)?;
        incident_list.entries.retain(|entry| entry.id.monitor == id);
        let shown = selection.find(&incident_list, now)?;
        incident_list.entries.retain(|entry| {
            end(entry, now) >= listed || Some(&entry.id) == shown.as_ref().map(|one| &one.id)
        });

        let read = overview.snapshot.groups.get(&group);
        let monitor: Option<&Monitor> = read.and_then(|read| read.definitions.monitors.get(&id));
        let around = selection.time().unwrap_or(now).min(now);
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
            let found = found.map_err(failed)?;
            let sum = read.and_then(|read| of_ticks(&read.definitions, &found.records).remove(&id));
            if let Some(taken) = sum.as_ref().and_then(Phases::of) {
                phases.insert(location.clone(), taken);
            }
            locations.insert(
                location.clone(),
                streaks(&id, monitor, group.interval, &ticks, &found.records),
            );
        }
        Ok(Self {
            monitor: id,
            name: monitor.and_then(|monitor| monitor.about().name.clone()),
            interval: group.interval,
            target: monitor.map(|monitor| monitor.target().to_string()),
            now,
            diagnosis: shown
                .as_ref()
                .and_then(diagnosis)
                .map(|known| known.sentence.clone()),
            incident_list,
            kinds: LocationKinds::of(&overview.snapshot),
            locations,
            phases,
            skipped,
        })
    }

    fn lines(&self) -> Vec<String> {
        let target = self.target.as_deref().unwrap_or("disabled or invalid");
        let monitor = monitor_title(&self.monitor, self.name.as_deref());
        let mut lines = vec![format!("{monitor}  {target}  every {}", self.interval)];
        let is_agent = |location| self.kinds.get(location) == Some(LocationKind::Agent);
        if self.locations.keys().any(is_agent) {
            lines.push(AGENT_REACH.to_owned());
        }
        lines.extend(self.diagnosis.clone());
        let incidents = &self.incident_list.entries;
        if incidents.is_empty() {
            lines.push("No incidents in this period.".to_owned());
        }
        lines.extend(table_lines(incidents, self.now));
        for (location, streaks) in &self.locations {
            let kind = kind_suffix(self.kinds.get(location));
            lines.extend([String::new(), format!("{location}{kind}:")]);
            let phases = self.phases.get(location).map(Phases::lines).unwrap_or_default();
            let tables = streaks::lines(streaks).into_iter().chain(phases);
            lines.extend(tables.map(|line| format!("  {line}")));
        }
        if self.skipped > 0 {
            lines.push(format!(
                "{} checks in the middle of the incident are not shown.",
                self.skipped
            ));
        }
        lines
    }

    fn json(&self, table: &str) -> Value {
        let incidents = self.incident_list.entries.iter();
        let streaks = |(location, streaks): (&Location, &Vec<Streak>)| {
            (location.to_string(), streaks.iter().map(Streak::json).collect())
        };
        let phases = self.phases.iter();
        let phases: Map<_, _> = phases
            .map(|(location, taken)| (location.to_string(), taken.json().into()))
            .collect();
        json!({
            "table": table,
            "monitor": self.monitor.as_str(),
            "name": self.name,
            "interval": self.interval.as_str(),
            "target": self.target,
            "incidents": incidents.map(|entry| incident_list::json(entry, self.now)).collect::<Vec<_>>(),
            "locations": self.locations.iter().map(streaks).collect::<Map<_, _>>(),
            "location_kinds": kinds_json(&self.kinds, self.locations.keys()),
            "phases": phases,
            "checks_not_read": self.skipped,
        })
    }
}

/// Which incident to show.
enum Selection {
    Latest,
    /// The incident that was open at this time, if any.
    At(Timestamp),
    /// The incident with this id; the id contains the time it opened.
    Named {
        id: String,
        opened: Timestamp,
    },
}

impl Selection {
    fn of(args: &Args, monitor: &MonitorId) -> Result<Self, CommandError> {
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
            None => Err(CommandError::usage_with_help(
                format_args!("--incident {id} is not an incident id of {monitor}"),
                format_args!(
                    "run `portpulse incidents --json`; ids look like {monitor}@2026-11-22T05:40:00Z.7"
                ),
            )),
        }
    }

    /// The time that the selection refers to.
    const fn time(&self) -> Option<Timestamp> {
        match self {
            Self::Latest => None,
            Self::At(time) | Self::Named { opened: time, .. } => Some(*time),
        }
    }

    /// Finds the selected incident.
    fn find(
        &self,
        incident_list: &IncidentList,
        now: Timestamp,
    ) -> Result<Option<IncidentView>, CommandError> {
        let incidents = &incident_list.entries;
        let found = match self {
            Self::Latest => incidents.first(),
            Self::At(time) => incidents
                .iter()
                .find(|entry| entry.since <= *time && *time <= end(entry, now)),
            Self::Named { id, .. } => {
                let named = incidents.iter().find(|entry| entry.id.to_string() == *id);
                let beyond_limit = match incident_list.is_truncated {
                    true => ", or it is older than the read limit reaches",
                    false => "",
                };
                let message = || format!("incident {id} does not exist, or has expired{beyond_limit}");
                Some(named.ok_or_else(|| CommandError::usage(message()))?)
            }
        };
        Ok(found.cloned())
    }
}

/// The ticks of an incident, or around a time, and the number of ticks in the middle that are skipped.
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
    let to = to.later(interval, CONTEXT_CHECKS).min(tick(now));
    let seconds = interval.seconds();
    let from = from.as_second() - i64::from(CONTEXT_CHECKS) * seconds;
    let count = usize::try_from((to.as_second() - from) / seconds + 1).unwrap_or(0);
    let first = Tick::containing(Timestamp::from_second(from).unwrap_or(Timestamp::MIN), interval);
    let half = MAX_CHECKS / 2;
    let skipped = count.saturating_sub(MAX_CHECKS);
    let selection = (0..count).filter(|at| skipped == 0 || *at < half || *at >= count - half);
    let tick = |at: usize| first.later(interval, u32::try_from(at).unwrap_or(u32::MAX));
    (selection.map(tick).collect(), skipped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_incident_mentions_the_read_limit_if_it_was_reached() {
        let selection = Selection::Named {
            id: "db@2026-11-22T05:40:00Z.7".to_owned(),
            opened: Timestamp::UNIX_EPOCH,
        };
        for (is_truncated, ending) in [
            (false, "or has expired"),
            (true, "or it is older than the read limit reaches"),
        ] {
            let incident_list = IncidentList {
                entries: Vec::new(),
                is_truncated,
                unreadable: Vec::new(),
            };
            let Err(CommandError::Usage { message }) = selection.find(&incident_list, Timestamp::UNIX_EPOCH)
            else {
                panic!("{is_truncated}: the incident was found");
            };
            assert!(message.ends_with(ending), "{message}");
        }
    }
}
