//! The incidents page: open and closed incidents with their timelines, current and upcoming maintenance.

use std::collections::BTreeMap;

use jiff::Span;
use jiff::tz::Offset;
use maud::{Markup, html};
use portpulse_core::group_state::Status;
use portpulse_history::view::{IncidentView, Maintenance, Overview};

use super::parts::{Pagination, as_of, incidents_left_out, monitor_links};
use super::timeline::{IncidentHeading, incidents};
use crate::display::{self, TimeFormat};
use crate::route::IncidentSelection;

/// The maximum number of incidents per page; each takes about 1 KB.
const MAX_INCIDENTS: usize = 200;
/// The maximum number of monitors that are listed with a maintenance window.
const MAX_NAMES: usize = 20;

/// Renders the page: title and content.
pub(crate) fn page(selection: &IncidentSelection, known: &Overview) -> (String, Markup) {
    let heading = match known.open.len() {
        0 => "No open incidents".to_owned(),
        count => display::plural(count, "open incident"),
    };
    let is_selected = |incident: &&IncidentView| {
        let began = Offset::UTC.to_datetime(incident.since).date();
        selection
            .month
            .is_none_or(|month| began.first_of_month() == month)
            && selection.status.is_none_or(|status| incident.status == status)
    };
    let all_open: Vec<_> = known.open.iter().filter(is_selected).collect();
    let all_closed: Vec<_> = known.closed.iter().filter(is_selected).collect();
    let pagination = Pagination::new(selection.page, all_open.len() + all_closed.len(), MAX_INCIDENTS);
    let open = pagination.of(&all_open, 0);
    let closed = pagination.of(&all_closed, all_open.len());
    let main = html! {
        h1 { (heading) }
        (filter(selection, known))
        @if !open.is_empty() { h2 { "Open" } }
        (incidents(open, known.at, IncidentHeading::Monitor, None))
        @if pagination.is_first() { (maintenance(known)) }
        h2 { @match selection.month { Some(month) => (month.strftime("%B %Y")), None => "Past 90 days" } }
        @if closed.is_empty() { p .quiet { "No closed incidents." } }
        (incidents(closed, known.at, IncidentHeading::Monitor, None))
        (pagination.links(|page| selection.address(page)))
        (incidents_left_out(known.left_out))
        (as_of(known.at))
    };
    (heading, main)
}

/// Links to the months of the past 90 days, and to the incidents of one status.
fn filter(selection: &IncidentSelection, known: &Overview) -> Markup {
    let today = Offset::UTC.to_datetime(known.at).date();
    let months =
        (0..4i64).filter_map(|back| today.first_of_month().checked_sub(Span::new().months(back)).ok());
    let first = today.checked_sub(Span::new().days(89)).unwrap_or(today);
    let months = months.filter(|month| month.last_of_month() >= first);
    let link = |text: String, to: IncidentSelection| {
        let is_current = to.month == selection.month && to.status == selection.status;
        html! { a href=(to.address(0)) aria-current=[is_current.then_some("true")] { (text) } }
    };
    let statuses = Status::ALL.iter().filter(|status| {
        let all = known.open.iter().chain(&known.closed);
        all.into_iter().any(|incident| incident.status == **status)
    });
    html! {
        nav .months aria-label="Month" {
            (link("All".to_owned(), IncidentSelection { month: None, page: 0, ..selection.clone() }))
            @for month in months {
                (link(month.strftime("%B %Y").to_string(), IncidentSelection { month: Some(month), page: 0, ..selection.clone() }))
            }
        }
        nav .months aria-label="Status" {
            (link("Any status".to_owned(), IncidentSelection { status: None, page: 0, ..selection.clone() }))
            @for status in statuses {
                (link(status.as_str().to_owned(), IncidentSelection { status: Some(*status), page: 0, ..selection.clone() }))
            }
        }
    }
}

/// Current and upcoming maintenance windows, soonest first, with their monitors.
pub(crate) fn maintenance(known: &Overview) -> Markup {
    let mut windows: BTreeMap<&Maintenance, Vec<(&str, &str)>> = BTreeMap::new();
    for monitor in &known.monitors {
        for window in &monitor.maintenance {
            windows
                .entry(window)
                .or_default()
                .push((monitor.id.as_str(), monitor.title()));
        }
    }
    html! {
        @if !windows.is_empty() {
            h2 { "Maintenance" }
            ul .windows {
                @for (Maintenance { from, until, why }, monitors) in windows {
                    li .card {
                        (display::timestamp(*from, TimeFormat::Full)) " to " (display::timestamp(*until, TimeFormat::Full))
                        @if *from <= known.at { " " strong { "now" } }
                        @if let Some(why) = why { ": " (why) }
                        (monitor_links(monitors.iter().copied(), MAX_NAMES))
                    }
                }
            }
        }
    }
}
