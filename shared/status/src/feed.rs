//! What programs ask for: JSON, badges, Prometheus' text and the Atom feed, each put into words by the history.

use portpulse_core::id::MonitorId;
use portpulse_history::badge::Kind;
use portpulse_history::view::{Audience, IncidentsPage, MonitorPage, Overview};
use portpulse_history::{api, atom, badge, prometheus};

use crate::request::Request;
use crate::response::{Keep, Response};
use crate::span::Span;

/// What a program asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Feed {
    /// What the others look like, as an OpenAPI document.
    OpenApi,
    /// All monitors, as JSON.
    Monitors,
    /// One monitor over time, as JSON.
    Monitor(MonitorId, Span),
    /// Incidents, as JSON.
    Incidents,
    /// A picture of how a monitor is.
    Badge(MonitorId, Kind),
    /// All monitors, for Prometheus.
    Metrics,
    /// Incidents, as an Atom feed.
    Atom,
}

const JSON: &str = "application/json; charset=utf-8";
const SVG: &str = "image/svg+xml; charset=utf-8";

impl Feed {
    /// What a path asks for, if it is for programs.
    pub(crate) fn at(request: &Request) -> Option<Self> {
        let path = request.path.as_str();
        match path {
            "/openapi.json" => return Some(Self::OpenApi),
            "/api/monitors" => return Some(Self::Monitors),
            "/api/incidents" => return Some(Self::Incidents),
            "/metrics" => return Some(Self::Metrics),
            "/incidents.atom" => return Some(Self::Atom),
            _ => {}
        }
        if let Some(id) = path.strip_prefix("/api/monitors/") {
            return id.parse().ok().map(|id| Self::Monitor(id, Span::asked(request)));
        }
        let id = path.strip_prefix("/badge/")?.strip_suffix(".svg")?.parse().ok()?;
        let kind = request
            .query_value("kind")
            .map_or(Ok(Kind::Status), |kind| kind.parse());
        kind.ok().map(|kind| Self::Badge(id, kind))
    }
}

/// The OpenAPI document.
pub(crate) fn open_api() -> Response {
    Response::of_type(200, JSON, Keep::Shared, api::OPENAPI)
}

/// What is told of all monitors; `None` where there is nothing of that.
pub(crate) fn of_all(feed: &Feed, audience: Audience, known: &Overview) -> Option<Response> {
    let answer = |media_type, body| Response::of_type(200, media_type, Keep::page(audience), body);
    Some(match feed {
        Feed::OpenApi => open_api(),
        Feed::Monitors => answer(JSON, api::monitors(known).to_string()),
        Feed::Incidents => answer(JSON, api::incidents(&incidents(known)).to_string()),
        Feed::Metrics => answer(prometheus::CONTENT_TYPE, prometheus::text(known)),
        Feed::Atom => answer(atom::CONTENT_TYPE, atom::feed(&incidents(known))),
        Feed::Badge(id, kind) => {
            let monitor = known.monitors.iter().find(|monitor| monitor.id == *id)?;
            let badge = answer(SVG, badge::svg(*kind, monitor)?);
            match audience {
                Audience::Public => badge.for_other_sites(),
                // What only some may see is shown to no page of another site, whoever looks at that.
                Audience::Private => badge,
            }
        }
        Feed::Monitor(..) => return None,
    })
}

/// What is told of one monitor.
pub(crate) fn of_one(audience: Audience, known: &MonitorPage) -> Response {
    Response::of_type(200, JSON, Keep::page(audience), api::monitor(known).to_string())
}

fn incidents(known: &Overview) -> IncidentsPage {
    IncidentsPage {
        at: known.at,
        open: known.open.clone(),
        closed: known.closed.clone(),
        left_out: known.left_out,
    }
}
