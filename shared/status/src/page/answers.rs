//! What each location heard last of a monitor, in the service's own words, with the time of each.

use maud::{Markup, html};
use portpulse_core::time::Tick;
use portpulse_history::view::{LocationVisibility, MonitorInside, VisibilityState};

use super::parts::{found, look};
use crate::words::{self, Show};

/// The last answers, location by location.
pub(crate) fn answers(inside: &MonitorInside) -> Markup {
    html! {
        section {
            h2 { "Last answers" }
            div .scroll.card tabindex="0" role="group" aria-label="Last answers" {
                table {
                    thead {
                        tr {
                            @for title in ["Location", "Sees", "In its own words", "Since", "Last data"] {
                                th scope="col" { (title) }
                            }
                        }
                    }
                    tbody {
                        @for (location, visibility) in &inside.locations {
                            @let (class, word) = look(visibility);
                            tr {
                                th scope="row" { (location) }
                                td { span .visibility.(class) { span .seen { (word) } } }
                                td .words {
                                    @for answer in own_words(visibility) { p { (answer) } }
                                }
                                td { (tick(visibility.since)) }
                                td { (tick(visibility.seen)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The newest first: what it finds now, before what it heard in a good hour; what it found once, after that.
fn own_words(visibility: &LocationVisibility) -> Vec<Markup> {
    let is_bad = matches!(
        visibility.state,
        VisibilityState::Failing | VisibilityState::Impaired
    );
    let finding = visibility.finding.as_ref().map(|finding| {
        let when = match visibility.seen.filter(|_| is_bad) {
            Some(seen) => html! { "found at " (tick(Some(seen))) },
            None => html! { "found before" },
        };
        html! { (found(finding)) ", " span .quiet { (when) } }
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
        return vec![html! { span .quiet { "nothing said" } }];
    }
    answers
}

fn tick(tick: Option<Tick>) -> Markup {
    match tick {
        Some(tick) => words::moment(tick.timestamp(), Show::Brief),
        None => html! { "–" },
    }
}
