//! The overview of all monitors, sorted by severity.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use portpulse_core::group_state::{LocationProblem, Status};
use portpulse_history::view::{MonitorInside, MonitorView, Overview, OverviewInside};

use super::parts::{Pagination, as_of, monitor_links, remarks, tags, uptimes, visibilities};
use crate::chart;
use crate::display::{self, TimeFormat};
use crate::route::{Grouping, Selection};

/// The maximum number of monitors with their own row per page. A row takes some 2.5 KB, or four times as much with many
/// locations.
const MAX_ROWS: usize = 100;
/// The maximum number of monitors per status that are listed by name because their row is on another page.
const MAX_NAMES: usize = 1_000;
/// The maximum number of tags in the filter; the search finds all others.
const MAX_TAGS: usize = 200;
/// The maximum number of notices of one kind.
const MAX_NOTICES: usize = 20;

/// Renders the page: title and content.
pub(crate) fn page(selection: &Selection, known: &Overview) -> (String, Markup) {
    let fits = |monitor: &&MonitorView| matches(selection, monitor);
    let shown: Vec<_> = known.monitors.iter().filter(fits).collect();
    let heading = heading(&known.monitors);
    let (sections, pagination) = current_page(selection, &shown);
    let main = html! {
        h1 { (heading) }
        (counts(&known.monitors))
        (notices(known))
        @if known.monitors.is_empty() {
            p { "There are no monitors yet. Add one to the monitors file and apply it." }
        } @else {
            (form(selection, known))
        }
        @if shown.is_empty() && !known.monitors.is_empty() {
            p { "No monitor matches. " a href="/" { "Show all" } }
        }
        (on_other_pages(&shown, &sections))
        @for section in &sections {
            section {
                h2 { (section.title) " " span .count { (section.all) } }
                ul .monitors { @for monitor in &section.here { (row(monitor, known)) } }
            }
        }
        (pagination.links(|page| selection.address(page)))
        (as_of(known.at))
    };
    (heading, main)
}

fn heading(monitors: &[MonitorView]) -> String {
    let bad = monitors.iter().filter(|monitor| monitor.status != Status::Up);
    match (monitors.len(), bad.count()) {
        (0, _) => "No monitors".to_owned(),
        (1, 0) => "The monitor is up".to_owned(),
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
                    @if count > 0 { li { (count) " " (display::status(status)) } }
                }
            }
        }
    }
}

/// Notices for the operator: missing history, silent locations, and unreadable items.
fn notices(known: &Overview) -> Markup {
    let mut notices = Vec::new();
    if known.left_out.days {
        notices.push(
            html! { "The earliest days are shown as “no data”: they exceed the read limit of one request." },
        );
    }
    if known.left_out.incidents {
        notices.push(html! { "Uptime is not available for some time ranges: the incidents exceed the read limit of one request." });
    }
    if known.left_out.hour && known.inside.is_some() {
        notices.push(
            html! { "The checks of the current hour are missing: they exceed the read limit of one request." },
        );
    }
    notices.extend(known.inside.iter().flat_map(system_notices));
    html! {
        @if !notices.is_empty() {
            ul .notices aria-label="Notices" { @for notice in notices { li { (notice) } } }
        }
    }
}

fn system_notices(inside: &OverviewInside) -> Vec<Markup> {
    let mut notices = Vec::new();
    for (location, standing) in &inside.locations {
        let Some((problem, since)) = standing.problem else {
            continue;
        };
        let what = match problem {
            LocationProblem::Silent => "does not report",
            LocationProblem::Suspect => "is ignored, because it alone sees most monitors failing",
        };
        notices.push(html! {
            "Location " strong { (location) } " " (what) " since " (display::timestamp(since, TimeFormat::Brief))
        });
    }
    for (id, diagnostics) in inside.broken.iter().take(MAX_NOTICES) {
        notices.push(html! {
            "The definition of " strong { (id) } " is invalid and is not checked: " (diagnostics.join("; "))
        });
    }
    notices.extend(more_notice(inside.broken.len(), "more definitions are invalid."));
    let unreadable = inside.unreadable.iter().take(MAX_NOTICES);
    notices.extend(unreadable.map(|row| html! { "An item in the table cannot be read: " (row) }));
    notices.extend(more_notice(
        inside.unreadable.len(),
        "more items in the table cannot be read.",
    ));
    notices
}

fn more_notice(all: usize, what: &str) -> Option<Markup> {
    let more = all.saturating_sub(MAX_NOTICES);
    (more > 0).then(|| html! { (more) " " (what) })
}

/// Search and filter form; works without a script.
fn form(selection: &Selection, known: &Overview) -> Markup {
    let all: BTreeSet<_> = known.monitors.iter().flat_map(tags).collect();
    let chosen = |tag: &str| selection.tag.as_deref() == Some(tag);
    let first = all.iter().take(MAX_TAGS);
    let listed: BTreeSet<_> = first.chain(all.iter().filter(|tag| chosen(tag))).collect();
    html! {
        form .filter method="get" action="/" role="search" {
            label { span { "Search" } input name="q" type="search" value=(selection.search) maxlength="100"; }
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
                    span { "Group by" }
                    select name="by" {
                        @for by in Grouping::ALL {
                            option value=(by.as_str()) selected[selection.grouping == by] { (by.as_str()) }
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
    let wanted = selection.search.to_lowercase();
    let has = |word: &str| texts.iter().any(|text| text.contains(word));
    let has_tag = |tag: &String| tags(monitor).any(|each| each == tag);
    wanted.split_whitespace().all(has) && selection.tag.as_ref().is_none_or(has_tag)
}

/// Groups monitors under headings. Monitors keep their order within a section.
fn sections<'a>(by: Grouping, shown: &[&'a MonitorView]) -> Vec<(String, Vec<&'a MonitorView>)> {
    let mut sections: BTreeMap<String, Vec<&MonitorView>> = BTreeMap::new();
    let mut last = Vec::new();
    let last_title = match by {
        Grouping::Status => {
            let is_up = |monitor: &&MonitorView| monitor.status == Status::Up;
            let (up, bad): (Vec<_>, Vec<_>) = shown.iter().partition(|monitor| is_up(monitor));
            if !bad.is_empty() {
                sections.insert("Needs attention".to_owned(), bad);
            }
            last = up;
            "Up"
        }
        Grouping::Tag => {
            for monitor in shown {
                for tag in tags(monitor) {
                    sections.entry(tag.to_owned()).or_default().push(monitor);
                }
                if tags(monitor).next().is_none() {
                    last.push(*monitor);
                }
            }
            "No tag"
        }
        Grouping::Group => {
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

/// A section of the overview.
struct Section<'a> {
    title: String,
    all: usize,
    here: Vec<&'a MonitorView>,
}

/// The sections of the requested page, with its place in the pagination.
fn current_page<'a>(selection: &Selection, shown: &[&'a MonitorView]) -> (Vec<Section<'a>>, Pagination) {
    let all = sections(selection.grouping, shown);
    let rows = all.iter().map(|(_, monitors)| monitors.len()).sum();
    let pagination = Pagination::new(selection.page, rows, MAX_ROWS);
    let mut before = 0;
    let mut here = Vec::new();
    for (title, monitors) in all {
        let section = Section {
            title,
            all: monitors.len(),
            here: pagination.of(&monitors, before).to_vec(),
        };
        before += section.all;
        if !section.here.is_empty() {
            here.push(section);
        }
    }
    (here, pagination)
}

/// Links to monitors that need attention and have their row on another page, so that every page shows them.
fn on_other_pages(shown: &[&MonitorView], sections: &[Section<'_>]) -> Markup {
    let here: BTreeSet<_> = sections
        .iter()
        .flat_map(|section| section.here.iter().map(|monitor| &monitor.id))
        .collect();
    let is_missing = |monitor: &&&MonitorView| monitor.status != Status::Up && !here.contains(&monitor.id);
    let missing: Vec<_> = shown.iter().filter(is_missing).collect();
    html! {
        @if !missing.is_empty() {
            section .on-other-pages {
                h2 { "Needs attention (on other pages) " span .count { (missing.len()) } }
                @for same in missing.chunk_by(|one, other| one.status == other.status) {
                    @if let Some(first) = same.first() {
                        div .card {
                            (display::status(first.status)) " " span .count { (same.len()) }
                            (monitor_links(same.iter().map(|monitor| monitor.id.as_str()), MAX_NAMES))
                        }
                    }
                }
            }
        }
    }
}

/// The row of one monitor.
fn row(monitor: &MonitorView, known: &Overview) -> Markup {
    let id = monitor.id.as_str();
    html! {
        li .monitor.card {
            div .identity {
                div .title { (display::status(monitor.status)) a .name href={ "/monitors/" (id) } { (id) } }
                (remarks(monitor, &known.open, known.at))
                @if tags(monitor).next().is_some() {
                    ul .tags aria-label="Tags" { @for tag in tags(monitor) { li { (tag) } } }
                }
            }
            @if let Some(inside) = monitor.inside.as_deref() {
                (visibilities(inside))
                (connect_times(inside))
            }
            (uptimes(monitor))
        }
    }
}

/// Sparkline of the last day's connect times, and the latest median.
fn connect_times(inside: &MonitorInside) -> Markup {
    let last = inside.hours.iter().rev().find_map(|point| point.connect);
    html! {
        div .connect {
            (chart::trend(&inside.hours))
            @match last {
                Some(connect) => span .last { (display::phase_time(connect.p50)) },
                None => span .quiet { "no times" },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overview_without_monitors_has_heading_and_no_counts() {
        assert_eq!(heading(&[]), "No monitors");
        assert_eq!(counts(&[]).into_string(), "");
    }
}
