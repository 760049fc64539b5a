//! What each region heard last of a monitor, in the service's own words, with the time of each.

use maud::{Markup, html};
use portpulse_core::time::Tick;
use portpulse_history::view::{MonitorInside, RegionSight, SightState};

use super::parts::{found, look};
use crate::words::{self, Show};

/// The last answers, region by region.
pub(crate) fn answers(inside: &MonitorInside) -> Markup {
    html! {
        section {
            h2 { "Last answers" }
            div .scroll.card tabindex="0" role="group" aria-label="Last answers" {
                table {
                    thead {
                        tr {
                            @for title in ["Region", "Sees", "In its own words", "Since", "Last data"] {
                                th scope="col" { (title) }
                            }
                        }
                    }
                    tbody {
                        @for (region, sight) in &inside.regions {
                            @let (class, word) = look(sight);
                            tr {
                                th scope="row" { (region) }
                                td { span .sight.(class) { span .seen { (word) } } }
                                td .words {
                                    @for answer in own_words(sight) { p { (answer) } }
                                }
                                td { (tick(sight.since)) }
                                td { (tick(sight.seen)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The newest first: what it finds now, before what it heard in a good hour; what it found once, after that.
fn own_words(sight: &RegionSight) -> Vec<Markup> {
    let is_bad = matches!(sight.state, SightState::Failing | SightState::Impaired);
    let finding = sight.finding.as_ref().map(|finding| {
        let when = match sight.seen.filter(|_| is_bad) {
            Some(seen) => html! { "found at " (tick(Some(seen))) },
            None => html! { "found before" },
        };
        html! { (found(finding)) ", " span .quiet { (when) } }
    });
    let said = sight.said.as_ref().map(|said| {
        html! { q { (said.text) } " " span .quiet { "answered at " (tick(Some(said.at))) } }
    });
    let answers: Vec<_> = if is_bad { [finding, said] } else { [said, finding] }
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
