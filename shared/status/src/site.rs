//! Turns a request into a response, or into the page whose data must be read first.

use std::sync::Arc;

use http::Method;
use jiff::Timestamp;
use maud::Markup;
use portpulse_core::group_state::IncidentId;
use portpulse_core::id::MonitorId;
use portpulse_history::report::Report;
use portpulse_history::view::{Audience, MonitorPage, Overview};

use crate::access::{ATTEMPT_WINDOW, Access, Attempt, FormSecret, Refusal, SignInGuard};
use crate::action::Action;
use crate::feed::{self, Feed};
use crate::page::{Frame, MenuEntry, incident, incidents, message, monitor, overview, report, sign_in};
use crate::page_config::PageConfig;
use crate::request::{Initiator, Request};
use crate::response::{CachePolicy, ContentType, Response};
use crate::route::{IncidentSelection, Page, ReportFormat, Route, Selection};
use crate::span::Span;

/// `Retry-After` of a failed read, in seconds.
pub(crate) const RETRY_SECONDS: i64 = 5;

/// The status page with its access control.
#[derive(Debug, Clone)]
pub struct Site {
    access: Access,
    guard: Arc<SignInGuard>,
    refresh_seconds: u32,
    /// Present if readers who see everything can acknowledge, silence and add notes.
    form_secret: Option<FormSecret>,
    config: Arc<PageConfig>,
}

/// Result of receiving a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// A response that needs no data.
    Response(Response),
    /// A page; the data must be read first.
    Page(PageRequest),
    /// A change of a monitor; the monitor must be read first.
    Action(MonitorId, Action),
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
            form_secret: None,
            config: Arc::default(),
        }
    }

    /// Sets the appearance.
    #[must_use]
    pub fn with_config(self, config: PageConfig) -> Self {
        Self {
            config: Arc::new(config),
            ..self
        }
    }

    /// Offers forms to readers who see everything. There are none on a public page.
    #[must_use]
    pub fn with_actions(self, secret: FormSecret) -> Self {
        Self {
            form_secret: Some(secret),
            ..self
        }
    }

    /// Receives a request. Access is checked before anything else, so that refused requests reveal nothing.
    pub fn receive(&self, request: &Request, now: Timestamp) -> Received {
        let route = Route::of(request);
        if let (Route::Asset(asset), &(Method::GET | Method::HEAD)) = (&route, &request.method) {
            return Received::Response(asset.response());
        }
        if let (Route::Logo, &(Method::GET | Method::HEAD), Some(logo)) =
            (&route, &request.method, &self.config.logo)
        {
            return Received::Response(Response::new(
                200,
                ContentType::Svg,
                CachePolicy::Shared,
                logo.as_str(),
            ));
        }
        if let Route::SignIn | Route::SignOut = route {
            return Received::Response(self.sign_in_or_out(&route, request, now));
        }
        let audience = match self.access.authorize(&self.guard, request, now) {
            Ok(audience) => audience,
            Err(refusal) => return Received::Response(self.refuse(refusal, &route)),
        };
        match (&request.method, route) {
            (&(Method::GET | Method::HEAD), Route::Page(Page::Feed(Feed::OpenApi))) => {
                Received::Response(feed::open_api())
            }
            (&(Method::GET | Method::HEAD), Route::Page(page)) => {
                Received::Page(PageRequest { page, audience })
            }
            (&Method::POST, Route::Page(Page::Monitor(id, _))) => {
                self.receive_action(audience, id, request, now)
            }
            (&(Method::GET | Method::HEAD), _) => Received::Response(self.not_found()),
            _ => Received::Response(self.method_not_allowed()),
        }
    }

    /// Receives a form of a monitor page. Forms must come from this origin and contain the token of the page.
    fn receive_action(
        &self,
        audience: Audience,
        id: MonitorId,
        request: &Request,
        now: Timestamp,
    ) -> Received {
        let secret = self
            .form_secret
            .as_ref()
            .filter(|_| audience == Audience::Private);
        let Some(secret) = secret else {
            return Received::Response(self.method_not_allowed());
        };
        if request.initiator == Initiator::OtherOrigin || !secret.is_in(request) {
            let text = "Form refused: reload the page and send the form again.\n";
            return Received::Response(Response::new(403, ContentType::Text, CachePolicy::NoStore, text));
        }
        match Action::read(&id, request, now) {
            Ok(action) => Received::Action(id, action),
            Err(error) => {
                let text = format!("Nothing was changed: {error}.");
                Received::Response(self.message(400, "Form not accepted", &text))
            }
        }
    }

    /// The response to a performed action: back to the monitor.
    pub(crate) fn performed(&self, id: &MonitorId) -> Response {
        Response::redirect_to(&format!("/monitors/{id}"))
    }

    /// The response (409) to an action that conflicts with others.
    pub(crate) fn conflict(&self) -> Response {
        self.message(
            409,
            "Not changed",
            "Another change of this monitor was stored at the same time. Check the monitor, and repeat your change if it is still needed.",
        )
    }

    /// The response (409) to an acknowledgement without an open incident.
    pub(crate) fn nothing_open(&self) -> Response {
        self.message(
            409,
            "Nothing to acknowledge",
            "The monitor has no open incident any more. Nothing was changed.",
        )
    }

    /// Renders the overview.
    pub fn overview(&self, audience: Audience, selection: &Selection, known: &Overview) -> Response {
        let (title, main) = overview::page(selection, known, &self.config);
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
        let token = self.form_secret.as_ref().map(FormSecret::token);
        let (title, main) = monitor::page(span, known, token.as_ref());
        self.page(
            200,
            CachePolicy::for_page(audience),
            MenuEntry::Other,
            (&title, main),
        )
    }

    /// Renders incidents and maintenance.
    pub fn incidents(&self, audience: Audience, selection: &IncidentSelection, known: &Overview) -> Response {
        let (title, main) = incidents::page(selection, known);
        self.page(
            200,
            CachePolicy::for_page(audience),
            MenuEntry::Incidents,
            (&title, main),
        )
    }

    /// Renders the page of one incident; status 404 if the overview does not have it.
    pub fn incident(&self, audience: Audience, id: &IncidentId, known: &Overview) -> Response {
        let mut all = known.open.iter().chain(&known.closed);
        let Some(found) = all.find(|incident| incident.id == *id) else {
            return self.incident_not_found(known);
        };
        let token = self.form_secret.as_ref().map(FormSecret::token);
        let (title, main) = incident::page(found, known, token.as_ref());
        self.page(
            200,
            CachePolicy::for_page(audience),
            MenuEntry::Other,
            (&title, main),
        )
    }

    /// Renders the report of a month; monitors without an objective of their own have that of the page.
    pub fn report(&self, audience: Audience, format: ReportFormat, report: &Report) -> Response {
        let policy = CachePolicy::for_page(audience);
        let report = &Report {
            objective: report.objective.or(self.config.objective),
            ..report.clone()
        };
        match format {
            ReportFormat::Html => {
                let (title, main) = report::page(report);
                self.page(200, policy, MenuEntry::Reports, (&title, main))
            }
            ReportFormat::Csv => Response::of_type(200, "text/csv; charset=utf-8", policy, report.csv()),
        }
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
        let response = self.message(
            503,
            "Temporarily unavailable",
            "The status data could not be read. Checks and notifications are not affected. Try again in a few seconds. \
            The reason is in the log of the status page.",
        );
        response.with_header("retry-after", RETRY_SECONDS.to_string())
    }

    /// The response (404) for an unknown path or monitor.
    pub(crate) fn not_found(&self) -> Response {
        self.message(
            404,
            "Page not found",
            "There is no page at this address. A monitor that was removed from the definitions has no page.",
        )
    }

    /// A page with one sentence for people.
    fn message(&self, status: u16, title: &str, text: &str) -> Response {
        let main = message::page(title, text);
        self.page(status, CachePolicy::NoStore, MenuEntry::Other, (title, main))
    }

    /// The response (404) for an incident that is unknown, too old, or of a monitor that the reader may not see.
    fn incident_not_found(&self, known: &Overview) -> Response {
        let reason = match known.left_out.incidents {
            false => "There is no incident with this id, or it ended more than 90 days ago.",
            true => {
                "There is no incident with this id, or it ended too long ago: the earlier incidents of the last 90 days exceed \
                the read limit of one request."
            }
        };
        self.message(404, "Incident not found", reason)
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
                Route::Page(
                    Page::Overview(_)
                    | Page::Monitor(..)
                    | Page::Incidents(_)
                    | Page::Incident(_)
                    | Page::Report(..),
                ),
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
        match (route, &request.method) {
            // Otherwise a page of another origin could sign the reader out, or use up the reader's sign-in attempts.
            (_, &Method::POST) if request.initiator == Initiator::OtherOrigin => {
                let text = "Request from another origin refused: use the form on this page.\n";
                Response::new(403, ContentType::Text, CachePolicy::NoStore, text)
            }
            (Route::SignIn, &(Method::GET | Method::HEAD)) => self.sign_in(200, sign_in::LastAttempt::None),
            (Route::SignIn, &Method::POST) => {
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
            (_, &Method::POST) => {
                self.guard.end(token, request, now);
                Response::redirect_to("/sign-in").with_header("set-cookie", token.no_session())
            }
            _ => self.method_not_allowed(),
        }
    }

    fn sign_in(&self, status: u16, last_attempt: sign_in::LastAttempt) -> Response {
        let frame = Frame {
            title: "Sign in",
            menu: MenuEntry::SignIn,
            refresh_seconds: 0,
            has_sign_out: false,
            config: &self.config,
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
            config: &self.config,
        };
        let body = frame.around(&main).into_string();
        Response::new(status, ContentType::Html, cache_policy, body)
    }
}

#[cfg(test)]
mod tests;
