//! Routing: maps paths to pages.

use jiff::civil::Date;
use portpulse_core::group_state::{IncidentId, Status};
use portpulse_core::id::MonitorId;
use portpulse_history::report::Month;

use crate::asset;
use crate::feed::Feed;
use crate::request::Request;
use crate::span::Span;

/// The target of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// A page or a feed; needs data.
    Page(Page),
    /// A static file.
    Asset(asset::Asset),
    /// The configured logo.
    Logo,
    /// The sign-in form.
    SignIn,
    /// Sign-out.
    SignOut,
    /// An unknown path.
    Unknown,
}

/// A page or a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// All monitors.
    Overview(Selection),
    /// One monitor with its history.
    Monitor(MonitorId, Span),
    /// Incidents and maintenance.
    Incidents(IncidentSelection),
    /// One incident.
    Incident(IncidentId),
    /// The report of a month, by default the one before the current one.
    Report(Option<Month>, ReportFormat),
    /// A machine-readable answer.
    Feed(Feed),
}

/// The format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportFormat {
    /// A page.
    Html,
    /// Comma-separated values.
    Csv,
}

/// Filter, grouping and page of the overview.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Search words; all of them must occur in the id, the host or the tags.
    pub search: String,
    /// A tag that the monitors must have.
    pub tag: Option<String>,
    /// How monitors are grouped.
    pub grouping: Grouping,
    /// The page number, counted from 0; in URLs from 1.
    pub page: usize,
}

/// Which incidents a page lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IncidentSelection {
    /// The month in which the incidents began, as its first day in UTC; `None` for all.
    pub month: Option<Date>,
    /// The statuses of the incidents; empty for all.
    pub status: Option<Status>,
    /// The page number, counted from 0; in URLs from 1.
    pub page: usize,
}

impl IncidentSelection {
    fn of(request: &Request) -> Self {
        let value = |name| request.query_value(name);
        Self {
            month: value("month").and_then(|month| format!("{month}-01").parse().ok()),
            status: value("status").and_then(|status| status.parse().ok()),
            page: page(request),
        }
    }

    /// The URL of a page of the same selection.
    pub(crate) fn address(&self, page: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(month) = self.month {
            query.append_pair("month", &month.strftime("%Y-%m").to_string());
        }
        if let Some(status) = self.status {
            query.append_pair("status", status.as_str());
        }
        query.append_pair("page", &(page + 1).to_string());
        format!("/incidents?{}", query.finish())
    }
}

/// The path of the configured logo.
pub(crate) const LOGO: &str = "/logo.svg";

/// How the overview groups monitors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Grouping {
    /// By whether they need attention.
    #[default]
    Status,
    /// By tag; a monitor with two tags appears twice.
    Tag,
    /// By the label in the field `group`.
    Group,
}

impl Grouping {
    /// All values.
    pub(crate) const ALL: [Self; 3] = [Self::Status, Self::Tag, Self::Group];

    /// The name in URLs.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Tag => "tag",
            Self::Group => "group",
        }
    }
}

/// The maximum page number in URLs.
const MAX_PAGES: usize = 10_000;
/// The maximum length of a search and of a tag, in characters; longer values are cut.
const MAX_TEXT_LENGTH: usize = 100;

impl Route {
    /// Determines the route of a request.
    pub(crate) fn of(request: &Request) -> Self {
        if let Some(feed) = Feed::at(request) {
            return Self::Page(Page::Feed(feed));
        }
        let path = request.path.as_str();
        match path {
            "/" => Self::Page(Page::Overview(Selection::of(request))),
            "/incidents" => Self::Page(Page::Incidents(IncidentSelection::of(request))),
            LOGO => Self::Logo,
            "/reports" => Self::Page(Page::Report(None, ReportFormat::Html)),
            "/sign-in" => Self::SignIn,
            "/sign-out" => Self::SignOut,
            _ if path.starts_with("/incidents/") => incident(path).map_or(Self::Unknown, Self::Page),
            _ if path.starts_with("/reports/") => report(path).map_or(Self::Unknown, Self::Page),
            _ => match (asset::Asset::at(path), path.strip_prefix("/monitors/")) {
                (Some(asset), _) => Self::Asset(asset),
                // Ids contain only characters that need no percent-encoding.
                (None, Some(id)) => id.parse().map_or(Self::Unknown, |id| {
                    Self::Page(Page::Monitor(
                        id,
                        Span::from_request(request).unwrap_or(Span::Hours),
                    ))
                }),
                (None, None) => Self::Unknown,
            },
        }
    }
}

/// The incident that a path names: `/incidents/orders-db@2026-11-22T05:40:00Z.7`.
fn incident(path: &str) -> Option<Page> {
    // Some programs encode the characters of an id that need no encoding.
    let id = path.strip_prefix("/incidents/")?.replace("%40", "@");
    let id = id.replace("%3A", ":").replace("%3a", ":");
    Some(Page::Incident(id.parse().ok()?))
}

/// The report that a path names: `/reports/2026-10` or `/reports/2026-10.csv`.
fn report(path: &str) -> Option<Page> {
    let name = path.strip_prefix("/reports/")?;
    let (name, format) = match name.strip_suffix(".csv") {
        Some(name) => (name, ReportFormat::Csv),
        None => (name, ReportFormat::Html),
    };
    Some(Page::Report(Some(name.parse().ok()?), format))
}

impl Selection {
    fn of(request: &Request) -> Self {
        let text = |name| {
            let value = request.query_value(name).unwrap_or_default();
            value.trim().chars().take(MAX_TEXT_LENGTH).collect::<String>()
        };
        let by = text("by");
        Self {
            search: text("q"),
            tag: Some(text("tag")).filter(|tag| !tag.is_empty()),
            grouping: Grouping::ALL
                .into_iter()
                .find(|each| each.as_str() == by)
                .unwrap_or_default(),
            page: page(request),
        }
    }

    /// The URL of another page of the same selection.
    pub(crate) fn address(&self, page: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.search.is_empty() {
            query.append_pair("q", &self.search);
        }
        if let Some(tag) = &self.tag {
            query.append_pair("tag", tag);
        }
        if self.grouping != Grouping::default() {
            query.append_pair("by", self.grouping.as_str());
        }
        query.append_pair("page", &(page + 1).to_string());
        format!("/?{}", query.finish())
    }
}

/// The page number of a request, counted from 0.
fn page(request: &Request) -> usize {
    let number = request.query_value("page").and_then(|text| text.parse().ok());
    number.unwrap_or(1usize).clamp(1, MAX_PAGES) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(path: &str, query: &str) -> Route {
        Route::of(&Request {
            path: path.to_owned(),
            query: query.to_owned(),
            ..Request::default()
        })
    }

    #[test]
    fn paths_map_to_routes() {
        let page = |path, query| {
            let Route::Page(page) = route(path, query) else {
                return None;
            };
            Some(page)
        };
        let monitor = |span| Some(Page::Monitor("orders-db".parse().unwrap(), span));
        assert_eq!(page("/", ""), Some(Page::Overview(Selection::default())));
        for (query, number) in [
            ("", 0),
            ("page=3", 2),
            ("page=0", 0),
            ("page=-1", 0),
            ("page=x", 0),
        ] {
            assert_eq!(
                page("/incidents", query),
                Some(Page::Incidents(IncidentSelection {
                    page: number,
                    ..IncidentSelection::default()
                })),
                "{query}"
            );
        }
        assert_eq!(page("/monitors/orders-db", ""), monitor(Span::Hours));
        assert_eq!(page("/monitors/orders-db", "span=90d"), monitor(Span::Quarter));
        assert_eq!(page("/monitors/orders-db", "span=9"), monitor(Span::Hours));
        assert_eq!(route("/sign-in", ""), Route::SignIn);
        let incident = Some(Page::Incident(
            "orders-db@2026-11-22T05:40:00Z.7".parse().unwrap(),
        ));
        for id in [
            "/incidents/orders-db@2026-11-22T05:40:00Z.7",
            "/incidents/orders-db%402026-11-22T05%3A40%3a00Z.7",
        ] {
            assert_eq!(page(id, ""), incident, "{id}");
        }
        for unknown in [
            "",
            "/x",
            "/incidents/",
            "/incidents/orders-db",
            "/incidents/orders-db@2026-11-22T05:40:00Z",
            "/incidents/orders-db@2026-11-22T05:40:00Z.7/",
            "/incidents/orders-db@2026-11-22T05:40:00Z.7.health",
            "/incidents/orders-db%252026-11-22T05:40:00Z.7",
            "/monitors/",
            "/monitors/A",
            "/monitors/a/b",
            "/monitors/%61",
            "//",
        ] {
            assert_eq!(route(unknown, ""), Route::Unknown, "{unknown}");
        }
    }

    #[test]
    fn page_links_keep_selection() {
        for query in ["page=2", "q=a+b%26&tag=team%3Da&by=tag&page=7"] {
            let Route::Page(Page::Overview(selection)) = route("/", query) else {
                unreachable!()
            };
            assert_eq!(selection.address(selection.page), format!("/?{query}"));
        }
    }

    #[test]
    fn selection_is_read_from_query() {
        let long = "x".repeat(500);
        let Route::Page(Page::Overview(selection)) = route("/", &format!("q=+{long}&tag=a+b&by=tag")) else {
            unreachable!()
        };
        assert_eq!(selection.search.len(), MAX_TEXT_LENGTH);
        assert_eq!(
            (selection.tag.as_deref(), selection.grouping),
            (Some("a b"), Grouping::Tag)
        );
        assert_eq!(
            route("/", "q=&tag=&by=x"),
            Route::Page(Page::Overview(Selection::default()))
        );
    }
}
