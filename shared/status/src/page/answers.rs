//! The last answer of the service to each location, with its time.

use maud::{Markup, html};
use portpulse_core::group_state::{AGENT_REACH, LocationKind};
use portpulse_core::time::Tick;
use portpulse_history::view::{LocationVisibility, MonitorInside, VisibilityState};

use super::parts::{finding_text, visibility_label};
use crate::display::{self, TimeFormat};

/// Renders a table of the last answers by location.
pub(crate) fn answers(inside: &MonitorInside) -> Markup {
    html! {
        section {
            h2 { "Last answers" }
            div .scroll.card tabindex="0" role="group" aria-label="Last answers" {
                // On phones a row is a block, in which the titles of the columns do not stand.
                table .answers {
                    thead {
                        tr {
                            @for title in ["Location", "Kind", "Result", "Answer", "Since", "Last data"] {
                                th scope="col" { (title) }
                            }
                        }
                    }
                    tbody {
                        @for (location, visibility) in &inside.locations {
                            @let (class, word) = visibility_label(visibility);
                            tr {
                                th scope="row" { (location) }
                                td .absent[visibility.kind.is_none()] { (visibility.kind.map_or("–", LocationKind::as_str)) }
                                td { span .visibility.(class) { span .seen { (word) } } }
                                td .service-text {
                                    @for answer in service_texts(visibility) { p { (answer) } }
                                }
                                @for (title, at) in [("Since", visibility.since), ("Last data", visibility.seen)] {
                                    td .absent[at.is_none()] data-title=(title) { (tick(at)) }
                                }
                            }
                        }
                    }
                }
            }
            @if inside.locations.values().any(|visibility| visibility.kind == Some(LocationKind::Agent)) {
                p .quiet { (AGENT_REACH) }
            }
        }
    }
}

/// The answers, newest first: while the location sees a failure the finding precedes the banner, otherwise it follows.
fn service_texts(visibility: &LocationVisibility) -> Vec<Markup> {
    let is_bad = matches!(
        visibility.state,
        VisibilityState::Failing | VisibilityState::Impaired
    );
    let finding = visibility.finding.as_ref().map(|finding| {
        let when = match visibility.seen.filter(|_| is_bad) {
            Some(seen) => html! { "found at " (tick(Some(seen))) },
            None => html! { "found before" },
        };
        html! { (finding_text(finding)) ", " span .quiet { (when) } }
    });
    let banner = visibility.banner.as_ref().map(|banner| {
        html! { q { (banner.text) } " " span .quiet { "answered at " (tick(Some(banner.at))) } }
    });
    let answers: Vec<_> = if is_bad {
        [finding, banner]
    } else {
        [banner, finding]
    }
    .into_iter()
    .flatten()
    .collect();
    if answers.is_empty() {
        return vec![html! { span .quiet { "no answer recorded" } }];
    }
    answers
}

fn tick(tick: Option<Tick>) -> Markup {
    match tick {
        Some(tick) => display::timestamp(tick.timestamp(), TimeFormat::Brief),
        None => html! { "–" },
    }
}
