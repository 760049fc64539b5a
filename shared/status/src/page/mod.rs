//! HTML of all pages, and the frame around them.

mod actions;
mod answers;
pub(crate) mod incident;
pub(crate) mod incidents;
pub(crate) mod message;
pub(crate) mod monitor;
pub(crate) mod overview;
mod parts;
pub(crate) mod report;
pub(crate) mod sign_in;
mod timeline;

pub(crate) use parts::AS_OF;

use maud::{DOCTYPE, Markup, html};

use crate::asset::Asset;
use crate::page_config::{Link, PageConfig};
use crate::route::LOGO;

/// Which menu entry is current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MenuEntry {
    /// The overview.
    Monitors,
    /// The incidents page.
    Incidents,
    /// The reports.
    Reports,
    /// None: a page that is not in the menu.
    Other,
    /// The sign-in page, which has no menu.
    SignIn,
}

/// The frame of a page: head, header and menu.
pub(crate) struct Frame<'a> {
    pub(crate) title: &'a str,
    pub(crate) menu: MenuEntry,
    /// How often the script refreshes an open page, in seconds; 0 disables it.
    pub(crate) refresh_seconds: u32,
    /// Whether to show the button `Sign out`.
    pub(crate) has_sign_out: bool,
    pub(crate) config: &'a PageConfig,
}

impl Frame<'_> {
    pub(crate) fn around(&self, main: &Markup) -> Markup {
        let here = |menu| (self.menu == menu).then_some("page");
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " · " (self.name()) }
                    link rel="stylesheet" href=(Asset::Style.path());
                    link rel="icon" type="image/svg+xml" href=(Asset::Icon.path());
                    @if self.menu != MenuEntry::SignIn {
                        link rel="alternate" type="application/atom+xml" title="Incidents" href="/incidents.atom";
                    }
                    script src=(Asset::Script.path()) defer {}
                }
                body data-refresh=(self.refresh_seconds) {
                    a .skip href="#main" { "Skip to content" }
                    header .top {
                        @if self.menu == MenuEntry::SignIn {
                            span .home { (self.logo()) (self.name()) }
                        } @else {
                            a .home href="/" { (self.logo()) (self.name()) }
                            nav aria-label="Pages" {
                                a href="/" aria-current=[here(MenuEntry::Monitors)] { "Monitors" }
                                a href="/incidents" aria-current=[here(MenuEntry::Incidents)] { "Incidents" }
                                a href="/reports" aria-current=[here(MenuEntry::Reports)] { "Reports" }
                            }
                            // Hidden until the script shows the button, since only the script can refresh.
                            button #live type="button" aria-pressed="true" hidden { "Updated now" }
                            @if self.has_sign_out {
                                form method="post" action="/sign-out" { button type="submit" { "Sign out" } }
                            }
                        }
                    }
                    p #stale role="alert" hidden {}
                    main #main tabindex="-1" { (main) }
                    @if self.menu != MenuEntry::SignIn {
                        footer .site-links {
                            @for Link { text, url } in &self.config.links { a href=(url) rel="noreferrer noopener" { (text) } }
                            a href="/incidents.atom" { "Atom feed of incidents" }
                        }
                    }
                }
            }
        }
    }
}

impl Frame<'_> {
    /// The configured title, or the name of the program.
    fn name(&self) -> &str {
        self.config.title.as_deref().unwrap_or("Portpulse")
    }

    fn logo(&self) -> Markup {
        match self.config.logo {
            Some(_) => html! { img .logo src=(LOGO) alt="" height="22"; },
            None => logo(),
        }
    }
}

fn logo() -> Markup {
    html! {
        svg .mark width="22" height="22" viewBox="0 0 32 32" aria-hidden="true" {
            path d="M2 17h8l3-9 5 17 4-12 2 4h6" {}
        }
    }
}
