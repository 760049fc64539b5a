//! Machine-readable answers: JSON, badges, Prometheus metrics and the Atom feed, as `portpulse-history` renders them.

use portpulse_core::id::MonitorId;
use portpulse_history::badge::BadgeKind;
use portpulse_history::prometheus::Exposition;
use portpulse_history::view::{Audience, IncidentsPage, MonitorPage, Overview};
use portpulse_history::{api, atom, badge};

use crate::request::Request;
use crate::response::{CachePolicy, Response};
use crate::span::Span;

/// A machine-readable answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Feed {
    /// The OpenAPI document of the JSON API.
    OpenApi,
    /// All monitors as JSON.
    Monitors,
    /// One monitor with its history as JSON.
    Monitor(MonitorId, Span),
    /// Incidents as JSON.
    Incidents,
    /// A badge (SVG) of one monitor.
    Badge(MonitorId, BadgeKind),
    /// All monitors as Prometheus metrics.
    Metrics(Exposition),
    /// Incidents as an Atom feed.
    Atom,
}

const JSON: &str = "application/json; charset=utf-8";
const SVG: &str = "image/svg+xml; charset=utf-8";

impl Feed {
    /// The answer that a path names, if any.
    pub(crate) fn at(request: &Request) -> Option<Self> {
        let path = request.path.as_str();
        match path {
            "/openapi.json" => return Some(Self::OpenApi),
            "/api/monitors" => return Some(Self::Monitors),
            "/api/incidents" => return Some(Self::Incidents),
            "/metrics" => return Some(Self::Metrics(Exposition::of(request.accept.as_deref()))),
            "/incidents.atom" => return Some(Self::Atom),
            _ => {}
        }
        if let Some(id) = path.strip_prefix("/api/monitors/") {
            return id.parse().ok().map(|id| Self::Monitor(id, span(request)));
        }
        let id = path.strip_prefix("/badge/")?.strip_suffix(".svg")?.parse().ok()?;
        let kind = request
            .query_value("kind")
            .map_or(Ok(BadgeKind::Status), |kind| kind.parse());
        kind.ok().map(|kind| Self::Badge(id, kind))
    }
}

/// The span of the phase times: by hour or by day.
fn span(request: &Request) -> Span {
    let span = Span::from_request(request).filter(|span| *span != Span::Hours);
    span.unwrap_or_default()
}

/// The OpenAPI document.
pub(crate) fn open_api() -> Response {
    Response::of_type(200, JSON, CachePolicy::Shared, api::OPENAPI)
}

/// The response for all monitors; `None` if the badge does not exist for this audience.
pub(crate) fn all_monitors(feed: &Feed, audience: Audience, known: &Overview) -> Option<Response> {
    let answer = |media_type, body| Response::of_type(200, media_type, CachePolicy::for_page(audience), body);
    Some(match feed {
        Feed::OpenApi => open_api(),
        Feed::Monitors => answer(JSON, api::monitors(known).to_string()),
        Feed::Incidents => answer(JSON, api::incidents(&incidents(known)).to_string()),
        Feed::Metrics(exposition) => {
            answer(exposition.content_type(), exposition.text(known)).with_header("vary", "accept")
        }
        Feed::Atom => answer(atom::CONTENT_TYPE, atom::feed(&incidents(known))),
        Feed::Badge(id, kind) => {
            let monitor = known.monitors.iter().find(|monitor| monitor.id == *id)?;
            let badge = answer(SVG, badge::svg(*kind, monitor)?);
            match audience {
                Audience::Public => badge.allow_cross_origin(),
                // A private badge must not be embedded in pages of other sites.
                Audience::Private => badge,
            }
        }
        Feed::Monitor(..) => return None,
    })
}

/// The JSON response for one monitor.
pub(crate) fn one_monitor(audience: Audience, known: &MonitorPage) -> Response {
    Response::of_type(
        200,
        JSON,
        CachePolicy::for_page(audience),
        api::monitor(known).to_string(),
    )
}

fn incidents(known: &Overview) -> IncidentsPage {
    IncidentsPage {
        at: known.at,
        open: known.open.clone(),
        closed: known.closed.clone(),
        left_out: known.left_out,
    }
}
