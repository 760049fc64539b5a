//! The incidents of a table, open and closed, the latest first.

use std::cmp::Reverse;

use jiff::Timestamp;
use portpulse_core::group_state::{Ending, Finding};
use portpulse_history::assemble;
use portpulse_history::view::{Audience, IncidentView};
use portpulse_store::table::{PagedQuery, Table};
use portpulse_store::{Error, Store};
use serde::Serialize;

use crate::output::notify;
use crate::overview::{Overview, reader};

/// What was found.
#[derive(Debug)]
pub(crate) struct Archive {
    /// Latest first.
    pub(crate) entries: Vec<IncidentView>,
    /// Whether there are more than are read.
    pub(crate) is_cut: bool,
    /// What is wrong with items that cannot be read.
    pub(crate) unreadable: Vec<String>,
}

impl Archive {
    /// Says on standard error what is missing.
    pub(crate) fn report_missing(&self) {
        for error in &self.unreadable {
            notify(&format!("Not read: {error}"));
        }
        if self.is_cut {
            notify("There are more than one command reads: the oldest are left out (see --since).");
        }
    }
}

/// All open incidents, and those that closed at `since` or later.
pub(crate) async fn read<T>(store: &Store<T>, overview: &Overview, since: Timestamp) -> Result<Archive, Error>
where
    T: Table + PagedQuery + Clone,
{
    let mut known = overview.known.clone();
    reader(store).add_closed(&mut known, since, overview.now).await?;
    let page = assemble::all_incidents(&known, Audience::Private, overview.now);
    let mut entries: Vec<_> = page.open.into_iter().chain(page.closed).collect();
    entries.sort_by(|one, other| {
        let key = |entry: &IncidentView| (Reverse(entry.opened), entry.id.clone());
        key(one).cmp(&key(other))
    });
    Ok(Archive {
        entries,
        is_cut: page.left_out.incidents,
        unreadable: known.unreadable,
    })
}

/// When it was over; the time where it is not.
pub(crate) fn end(incident: &IncidentView, now: Timestamp) -> Timestamp {
    incident.closed.map_or(now, |(closed, _)| closed)
}

/// What was found last.
pub(crate) fn finding(incident: &IncidentView) -> Option<&Finding> {
    incident.inside.as_ref()?.finding.as_ref()
}

pub(crate) const fn ending_word(ending: Ending) -> &'static str {
    match ending {
        Ending::Recovered => "recovered",
        Ending::Removed => "removed",
    }
}

/// An incident as one JSON object, in the order of the documentation.
#[derive(Serialize)]
pub(crate) struct EntryJson<'a> {
    id: String,
    monitor: &'a str,
    status: &'static str,
    opened: String,
    since: String,
    cause: Option<&'static str>,
    detail: Option<&'a str>,
    closed: Option<String>,
    ending: Option<&'static str>,
    seconds: i64,
}

impl<'a> EntryJson<'a> {
    pub(crate) fn of(incident: &'a IncidentView, now: Timestamp) -> Self {
        let finding = finding(incident);
        let lasted = end(incident, now).duration_since(incident.since);
        Self {
            id: incident.id.to_string(),
            monitor: incident.id.monitor.as_str(),
            status: incident.status.as_str(),
            opened: incident.opened.to_string(),
            since: incident.since.to_string(),
            cause: finding.map(|finding| finding.cause.code()),
            detail: finding
                .and_then(|finding| finding.detail.as_ref())
                .map(|detail| detail.as_str()),
            closed: incident.closed.map(|(closed, _)| closed.to_string()),
            ending: incident.closed.map(|(_, ending)| ending_word(ending)),
            seconds: lasted.as_secs().max(0),
        }
    }
}
