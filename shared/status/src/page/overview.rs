//! All monitors at a glance: what is bad first.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use portpulse_core::group_state::{LocationProblem, Status};
use portpulse_history::view::{MonitorInside, MonitorView, Overview, OverviewInside};

use super::parts::{PageOf, as_of, names, remarks, tags, uptimes, visibilities};
use crate::chart;
use crate::route::{By, Selection};
use crate::words::{self, Show};

/// The most monitors that have a row of their own on one page: of some 2.5 KB, or from many locations four times that.
const MAX_ROWS: usize = 100;
/// The most monitors of one status that are named on a page on which they have no row.
const MAX_NAMES: usize = 1_000;
/// The most tags to choose from; a search finds the others.
const MAX_TAGS: usize = 200;
/// The most notices of one kind.
const MAX_NOTICES: usize = 20;

/// The page's title, and the page.
pub(crate) fn page(selection: &Selection, known: &Overview) -> (String, Markup) {
    let fits = |monitor: &&MonitorView| matches(selection, monitor);
    let shown: Vec<_> = known.monitors.iter().filter(fits).collect();
    let heading = heading(&known.monitors);
    let (sections, place) = turned_to(selection, &shown);
    let main = html! {
        h1 { (heading) }
        (counts(&known.monitors))
        (notices(known))
        @if known.monitors.is_empty() {
            p { "Nothing is watched yet: define a monitor, and apply that." }
        } @else {
            (form(selection, known))
        }
        @if shown.is_empty() && !known.monitors.is_empty() {
            p { "No monitor matches. " a href="/" { "Show all" } }
        }
        (elsewhere(&shown, &sections))
        @for section in &sections {
            section {
                h2 { (section.title) " " span .count { (section.all) } }
                ul .monitors { @for monitor in &section.here { (row(monitor, known)) } }
            }
        }
        (place.links(|page| selection.address(page)))
        (as_of(known.at))
    };
    (heading, main)
}

fn heading(monitors: &[MonitorView]) -> String {
    let bad = monitors.iter().filter(|monitor| monitor.status != Status::Up);
    match (monitors.len(), bad.count()) {
        (0, _) => "No monitors".to_owned(),
        (1, 0) => "The one monitor is up".to_owned(),
        (all, 0) => format!("All {all} monitors are up"),
        (all, 1) => format!("1 of {all} monitors needs attention"),
        (all, bad) => format!("{bad} of {all} monitors need attention"),
    }
}

fn counts(monitors: &[MonitorView]) -> Markup {
    let count = |status| monitors.iter().filter(|monitor| monitor.status == status).count();
    let mut counts: Vec<_> = Status::ALL
        .iter()
        .map(|status| (*status, count(*status)))
        .collect();
    counts.sort_by_key(|(status, _)| status.rank());
    html! {
        @if !monitors.is_empty() {
            ul .counts aria-label="Monitors by status" {
                @for (status, count) in counts {
                    @if count > 0 { li { (count) " " (words::status(status)) } }
                }
            }
        }
    }
}

/// What whoever runs this should know: what is left out, silent locations, and what cannot be read.
fn notices(known: &Overview) -> Markup {
    let mut notices = Vec::new();
    if known.left_out.days {
        notices.push(html! { "The earliest days show as no data: one page does not read more." });
    }
    if known.left_out.incidents {
        notices.push(html! { "Some uptime is not told: there are more incidents than one page reads." });
    }
    if known.left_out.hour && known.inside.is_some() {
        notices.push(
            html! { "The checks of the running hour are left out: one page does not read all of them." },
        );
    }
    notices.extend(known.inside.iter().flat_map(of_the_system));
    html! {
        @if !notices.is_empty() {
            ul .notices aria-label="Notices" { @for notice in notices { li { (notice) } } }
        }
    }
}

fn of_the_system(inside: &OverviewInside) -> Vec<Markup> {
    let mut notices = Vec::new();
    for (location, standing) in &inside.locations {
        let Some((problem, since)) = standing.problem else {
            continue;
        };
        let what = match problem {
            LocationProblem::Silent => "does not report",
            LocationProblem::Suspect => "alone sees most monitors failing, and is not counted",
        };
        notices.push(html! {
            "Location " strong { (location) } " " (what) ", since " (words::moment(since, Show::Brief))
        });
    }
    for (id, diagnostics) in inside.broken.iter().take(MAX_NOTICES) {
        notices.push(html! {
            "The definition of " strong { (id) } " cannot be read, and it is not checked: " (diagnostics.join("; "))
        });
    }
    notices.extend(not_listed(
        inside.broken.len(),
        "more definitions cannot be read.",
    ));
    let unreadable = inside.unreadable.iter().take(MAX_NOTICES);
    notices.extend(unreadable.map(|row| html! { "A row of the table cannot be read: " (row) }));
    notices.extend(not_listed(
        inside.unreadable.len(),
        "more rows of the table cannot be read.",
    ));
    notices
}

fn not_listed(all: usize, what: &str) -> Option<Markup> {
    let more = all.saturating_sub(MAX_NOTICES);
    (more > 0).then(|| html! { (more) " " (what) })
}

/// Search and order, without a script.
fn form(selection: &Selection, known: &Overview) -> Markup {
    let all: BTreeSet<_> = known.monitors.iter().flat_map(tags).collect();
    let chosen = |tag: &str| selection.tag.as_deref() == Some(tag);
    let first = all.iter().take(MAX_TAGS);
    let listed: BTreeSet<_> = first.chain(all.iter().filter(|tag| chosen(tag))).collect();
    html! {
        form .filter method="get" action="/" role="search" {
            label { span { "Search" } input name="q" type="search" value=(selection.words) maxlength="100"; }
            @if !all.is_empty() {
                label {
                    span { "Tag" }
                    select name="tag" {
                        option value="" { "any" }
                        @for tag in listed { option value=(tag) selected[chosen(tag)] { (tag) } }
                    }
                }
            }
            @if known.inside.is_some() {
                label {
                    span { "Order by" }
                    select name="by" {
                        @for by in By::ALL {
                            option value=(by.as_str()) selected[selection.by == by] { (by.as_str()) }
                        }
                    }
                }
            }
            button type="submit" { "Show" }
        }
    }
}

fn matches(selection: &Selection, monitor: &MonitorView) -> bool {
    let inside = monitor.inside.as_deref();
    let target = inside.map(|inside| inside.definition.target().to_string());
    let names = [Some(monitor.id.as_str()), target.as_deref()]
        .into_iter()
        .flatten();
    let texts: Vec<_> = names.chain(tags(monitor)).map(str::to_lowercase).collect();
    let wanted = selection.words.to_lowercase();
    let has = |word: &str| texts.iter().any(|text| text.contains(word));
    let has_tag = |tag: &String| tags(monitor).any(|each| each == tag);
    wanted.split_whitespace().all(has) && selection.tag.as_ref().is_none_or(has_tag)
}

/// The monitors under headings; within each they keep their order.
fn sections<'a>(by: By, shown: &[&'a MonitorView]) -> Vec<(String, Vec<&'a MonitorView>)> {
    let mut sections: BTreeMap<String, Vec<&MonitorView>> = BTreeMap::new();
    let mut last = Vec::new();
    let last_title = match by {
        By::Status => {
            let is_up = |monitor: &&MonitorView| monitor.status == Status::Up;
            let (up, bad): (Vec<_>, Vec<_>) = shown.iter().partition(|monitor| is_up(monitor));
            if !bad.is_empty() {
                sections.insert("Needs attention".to_owned(), bad);
            }
            last = up;
            "Up"
        }
        By::Tag => {
            for monitor in shown {
                for tag in tags(monitor) {
                    sections.entry(tag.to_owned()).or_default().push(monitor);
                }
                if tags(monitor).next().is_none() {
                    last.push(*monitor);
                }
            }
            "Without a tag"
        }
        By::Group => {
            for monitor in shown {
                match &monitor.inside {
                    Some(inside) => {
                        let title = format!("Group {}", inside.group);
                        sections.entry(title).or_default().push(monitor);
                    }
                    None => last.push(*monitor),
                }
            }
            "All"
        }
    };
    let mut sections: Vec<_> = sections.into_iter().collect();
    if !last.is_empty() {
        sections.push((last_title.to_owned(), last));
    }
    sections
}

/// A section, and which of its monitors are on this page.
struct Section<'a> {
    title: String,
    all: usize,
    here: Vec<&'a MonitorView>,
}

/// The sections of the page that is asked for, and which of the pages it is.
fn turned_to<'a>(selection: &Selection, shown: &[&'a MonitorView]) -> (Vec<Section<'a>>, PageOf) {
    let all = sections(selection.by, shown);
    let rows = all.iter().map(|(_, monitors)| monitors.len()).sum();
    let place = PageOf::new(selection.page, rows, MAX_ROWS);
    let mut before = 0;
    let mut here = Vec::new();
    for (title, monitors) in all {
        let section = Section {
            title,
            all: monitors.len(),
            here: place.of(&monitors, before).to_vec(),
        };
        before += section.all;
        if !section.here.is_empty() {
            here.push(section);
        }
    }
    (here, place)
}

/// What needs attention and has no row on this page, by name: it is seen whatever page this is.
fn elsewhere(shown: &[&MonitorView], sections: &[Section<'_>]) -> Markup {
    let here: BTreeSet<_> = sections
        .iter()
        .flat_map(|section| section.here.iter().map(|monitor| &monitor.id))
        .collect();
    let is_missing = |monitor: &&&MonitorView| monitor.status != Status::Up && !here.contains(&monitor.id);
    let missing: Vec<_> = shown.iter().filter(is_missing).collect();
    html! {
        @if !missing.is_empty() {
            section .elsewhere {
                h2 { "Needs attention, on another page " span .count { (missing.len()) } }
                @for same in missing.chunk_by(|one, other| one.status == other.status) {
                    @if let Some(first) = same.first() {
                        div .card {
                            (words::status(first.status)) " " span .count { (same.len()) }
                            (names(same.iter().map(|monitor| monitor.id.as_str()), MAX_NAMES))
                        }
                    }
                }
            }
        }
    }
}

/// One monitor.
fn row(monitor: &MonitorView, known: &Overview) -> Markup {
    let id = monitor.id.as_str();
    html! {
        li .monitor.card {
            div .who {
                div .title { (words::status(monitor.status)) a .name href={ "/monitors/" (id) } { (id) } }
                (remarks(monitor, &known.open, known.at))
                @if tags(monitor).next().is_some() {
                    ul .tags aria-label="Tags" { @for tag in tags(monitor) { li { (tag) } } }
                }
            }
            @if let Some(inside) = monitor.inside.as_deref() {
                (visibilities(inside))
                (connects(inside))
            }
            (uptimes(monitor))
        }
    }
}

/// Connect times of the last day, and the last of them.
fn connects(inside: &MonitorInside) -> Markup {
    let last = inside.hours.iter().rev().find_map(|point| point.connect);
    html! {
        div .connect {
            (chart::trend(&inside.hours))
            @match last {
                Some(connect) => span .last { (words::time(connect.p50)) },
                None => span .quiet { "no times" },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_known_is_said_so() {
        assert_eq!(heading(&[]), "No monitors");
        assert_eq!(counts(&[]).into_string(), "");
    }
}
