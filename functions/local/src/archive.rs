//! The incidents of a table, open and closed, latest first.

use jiff::{SignedDuration, Timestamp};
use portpulse_core::board::{ClosedIncident, Ending, Incident, IncidentId};
use portpulse_store::table::Browse;
use portpulse_store::{Error, Store, keys};
use serde::Serialize;

use crate::overview::Overview;

/// The most closed incidents that are read; older ones are left out, and that is said.
pub(crate) const MOST_READ: usize = 2_000;
/// How many are asked for at once.
const PAGE: u32 = 100;

/// An incident, open or closed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) id: IncidentId,
    pub(crate) incident: Incident,
    /// When it closed, and why.
    pub(crate) closed: Option<(Timestamp, Ending)>,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Archive {
    /// Latest first.
    pub(crate) entries: Vec<Entry>,
    /// Whether there are more than are read.
    pub(crate) is_cut: bool,
    /// Items that cannot be read.
    pub(crate) unreadable: Vec<Error>,
}

impl Entry {
    fn of(closed: &ClosedIncident) -> Self {
        Self {
            id: closed.incident.id(&closed.monitor, closed.track),
            incident: closed.incident.clone(),
            closed: Some((closed.closed.timestamp(), closed.ending)),
        }
    }

    /// When it was over; the time where it is not.
    pub(crate) fn end(&self, now: Timestamp) -> Timestamp {
        self.closed.map_or(now, |(closed, _)| closed)
    }
}

/// All open incidents, and the closed ones that opened at `since` or later.
pub(crate) async fn read<T: Browse>(
    store: &Store<T>,
    overview: &Overview,
    since: Timestamp,
) -> Result<Archive, Error> {
    let mut archive = Archive::default();
    for group in overview.groups.values() {
        let verdict = &group.board.verdict;
        archive.entries.extend(
            verdict
                .incidents
                .iter()
                .map(|((monitor, track), incident)| Entry {
                    id: incident.id(monitor, *track),
                    incident: incident.clone(),
                    closed: None,
                }),
        );
        // On its way to the archive.
        archive.entries.extend(verdict.closed.iter().map(Entry::of));
    }
    let mut month = overview.now;
    let mut stretch = Some(keys::incidents_of_month(month));
    while let Some(next) = stretch {
        let piece = store.next_incidents(&next, PAGE).await?;
        archive.unreadable.extend(piece.unreadable);
        let is_early = |closed: &ClosedIncident| closed.incident.opened.timestamp() < since;
        let reached = piece.rows.iter().any(is_early);
        let late = piece.rows.iter().filter(|closed| !is_early(closed));
        archive.entries.extend(late.map(Entry::of));
        archive.is_cut = archive.entries.len() >= MOST_READ;
        if reached || archive.is_cut {
            break;
        }
        stretch = piece.rest.or_else(|| {
            month = month_before(month);
            // The last hour of the month before is the earliest that it may hold.
            (month >= since).then(|| keys::incidents_of_month(month))
        });
    }
    archive.entries.sort_by(|a, b| {
        let key = |entry: &Entry| (std::cmp::Reverse(entry.incident.opened), entry.id.clone());
        key(a).cmp(&key(b))
    });
    archive.entries.dedup_by(|a, b| a.id == b.id);
    Ok(archive)
}

/// The last moment of the month before that of `time`, in UTC.
fn month_before(time: Timestamp) -> Timestamp {
    let first = time.strftime("%Y-%m-01T00:00:00Z").to_string();
    let first: Timestamp = first.parse().unwrap_or(Timestamp::MIN);
    first
        .saturating_sub(SignedDuration::from_secs(1))
        .unwrap_or(Timestamp::MIN)
}

/// An incident as one JSON object, in the order of the documentation.
#[derive(Serialize)]
pub(crate) struct EntryJson<'a> {
    id: String,
    monitor: &'a str,
    verdict: &'static str,
    opened: String,
    since: String,
    cause: Option<&'static str>,
    detail: Option<&'a str>,
    closed: Option<String>,
    ending: Option<&'static str>,
    seconds: i64,
}

impl Entry {
    pub(crate) fn json(&self, now: Timestamp) -> EntryJson<'_> {
        let finding = self.incident.finding.as_ref();
        EntryJson {
            id: self.id.to_string(),
            monitor: self.id.monitor.as_str(),
            verdict: self.incident.verdict.as_str(),
            opened: self.incident.opened.to_string(),
            since: self.incident.since.to_string(),
            cause: finding.map(|finding| finding.cause.code()),
            detail: finding
                .and_then(|finding| finding.detail.as_ref())
                .map(|detail| detail.as_str()),
            closed: self.closed.map(|(closed, _)| closed.to_string()),
            ending: self.closed.map(|(_, ending)| ending_word(ending)),
            seconds: self
                .end(now)
                .duration_since(self.incident.since.timestamp())
                .as_secs()
                .max(0),
        }
    }
}

pub(crate) const fn ending_word(ending: Ending) -> &'static str {
    match ending {
        Ending::Recovered => "recovered",
        Ending::Removed => "removed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_read_backwards() {
        for (time, expected) in [
            ("2026-11-22T05:41:00Z", "2026-10-31T23:59:59Z"),
            ("2026-03-01T00:00:00Z", "2026-02-28T23:59:59Z"),
            ("2026-01-31T23:59:59Z", "2025-12-31T23:59:59Z"),
        ] {
            assert_eq!(month_before(time.parse().unwrap()).to_string(), expected);
        }
    }
}
