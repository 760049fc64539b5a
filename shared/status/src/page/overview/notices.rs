//! Announcements of the page, and notices for the operator.

use jiff::Timestamp;
use maud::{Markup, html};
use portpulse_core::group_state::LocationProblem;
use portpulse_history::location_kinds::kind_suffix;
use portpulse_history::view::{Overview, OverviewInside};

use crate::display::{self, TimeFormat};
use crate::page_config::PageConfig;

/// The maximum number of notices of one kind.
const MAX_NOTICES: usize = 20;

/// The current announcements.
pub(super) fn announcements(config: &PageConfig, now: Timestamp) -> Markup {
    let mut current = config
        .announcements
        .iter()
        .filter(|announcement| announcement.is_current(now))
        .peekable();
    html! {
        @if current.peek().is_some() {
            ul .notices aria-label="Announcements" { @for announcement in current { li { (announcement.text) } } }
        }
    }
}

/// Notices for the operator: missing history, silent locations, and unreadable items.
pub(super) fn notices(known: &Overview) -> Markup {
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
            "Location " strong { (location) } (kind_suffix(inside.kinds.get(location))) " " (what) " since " (display::timestamp(since, TimeFormat::Brief))
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
