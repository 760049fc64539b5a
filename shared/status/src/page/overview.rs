//! The overview of all monitors, sorted by severity.

mod attention;
mod notices;
mod row;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use maud::{Markup, html};
use portpulse_core::choice::Severity;
use portpulse_core::group_state::Status;
use portpulse_core::id::MonitorId;
use portpulse_history::state::State;
use portpulse_history::view::{MonitorView, Overview};

use attention::Attention;
use notices::{announcements, notices};
use row::row;

use super::incidents::maintenance;
use super::parts::{Handling, Pagination, as_of, handling, monitor_links, tags};
use crate::display;
use crate::page_config::PageConfig;
use crate::route::{Grouping, Selection};

/// The maximum number of monitors with their own row per page. A row takes some 2.5 KB, or four times as much with many
/// locations.
const MAX_ROWS: usize = 100;
/// The maximum number of monitors per status that are listed by name because their row is on another page.
const MAX_NAMES: usize = 1_000;
/// The maximum number of tags in the filter; the search finds all others.
const MAX_TAGS: usize = 200;

/// Renders the page: title and content.
pub(crate) fn page(selection: &Selection, known: &Overview, config: &PageConfig) -> (String, Markup) {
    let fits = |monitor: &&MonitorView| matches(selection, monitor);
    let shown: Vec<_> = known.monitors.iter().filter(fits).collect();
    let heading = heading(known);
    let (sections, pagination) = current_page(selection, &shown, known, &config.groups);
    let (first, rest): (Vec<_>, Vec<_>) = sections.iter().partition(|section| section.is_first());
    let main = html! {
        div #summary .card.diagnosis.(worst(known).as_str()) { h1 { (heading) } @if known.inside.is_some() { (counts(known)) } }
        @if let Some(header) = &config.header { p .header { (header) } }
        (announcements(config, known.at))
        (notices(known))
        @if known.monitors.is_empty() {
            p {
                "There are no monitors yet."
                @if known.inside.is_some() { " Add one to the monitors file and apply it." }
            }
        }
        (on_other_pages(&shown, &sections, known))
        @for section in first { (section.render(known)) }
        @if !known.monitors.is_empty() { (form(selection, known)) }
        @if shown.is_empty() && !known.monitors.is_empty() {
            p { "No monitor matches. " a href="/" { "Show all" } }
        }
        @for section in rest { (section.render(known)) }
        (pagination.links(|page| selection.address(page)))
        @if known.inside.is_none() { (maintenance(known)) }
        @if !shown.is_empty() { p .quiet { (key(known)) } }
        @if let Some(sentence) = known.inside.as_ref().and_then(|inside| inside.kinds.sentence()) {
            p .quiet { (sentence) }
        }
        (as_of(known.at))
    };
    (heading, main)
}

/// What the columns of a row are.
const fn key(known: &Overview) -> &'static str {
    match known.inside {
        Some(_) => {
            "Fraction: locations with the expected result. Line: response time of the past 24 hours. Bars and percentage: uptime of \
            the past 90 days."
        }
        None => "Bars and percentage: uptime of the past 90 days.",
    }
}

/// The worst state of all monitors, whether somebody handles it or not; unknown without monitors.
fn worst(known: &Overview) -> State {
    let states: Vec<_> = known.monitors.iter().map(State::of).collect();
    let mut worst_first = State::ALL.into_iter();
    worst_first
        .find(|state| states.contains(state))
        .unwrap_or(State::Unknown)
}

/// The heading: for operators how many monitors need attention, for the public how much of the whole is affected.
fn heading(known: &Overview) -> String {
    let states: Vec<_> = known.monitors.iter().map(State::of).collect();
    match (states.len(), states.iter().all(|state| *state == State::Up)) {
        (0, _) => "No monitors".to_owned(),
        (1, true) => "The monitor is up".to_owned(),
        (all, true) => format!("All {all} monitors are up"),
        (_, false) if known.inside.is_none() => public_heading(&states).to_owned(),
        (_, false) => operator_heading(known),
    }
}

/// How much is affected, if any monitor is not up.
fn public_heading(states: &[State]) -> &'static str {
    let is_out = |state: &&State| matches!(state, State::Down | State::Exposed | State::Flapping);
    match states.iter().filter(is_out).count() {
        0 if states.contains(&State::Degraded) => "Degraded",
        0 if states.iter().all(|state| *state == State::Unknown) => "Status unknown",
        0 if states.contains(&State::Unknown) => "Status partly unknown",
        0 => "Maintenance",
        out if out == states.len() => "Outage",
        _ => "Partial outage",
    }
}

/// How many monitors need attention.
fn operator_heading(known: &Overview) -> String {
    let attention = known.monitors.iter().map(|monitor| Attention::of(monitor, known));
    let all = known.monitors.len();
    match attention
        .filter(|attention| *attention == Attention::Needed)
        .count()
    {
        0 => "No monitor needs attention".to_owned(),
        1 => format!("1 of {all} monitors needs attention"),
        waiting => format!("{waiting} of {all} monitors need attention"),
    }
}

/// The number of monitors in each state.
fn counts(known: &Overview) -> Markup {
    let monitors = &known.monitors;
    let count = |state| {
        monitors
            .iter()
            .filter(|monitor| State::of(monitor) == state)
            .count()
    };
    let acknowledged = monitors
        .iter()
        .filter(|monitor| {
            matches!(
                handling(monitor, &known.open, known.at),
                Some(Handling::Acknowledged(_))
            )
        })
        .count();
    html! {
        @if !monitors.is_empty() {
            ul .counts aria-label="Monitors by state" {
                @for state in State::ALL {
                    @let count = count(state);
                    @if count > 0 { li { (count) " " (state.as_str()) } }
                }
                @if acknowledged > 0 { li { (acknowledged) " acknowledged" } }
            }
        }
    }
}

/// Search and filter form; works without a script.
fn form(selection: &Selection, known: &Overview) -> Markup {
    let all: BTreeSet<_> = known.monitors.iter().flat_map(tags).collect();
    let chosen = |tag: &str| selection.tag.as_deref() == Some(tag);
    let first = all.iter().take(MAX_TAGS);
    let listed: BTreeSet<_> = first.chain(all.iter().filter(|tag| chosen(tag))).collect();
    html! {
        form #find .filter method="get" action="/" role="search" {
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
    let about = &monitor.about;
    let names = [
        Some(monitor.id.as_str()),
        about.name.as_deref(),
        about.group.as_deref(),
        target.as_deref(),
    ]
    .into_iter()
    .flatten();
    let texts: Vec<_> = names.chain(tags(monitor)).map(str::to_lowercase).collect();
    let wanted = selection.search.to_lowercase();
    let has = |word: &str| texts.iter().any(|text| text.contains(word));
    let has_tag = |tag: &String| tags(monitor).any(|each| each == tag);
    wanted.split_whitespace().all(has) && selection.tag.as_ref().is_none_or(has_tag)
}

/// A section of the overview.
struct Section<'a> {
    title: String,
    /// What the monitors have in common; `None` if they are grouped by tag or group.
    attention: Option<Attention>,
    /// The worst state of the monitors of a group, whose section can be folded.
    worst: Option<State>,
    /// The number of monitors on all pages.
    all: usize,
    here: Vec<&'a MonitorView>,
}

impl Section<'_> {
    /// Whether the section precedes the search, so that nothing stands before the first fault.
    fn is_first(&self) -> bool {
        self.attention.is_some_and(|attention| attention != Attention::Up)
    }

    fn render(&self, known: &Overview) -> Markup {
        let title = html! { h2 { (self.title) " " span .count { (self.all) } } };
        let rows = html! { ul .monitors.card { @for monitor in &self.here { (row(monitor, known)) } } };
        html! {
            section {
                @if let Some(worst) = self.worst {
                    details .group open[worst < State::Maintenance] { summary { (title) (display::badge(worst)) } (rows) }
                } @else {
                    (title) (rows)
                }
            }
        }
    }
}

/// Groups monitors under headings: what needs attention first, by severity and age.
fn sections<'a>(
    by: Grouping,
    shown: &[&'a MonitorView],
    known: &Overview,
    order: &[String],
) -> Vec<Section<'a>> {
    let section = |title: String, attention, monitors: Vec<&'a MonitorView>| Section {
        title,
        attention,
        worst: None,
        all: monitors.len(),
        here: monitors,
    };
    match by {
        Grouping::Status => {
            let mut sections: BTreeMap<Attention, Vec<&MonitorView>> = BTreeMap::new();
            for monitor in shown {
                sections
                    .entry(Attention::of(monitor, known))
                    .or_default()
                    .push(monitor);
            }
            let sorted = sections.into_iter().map(|(attention, mut monitors)| {
                monitors.sort_by_cached_key(|monitor| urgency(monitor));
                section(attention.title(known).to_owned(), Some(attention), monitors)
            });
            sorted.collect()
        }
        Grouping::Tag => {
            let mut sections: BTreeMap<&str, Vec<&MonitorView>> = BTreeMap::new();
            let mut untagged = Vec::new();
            for monitor in shown {
                for tag in tags(monitor) {
                    sections.entry(tag).or_default().push(monitor);
                }
                if tags(monitor).next().is_none() {
                    untagged.push(*monitor);
                }
            }
            let tagged = sections
                .into_iter()
                .map(|(tag, monitors)| (tag.to_owned(), monitors));
            let last = (!untagged.is_empty()).then(|| ("No tag".to_owned(), untagged));
            tagged
                .chain(last)
                .map(|(title, monitors)| section(title, None, monitors))
                .collect()
        }
        Grouping::Group => {
            let mut sections: BTreeMap<(bool, usize, &str), Vec<&MonitorView>> = BTreeMap::new();
            for monitor in shown {
                let group = monitor.about.group.as_deref();
                // Groups in the configured order come first, and monitors without a group last.
                let place = order.iter().position(|name| Some(name.as_str()) == group);
                let key = (
                    group.is_none(),
                    place.unwrap_or(order.len()),
                    group.unwrap_or("No group"),
                );
                sections.entry(key).or_default().push(monitor);
            }
            let sections = sections.into_iter();
            sections
                .map(|((_, _, title), monitors)| Section {
                    worst: monitors.iter().map(|monitor| State::of(monitor)).min(),
                    ..section(title.to_owned(), None, monitors)
                })
                .collect()
        }
    }
}

/// The order of monitors within a section: severity, state, age, id.
fn urgency(monitor: &MonitorView) -> (Option<Severity>, State, Option<Timestamp>, &MonitorId) {
    let severity = monitor
        .inside
        .as_deref()
        .map(|inside| inside.definition.alert_policy().severity);
    let is_up = State::of(monitor) == State::Up;
    (
        severity.filter(|_| !is_up),
        State::of(monitor),
        monitor.since,
        &monitor.id,
    )
}

/// The sections of the requested page, with its place in the pagination.
fn current_page<'a>(
    selection: &Selection,
    shown: &[&'a MonitorView],
    known: &Overview,
    order: &[String],
) -> (Vec<Section<'a>>, Pagination) {
    let has_groups = shown.iter().any(|monitor| monitor.about.group.is_some());
    let grouping = match known.inside {
        // Readers of a public page look for their service, not for what is left to do.
        None if has_groups => Grouping::Group,
        Some(_) | None => selection.grouping,
    };
    let all = sections(grouping, shown, known, order);
    let rows = all.iter().map(|section| section.all).sum();
    let pagination = Pagination::new(selection.page, rows, MAX_ROWS);
    let mut before = 0;
    let mut here = Vec::new();
    for mut section in all {
        section.here = pagination.of(&section.here, before).to_vec();
        before += section.all;
        if !section.here.is_empty() {
            here.push(section);
        }
    }
    (here, pagination)
}

/// Links to monitors that need attention and have their row on another page, so that every page shows them.
fn on_other_pages(shown: &[&MonitorView], sections: &[Section<'_>], known: &Overview) -> Markup {
    let here: BTreeSet<_> = sections
        .iter()
        .flat_map(|section| section.here.iter().map(|monitor| &monitor.id))
        .collect();
    let is_missing = |monitor: &&&MonitorView| monitor.status != Status::Up && !here.contains(&monitor.id);
    let missing: Vec<_> = shown.iter().filter(is_missing).collect();
    html! {
        @if !missing.is_empty() {
            section .on-other-pages {
                h2 { (Attention::Needed.title(known)) " (on other pages) " span .count { (missing.len()) } }
                @for same in missing.chunk_by(|one, other| one.status == other.status) {
                    @if let Some(first) = same.first() {
                        div .card {
                            (display::status(first.status)) " " span .count { (same.len()) }
                            (monitor_links(same.iter().map(|monitor| (monitor.id.as_str(), monitor.title())), MAX_NAMES))
                        }
                    }
                }
            }
        }
    }
}
