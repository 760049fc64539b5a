//! From a request to a response, or to what must be read first.

use std::sync::Arc;

use jiff::Timestamp;
use maud::Markup;
use portpulse_history::view::{Audience, MonitorPage, Overview};

use crate::access::{Access, Attempt, Door, Refusal, WINDOW};
use crate::feed::{self, Feed};
use crate::page::{Frame, Place, incidents, message, monitor, overview, sign_in};
use crate::request::{Initiator, Method, Request};
use crate::response::{Content, Keep, Response};
use crate::route::{Page, Route, Selection};
use crate::span::Span;

/// After how many seconds it may be asked again for what could not be read.
pub(crate) const RETRY_SECONDS: i64 = 5;

/// The pages, for those who may read them.
#[derive(Debug, Clone)]
pub struct Site {
    access: Access,
    door: Arc<Door>,
    refresh_seconds: u32,
}

/// What a request comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// This answer: nothing needs to be read.
    Answer(Response),
    /// A page: what it shows must be read first.
    Asked(Asked),
}

/// A page that somebody may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Which.
    pub page: Page,
    /// What of it they may see.
    pub audience: Audience,
}

impl Site {
    /// The pages for these readers; with the script, a page that stays open is renewed every `refresh_seconds`.
    pub fn new(access: Access, refresh_seconds: u32) -> Self {
        Self {
            access,
            door: Arc::default(),
            refresh_seconds,
        }
    }

    /// What a request comes to. Credentials are looked at before anything else is said.
    pub fn receive(&self, request: &Request, now: Timestamp) -> Received {
        let route = Route::of(request);
        if let (Route::Asset(asset), Method::Get | Method::Head) = (&route, request.method) {
            return Received::Answer(asset.response());
        }
        if let Route::SignIn | Route::SignOut = route {
            return Received::Answer(self.session(&route, request, now));
        }
        let audience = match self.access.admit(&self.door, request, now) {
            Ok(audience) => audience,
            Err(refusal) => return Received::Answer(self.refuse(refusal, &route)),
        };
        match (request.method, route) {
            (Method::Get | Method::Head, Route::Page(Page::Feed(Feed::OpenApi))) => {
                Received::Answer(feed::open_api())
            }
            (Method::Get | Method::Head, Route::Page(page)) => Received::Asked(Asked { page, audience }),
            (Method::Get | Method::Head, _) => Received::Answer(self.nothing_here()),
            (Method::Post | Method::Other, _) => Received::Answer(self.not_that_way()),
        }
    }

    /// The overview.
    pub fn overview(&self, audience: Audience, selection: &Selection, known: &Overview) -> Response {
        let (title, main) = overview::page(selection, known);
        self.page(200, Keep::page(audience), Place::Monitors, (&title, main))
    }

    /// One monitor; `None` where there is none of that id.
    pub fn monitor(&self, audience: Audience, span: Span, known: Option<&MonitorPage>) -> Response {
        let Some(known) = known else {
            return self.nothing_here();
        };
        let (title, main) = monitor::page(span, known);
        self.page(200, Keep::page(audience), Place::Below, (&title, main))
    }

    /// Incidents and maintenance: a page of them, from 0 on.
    pub fn incidents(&self, audience: Audience, page: usize, known: &Overview) -> Response {
        let (title, main) = incidents::page(page, known);
        self.page(200, Keep::page(audience), Place::Incidents, (&title, main))
    }

    /// Something for programs that is told of all monitors at once.
    pub fn feed(&self, audience: Audience, feed: &Feed, known: &Overview) -> Response {
        feed::of_all(feed, audience, known).unwrap_or_else(|| self.nothing_here())
    }

    /// One monitor over time, for programs; `None` where there is none of that id.
    pub fn monitor_feed(&self, audience: Audience, known: Option<&MonitorPage>) -> Response {
        known.map_or_else(|| self.nothing_here(), |known| feed::of_one(audience, known))
    }

    /// What could not be read; why stands in the log.
    pub fn unreadable(&self) -> Response {
        let main = message::page(
            "This cannot be read now",
            "The table did not answer, or not in time. The checks go on: only this page is missing. Try again in a \
             moment; why it failed is in the function's log.",
        );
        let response = self.page(503, Keep::Never, Place::Below, ("Unreadable", main));
        response.with("retry-after", RETRY_SECONDS.to_string())
    }

    /// That there is nothing of that name.
    pub(crate) fn nothing_here(&self) -> Response {
        let main = message::page(
            "There is nothing here",
            "No page has this address. A monitor that was removed from the definitions has none either.",
        );
        self.page(404, Keep::Never, Place::Below, ("Not found", main))
    }

    fn not_that_way(&self) -> Response {
        let text = "These pages are read with GET and HEAD.\n";
        Response::new(405, Content::Text, Keep::Never, text).with("allow", "GET, HEAD")
    }

    fn refuse(&self, refusal: Refusal, route: &Route) -> Response {
        let text = |status, text: &str| Response::new(status, Content::Text, Keep::Never, text);
        match (refusal, route) {
            (Refusal::ForeignHost, _) => text(
                421,
                "This page is for this machine alone: open it as http://localhost or http://127.0.0.1.\n",
            ),
            (Refusal::Unsigned, _) => text(
                403,
                "This page wants callers that IAM knows, and no signature of this request was verified.\n",
            ),
            (Refusal::TooManyAttempts, _) => {
                let text = text(
                    429,
                    "Too many wrong tokens came from your address. Try again in a minute.\n",
                );
                text.with("retry-after", WINDOW.as_secs().to_string())
            }
            (
                Refusal::SignInFirst,
                Route::Page(Page::Overview(_) | Page::Monitor(..) | Page::Incidents(_)),
            ) => Response::see_other("/sign-in"),
            (Refusal::SignInFirst, _) => {
                text(401, "Send the token as `Authorization: Bearer …`.\n").with("www-authenticate", "Bearer")
            }
        }
    }

    /// Signs a browser in or out.
    fn session(&self, route: &Route, request: &Request, now: Timestamp) -> Response {
        let Access::Token(token) = &self.access else {
            return Response::see_other("/");
        };
        match (route, request.method) {
            // Else a page of another site could sign a reader out, or use up the reader's attempts to sign in.
            (_, Method::Post) if request.initiator == Initiator::OtherSite => {
                let text = "Forms are accepted from this site's own pages only.\n";
                Response::new(403, Content::Text, Keep::Never, text)
            }
            (Route::SignIn, Method::Get | Method::Head) => self.sign_in(200, sign_in::Tried::Nothing),
            (Route::SignIn, Method::Post) => {
                let text = request.form_value("token").unwrap_or_default();
                match self.door.attempt(token, &text, request, now) {
                    Attempt::Right => Response::see_other("/").with("set-cookie", token.session(now)),
                    Attempt::Wrong => self.sign_in(403, sign_in::Tried::Wrong),
                    Attempt::TooMany => {
                        let door = self.sign_in(429, sign_in::Tried::TooMany);
                        door.with("retry-after", WINDOW.as_secs().to_string())
                    }
                }
            }
            (_, Method::Post) => {
                self.door.end(token, request, now);
                Response::see_other("/sign-in").with("set-cookie", token.no_session())
            }
            (_, Method::Get | Method::Head | Method::Other) => self.not_that_way(),
        }
    }

    fn sign_in(&self, status: u16, tried: sign_in::Tried) -> Response {
        let frame = Frame {
            title: "Sign in",
            place: Place::Outside,
            refresh_seconds: 0,
            signs_out: false,
        };
        let body = frame.around(&sign_in::page(tried)).into_string();
        Response::new(status, Content::Html, Keep::Never, body)
    }

    fn page(&self, status: u16, keep: Keep, place: Place, (title, main): (&str, Markup)) -> Response {
        let frame = Frame {
            title,
            place,
            refresh_seconds: self.refresh_seconds,
            signs_out: matches!(self.access, Access::Token(_)),
        };
        let body = frame.around(&main).into_string();
        Response::new(status, Content::Html, keep, body)
    }
}

#[cfg(test)]
mod tests;
