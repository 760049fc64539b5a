//! Turns a request into a response, or into the page whose data must be read first.

use std::sync::Arc;

use jiff::Timestamp;
use maud::Markup;
use portpulse_history::view::{Audience, MonitorPage, Overview};

use crate::access::{ATTEMPT_WINDOW, Access, Attempt, Refusal, SignInGuard};
use crate::feed::{self, Feed};
use crate::page::{Frame, MenuEntry, incidents, message, monitor, overview, sign_in};
use crate::request::{Initiator, Method, Request};
use crate::response::{CachePolicy, ContentType, Response};
use crate::route::{Page, Route, Selection};
use crate::span::Span;

/// `Retry-After` of a failed read, in seconds.
pub(crate) const RETRY_SECONDS: i64 = 5;

/// The status page with its access control.
#[derive(Debug, Clone)]
pub struct Site {
    access: Access,
    guard: Arc<SignInGuard>,
    refresh_seconds: u32,
}

/// Result of receiving a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// A response that needs no data.
    Response(Response),
    /// A page; the data must be read first.
    Page(PageRequest),
}

/// A request for a page, with access granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// The page.
    pub page: Page,
    /// What the reader may see.
    pub audience: Audience,
}

impl Site {
    /// Creates the site. With the script, an open page refreshes every `refresh_seconds`.
    pub fn new(access: Access, refresh_seconds: u32) -> Self {
        Self {
            access,
            guard: Arc::default(),
            refresh_seconds,
        }
    }

    /// Receives a request. Access is checked before anything else, so that refused requests reveal nothing.
    pub fn receive(&self, request: &Request, now: Timestamp) -> Received {
        let route = Route::of(request);
        if let (Route::Asset(asset), Method::Get | Method::Head) = (&route, request.method) {
            return Received::Response(asset.response());
        }
        if let Route::SignIn | Route::SignOut = route {
            return Received::Response(self.sign_in_or_out(&route, request, now));
        }
        let audience = match self.access.authorize(&self.guard, request, now) {
            Ok(audience) => audience,
            Err(refusal) => return Received::Response(self.refuse(refusal, &route)),
        };
        match (request.method, route) {
            (Method::Get | Method::Head, Route::Page(Page::Feed(Feed::OpenApi))) => {
                Received::Response(feed::open_api())
            }
            (Method::Get | Method::Head, Route::Page(page)) => Received::Page(PageRequest { page, audience }),
            (Method::Get | Method::Head, _) => Received::Response(self.not_found()),
            (Method::Post | Method::Other, _) => Received::Response(self.method_not_allowed()),
        }
    }

    /// Renders the overview.
    pub fn overview(&self, audience: Audience, selection: &Selection, known: &Overview) -> Response {
        let (title, main) = overview::page(selection, known);
        self.page(
            200,
            CachePolicy::for_page(audience),
            MenuEntry::Monitors,
            (&title, main),
        )
    }

    /// Renders the page of one monitor; status 404 for `None`.
    pub fn monitor(&self, audience: Audience, span: Span, known: Option<&MonitorPage>) -> Response {
        let Some(known) = known else {
            return self.not_found();
        };
        let (title, main) = monitor::page(span, known);
        self.page(
            200,
            CachePolicy::for_page(audience),
            MenuEntry::Other,
            (&title, main),
        )
    }

    /// Renders page number `page`, counted from 0, of incidents and maintenance.
    pub fn incidents(&self, audience: Audience, page: usize, known: &Overview) -> Response {
        let (title, main) = incidents::page(page, known);
        self.page(
            200,
            CachePolicy::for_page(audience),
            MenuEntry::Incidents,
            (&title, main),
        )
    }

    /// Renders a feed of all monitors.
    pub fn feed(&self, audience: Audience, feed: &Feed, known: &Overview) -> Response {
        feed::all_monitors(feed, audience, known).unwrap_or_else(|| self.not_found())
    }

    /// Renders the JSON of one monitor; status 404 for `None`.
    pub fn monitor_feed(&self, audience: Audience, known: Option<&MonitorPage>) -> Response {
        known.map_or_else(|| self.not_found(), |known| feed::one_monitor(audience, known))
    }

    /// The response (503) if the data could not be read. The reason is in the log only.
    pub fn unavailable(&self) -> Response {
        let main = message::page(
            "Temporarily unavailable",
            "The status data could not be read. Checks and notifications are not affected. Try again in a few seconds. \
            The reason is in the log of the status page.",
        );
        let response = self.page(
            503,
            CachePolicy::NoStore,
            MenuEntry::Other,
            ("Temporarily unavailable", main),
        );
        response.with_header("retry-after", RETRY_SECONDS.to_string())
    }

    /// The response (404) for an unknown path or monitor.
    pub(crate) fn not_found(&self) -> Response {
        let main = message::page(
            "Page not found",
            "There is no page at this address. A monitor that was removed from the definitions has no page.",
        );
        self.page(
            404,
            CachePolicy::NoStore,
            MenuEntry::Other,
            ("Page not found", main),
        )
    }

    fn method_not_allowed(&self) -> Response {
        let text = "Method not allowed: use GET or HEAD.\n";
        Response::new(405, ContentType::Text, CachePolicy::NoStore, text).with_header("allow", "GET, HEAD")
    }

    fn refuse(&self, refusal: Refusal, route: &Route) -> Response {
        let text = |status, text: &str| Response::new(status, ContentType::Text, CachePolicy::NoStore, text);
        match (refusal, route) {
            (Refusal::ForeignHost, _) => text(
                421,
                "This page is available on this machine only: open http://localhost or http://127.0.0.1.\n",
            ),
            (Refusal::Unsigned, _) => text(
                403,
                "Access denied: the request has no valid IAM signature. Sign the request with AWS Signature Version 4.\n",
            ),
            (Refusal::TooManyAttempts, _) => {
                let text = text(
                    429,
                    "Too many failed attempts from your network. Try again in a minute.\n",
                );
                text.with_header("retry-after", ATTEMPT_WINDOW.as_secs().to_string())
            }
            (
                Refusal::SignInRequired,
                Route::Page(Page::Overview(_) | Page::Monitor(..) | Page::Incidents(_)),
            ) => Response::redirect_to("/sign-in"),
            (Refusal::SignInRequired, _) => {
                text(401, "Token required: send `Authorization: Bearer <token>`.\n")
                    .with_header("www-authenticate", "Bearer")
            }
        }
    }

    /// Signs a browser in or out.
    fn sign_in_or_out(&self, route: &Route, request: &Request, now: Timestamp) -> Response {
        let Access::Token(token) = &self.access else {
            return Response::redirect_to("/");
        };
        match (route, request.method) {
            // Otherwise a page of another origin could sign the reader out, or use up the reader's sign-in attempts.
            (_, Method::Post) if request.initiator == Initiator::OtherOrigin => {
                let text = "Request from another origin refused: use the form on this page.\n";
                Response::new(403, ContentType::Text, CachePolicy::NoStore, text)
            }
            (Route::SignIn, Method::Get | Method::Head) => self.sign_in(200, sign_in::LastAttempt::None),
            (Route::SignIn, Method::Post) => {
                let text = request.form_value("token").unwrap_or_default();
                match self.guard.attempt(token, &text, request, now) {
                    Attempt::Accepted => {
                        Response::redirect_to("/").with_header("set-cookie", token.session(now))
                    }
                    Attempt::Wrong => self.sign_in(403, sign_in::LastAttempt::Wrong),
                    Attempt::TooMany => {
                        let page = self.sign_in(429, sign_in::LastAttempt::TooMany);
                        page.with_header("retry-after", ATTEMPT_WINDOW.as_secs().to_string())
                    }
                }
            }
            (_, Method::Post) => {
                self.guard.end(token, request, now);
                Response::redirect_to("/sign-in").with_header("set-cookie", token.no_session())
            }
            (_, Method::Get | Method::Head | Method::Other) => self.method_not_allowed(),
        }
    }

    fn sign_in(&self, status: u16, last_attempt: sign_in::LastAttempt) -> Response {
        let frame = Frame {
            title: "Sign in",
            menu: MenuEntry::SignIn,
            refresh_seconds: 0,
            has_sign_out: false,
        };
        let body = frame.around(&sign_in::page(last_attempt)).into_string();
        Response::new(status, ContentType::Html, CachePolicy::NoStore, body)
    }

    fn page(
        &self,
        status: u16,
        cache_policy: CachePolicy,
        menu: MenuEntry,
        (title, main): (&str, Markup),
    ) -> Response {
        let frame = Frame {
            title,
            menu,
            refresh_seconds: self.refresh_seconds,
            has_sign_out: matches!(self.access, Access::Token(_)),
        };
        let body = frame.around(&main).into_string();
        Response::new(status, ContentType::Html, cache_policy, body)
    }
}

#[cfg(test)]
mod tests;
