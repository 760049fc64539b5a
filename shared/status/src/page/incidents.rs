//! The incidents page: open and closed incidents with their timelines, current and upcoming maintenance.

use std::collections::BTreeMap;

use maud::{Markup, html};
use portpulse_history::view::{Maintenance, Overview};

use super::parts::{Pagination, as_of, incidents_left_out, monitor_links};
use super::timeline::{IncidentHeading, incidents};
use crate::display::{self, TimeFormat};

/// The maximum number of incidents per page; each takes about 1 KB.
const MAX_INCIDENTS: usize = 200;
/// The maximum number of monitors that are listed with a maintenance window.
const MAX_NAMES: usize = 20;

/// Renders the page: title and content.
pub(crate) fn page(page: usize, known: &Overview) -> (String, Markup) {
    let heading = match known.open.len() {
        0 => "No open incidents".to_owned(),
        count => display::plural(count, "open incident"),
    };
    let pagination = Pagination::new(page, known.open.len() + known.closed.len(), MAX_INCIDENTS);
    let open = pagination.of(&known.open, 0);
    let closed = pagination.of(&known.closed, known.open.len());
    let main = html! {
        h1 { (heading) }
        (incidents(open, known.at, IncidentHeading::Monitor))
        @if pagination.is_first() { (maintenance(known)) }
        h2 { "Past 90 days" }
        @if known.closed.is_empty() { p .quiet { "No closed incidents." } }
        (incidents(closed, known.at, IncidentHeading::Monitor))
        (pagination.links(|page| format!("/incidents?page={}", page + 1)))
        (incidents_left_out(known.left_out))
        (as_of(known.at))
    };
    (heading, main)
}

/// Current and upcoming maintenance windows, soonest first, with their monitors.
fn maintenance(known: &Overview) -> Markup {
    let mut windows: BTreeMap<&Maintenance, Vec<&str>> = BTreeMap::new();
    for monitor in &known.monitors {
        for window in &monitor.maintenance {
            windows.entry(window).or_default().push(monitor.id.as_str());
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
