//! Incidents, open and past, each with its timeline; and maintenance, on and ahead.

use std::collections::BTreeMap;

use maud::{Markup, html};
use portpulse_history::view::{Maintenance, Overview};

use super::parts::{PageOf, as_of, incidents_left_out, names};
use super::timeline::{On, incidents};
use crate::words::{self, Show};

/// The most incidents on one page, of some kilobyte each.
const MAX_INCIDENTS: usize = 200;
/// The most monitors that are named with a maintenance window.
const MAX_NAMES: usize = 20;

/// The page's title, and the page.
pub(crate) fn page(page: usize, known: &Overview) -> (String, Markup) {
    let heading = match known.open.len() {
        0 => "No open incident".to_owned(),
        count => words::counted(count, "open incident"),
    };
    let place = PageOf::new(page, known.open.len() + known.closed.len(), MAX_INCIDENTS);
    let open = place.of(&known.open, 0);
    let closed = place.of(&known.closed, known.open.len());
    let main = html! {
        h1 { (heading) }
        (incidents(open, known.at, On::AnyPage))
        @if place.is_first() { (maintenance(known)) }
        h2 { "Past 90 days" }
        @if known.closed.is_empty() { p .quiet { "No incident has closed." } }
        (incidents(closed, known.at, On::AnyPage))
        (place.links(|page| format!("/incidents?page={}", page + 1)))
        (incidents_left_out(known.left_out))
        (as_of(known.at))
    };
    (heading, main)
}

/// Windows that are on or ahead, soonest first, with the monitors of each.
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
                        (words::moment(*from, Show::Full)) " to " (words::moment(*until, Show::Full))
                        @if *from <= known.at { " " strong { "now" } }
                        @if let Some(why) = why { ": " (why) }
                        (names(monitors.iter().copied(), MAX_NAMES))
                    }
                }
            }
        }
    }
}
