//! Reads the open and closed incidents of a table, latest first.

use std::cmp::Reverse;

use jiff::Timestamp;
use portpulse_core::decide::Explanation;
use portpulse_core::definition::Visibility;
use portpulse_core::group_state::{Ending, Finding};
use portpulse_core::operator_note::OperatorNote;
use portpulse_core::withheld::Withheld;
use portpulse_history::api::unnotified_json;
use portpulse_history::assemble;
use portpulse_history::view::{Audience, IncidentView};
use portpulse_store::table::{PagedQuery, Table};
use portpulse_store::{Error, Store};
use serde_json::{Value, json};

use crate::output::print_note;
use crate::overview::{Overview, reader};

/// The incidents of a table.
#[derive(Debug)]
pub(crate) struct IncidentList {
    /// Sorted by opening time, latest first.
    pub(crate) entries: Vec<IncidentView>,
    /// Whether older incidents were left out because of the read limit.
    pub(crate) is_truncated: bool,
    /// An error for each item that cannot be read.
    pub(crate) unreadable: Vec<String>,
}

impl IncidentList {
    /// Prints a warning on standard error for everything that is missing from the list.
    pub(crate) fn warn_if_incomplete(&self) {
        for error in &self.unreadable {
            print_note(&format!("warning: unreadable item: {error}"));
        }
        if self.is_truncated {
            print_note(
                "warning: the read limit was reached; older incidents are not listed\n  help: use a shorter --since",
            );
        }
    }
}

/// Reads all open incidents, and those that closed at `since` or later.
pub(crate) async fn read<T>(
    store: &Store<T>,
    overview: &Overview,
    since: Timestamp,
) -> Result<IncidentList, Error>
where
    T: Table + PagedQuery + Clone,
{
    let mut known = overview.snapshot.clone();
    reader(store).add_closed(&mut known, since, overview.now).await?;
    let page = assemble::all_incidents(&known, Audience::Private, overview.now);
    let mut entries: Vec<_> = page.open.into_iter().chain(page.closed).collect();
    entries.sort_by(|one, other| {
        let key = |entry: &IncidentView| (Reverse(entry.opened), entry.id.clone());
        key(one).cmp(&key(other))
    });
    Ok(IncidentList {
        entries,
        is_truncated: page.left_out.incidents,
        unreadable: known.unreadable,
    })
}

/// When the incident closed; `now` if it is open.
pub(crate) fn end(incident: &IncidentView, now: Timestamp) -> Timestamp {
    incident.closed.map_or(now, |(closed, _)| closed)
}

/// The latest finding of the incident.
pub(crate) fn finding(incident: &IncidentView) -> Option<&Finding> {
    incident.inside.as_ref()?.finding.as_ref()
}

/// The diagnosis of the incident.
pub(crate) fn diagnosis(incident: &IncidentView) -> Option<&Explanation> {
    incident.inside.as_ref()?.diagnosis.as_ref()
}

pub(crate) const fn ending_name(ending: Ending) -> &'static str {
    match ending {
        Ending::Recovered => "recovered",
        Ending::Removed => "removed",
    }
}

fn note(note: &OperatorNote) -> Value {
    json!({
        "at": note.at.to_string(),
        "by": note.by(),
        "text": note.text(),
        "public": note.visibility == Visibility::Public,
    })
}

/// Why an open incident was not notified yet, or why a closed one never was, as a sentence.
pub(crate) fn unnotified(incident: &IncidentView) -> Option<String> {
    let (inside, id) = (incident.inside.as_ref()?, &incident.id);
    if let Some(reason) = &inside.never_notified {
        return Some(format!("{id} was never notified: {reason}."));
    }
    let is_due = incident.closed.is_none() && inside.notified.is_none();
    is_due.then(|| unnotified_text(&id.to_string(), inside.withheld.as_ref()))
}

/// Why an open incident was not notified yet; `withheld` is `None` if the next check notifies it.
pub(crate) fn unnotified_text(id: &str, withheld: Option<&Withheld>) -> String {
    match withheld {
        Some(reason) => format!("{id} is not notified: {reason}."),
        None => format!("{id} is not notified yet: the next check notifies it."),
    }
}

/// An incident as one JSON object.
pub(crate) fn json(incident: &IncidentView, now: Timestamp) -> Value {
    let (finding, diagnosis) = (finding(incident), diagnosis(incident));
    let inside = incident.inside.as_ref();
    let cluster = inside.and_then(|inside| inside.cluster.as_ref());
    let notified = inside.and_then(|inside| inside.notified);
    let lasted = end(incident, now).duration_since(incident.since);
    json!({
        "id": incident.id.to_string(),
        "monitor": incident.id.monitor.as_str(),
        "status": incident.status.as_str(),
        "opened": incident.opened.to_string(),
        "since": incident.since.to_string(),
        "layer": diagnosis.map(|known| known.diagnosis.layer.as_str()),
        "diagnosis": diagnosis.map(|known| known.sentence.as_str()),
        "cluster": cluster.map(ToString::to_string),
        "cause": finding.map(|finding| finding.cause.code()),
        "detail": finding.and_then(|finding| Some(finding.detail.as_ref()?.as_str())),
        "closed": incident.closed.map(|(closed, _)| closed.to_string()),
        "ending": incident.closed.map(|(_, ending)| ending_name(ending)),
        "notified": notified.map(|(first, _)| first.to_string()),
        "withheld": inside.and_then(unnotified_json),
        "seconds": lasted.as_secs().max(0),
        "notes": incident.notes.iter().map(note).collect::<Vec<_>>(),
    })
}
