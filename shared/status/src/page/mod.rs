//! The pages, each from what is known to markup; and the frame around all of them.

mod answers;
pub(crate) mod incidents;
pub(crate) mod message;
pub(crate) mod monitor;
pub(crate) mod overview;
mod parts;
pub(crate) mod sign_in;
mod timeline;

use maud::{DOCTYPE, Markup, html};

use crate::asset::Asset;

/// Where a page stands among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The first of those in the menu.
    Monitors,
    /// The second.
    Incidents,
    /// Below one of them.
    Below,
    /// Before the door: there is no menu.
    Outside,
}

/// What stands around every page.
pub(crate) struct Frame<'a> {
    pub(crate) title: &'a str,
    pub(crate) place: Place,
    /// How often the script renews an open page; 0: never.
    pub(crate) refresh_seconds: u32,
    /// Whether readers signed in, and so can sign out.
    pub(crate) signs_out: bool,
}

impl Frame<'_> {
    pub(crate) fn around(&self, main: &Markup) -> Markup {
        let here = |place| (self.place == place).then_some("page");
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " · Portpulse" }
                    link rel="stylesheet" href=(Asset::Style.path());
                    link rel="icon" type="image/svg+xml" href=(Asset::Icon.path());
                    @if self.place != Place::Outside {
                        link rel="alternate" type="application/atom+xml" title="Incidents" href="/incidents.atom";
                    }
                    script src=(Asset::Script.path()) defer {}
                }
                body data-refresh=(self.refresh_seconds) {
                    a .skip href="#main" { "Skip to the content" }
                    header .top {
                        @if self.place == Place::Outside {
                            span .home { (mark()) "Portpulse" }
                        } @else {
                            a .home href="/" { (mark()) "Portpulse" }
                            nav aria-label="Pages" {
                                a href="/" aria-current=[here(Place::Monitors)] { "Monitors" }
                                a href="/incidents" aria-current=[here(Place::Incidents)] { "Incidents" }
                            }
                            // The script shows it: without one, nothing is renewed.
                            button #live type="button" aria-pressed="true" hidden { "Live" }
                            @if self.signs_out {
                                form method="post" action="/sign-out" { button type="submit" { "Sign out" } }
                            }
                        }
                    }
                    main #main tabindex="-1" { (main) }
                }
            }
        }
    }
}

fn mark() -> Markup {
    html! {
        svg .mark width="22" height="22" viewBox="0 0 32 32" aria-hidden="true" {
            path d="M2 17h8l3-9 5 17 4-12 2 4h6" {}
        }
    }
}
