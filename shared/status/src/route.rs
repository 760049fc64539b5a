//! What a path means.

use portpulse_core::id::MonitorId;

use crate::asset;
use crate::feed::Feed;
use crate::request::Request;
use crate::span::Span;

/// What a request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// A page, for which somebody must read.
    Page(Page),
    /// A file that is part of the program.
    Asset(asset::Asset),
    /// To sign in.
    SignIn,
    /// To sign out.
    SignOut,
    /// Nothing that there is.
    Nothing,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// All monitors at a glance.
    Overview(Selection),
    /// One monitor over time.
    Monitor(MonitorId, Span),
    /// Incidents and maintenance; which page of them, from 0 on.
    Incidents(usize),
    /// Something for programs.
    Feed(Feed),
}

/// Which monitors to show, and in what order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Words that must all occur in the id, the host or the tags.
    pub words: String,
    /// A tag that they must have.
    pub tag: Option<String>,
    /// What they are put together by.
    pub by: By,
    /// Which page of them, from 0 on; in addresses they count from 1.
    pub page: usize,
}

/// What monitors are put together by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum By {
    /// Nothing.
    #[default]
    Status,
    /// Their tags; one with two tags stands twice.
    Tag,
    /// The group that one tick checks together.
    Group,
}

impl By {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Status, Self::Tag, Self::Group];

    /// Its name in addresses.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Tag => "tag",
            Self::Group => "group",
        }
    }
}

/// The most pages that there are taken to be.
const MAX_PAGES: usize = 10_000;
/// The most characters that a search is taken to have.
const MAX_TEXT_LENGTH: usize = 100;

impl Route {
    /// What the path of a request means.
    pub(crate) fn of(request: &Request) -> Self {
        if let Some(feed) = Feed::at(request) {
            return Self::Page(Page::Feed(feed));
        }
        let path = request.path.as_str();
        match path {
            "/" => Self::Page(Page::Overview(Selection::of(request))),
            "/incidents" => Self::Page(Page::Incidents(page(request))),
            "/sign-in" => Self::SignIn,
            "/sign-out" => Self::SignOut,
            _ => match (asset::Asset::at(path), path.strip_prefix("/monitors/")) {
                (Some(asset), _) => Self::Asset(asset),
                // Every character that an id may have stands for itself in a path.
                (None, Some(id)) => id.parse().map_or(Self::Nothing, |id| {
                    Self::Page(Page::Monitor(id, Span::asked(request)))
                }),
                (None, None) => Self::Nothing,
            },
        }
    }
}

impl Selection {
    fn of(request: &Request) -> Self {
        let text = |name| {
            let value = request.query_value(name).unwrap_or_default();
            value.trim().chars().take(MAX_TEXT_LENGTH).collect::<String>()
        };
        let by = text("by");
        Self {
            words: text("q"),
            tag: Some(text("tag")).filter(|tag| !tag.is_empty()),
            by: By::ALL
                .into_iter()
                .find(|each| each.as_str() == by)
                .unwrap_or_default(),
            page: page(request),
        }
    }

    /// The address of another page of the same monitors.
    pub(crate) fn address(&self, page: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.words.is_empty() {
            query.append_pair("q", &self.words);
        }
        if let Some(tag) = &self.tag {
            query.append_pair("tag", tag);
        }
        if self.by != By::default() {
            query.append_pair("by", self.by.as_str());
        }
        query.append_pair("page", &(page + 1).to_string());
        format!("/?{}", query.finish())
    }
}

/// Which page a request asks for, from 0 on.
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
    fn a_path_means_one_thing() {
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
                Some(Page::Incidents(number)),
                "{query}"
            );
        }
        assert_eq!(page("/monitors/orders-db", ""), monitor(Span::Day));
        assert_eq!(page("/monitors/orders-db", "span=90d"), monitor(Span::Quarter));
        assert_eq!(page("/monitors/orders-db", "span=9"), monitor(Span::Day));
        assert_eq!(route("/sign-in", ""), Route::SignIn);
        for nothing in [
            "",
            "/x",
            "/monitors/",
            "/monitors/A",
            "/monitors/a/b",
            "/monitors/%61",
            "//",
        ] {
            assert_eq!(route(nothing, ""), Route::Nothing, "{nothing}");
        }
    }

    #[test]
    fn the_next_page_has_the_address_of_the_same_selection() {
        for query in ["page=2", "q=a+b%26&tag=team%3Da&by=tag&page=7"] {
            let Route::Page(Page::Overview(selection)) = route("/", query) else {
                unreachable!()
            };
            assert_eq!(selection.address(selection.page), format!("/?{query}"));
        }
    }

    #[test]
    fn a_selection_is_read_from_the_query() {
        let long = "x".repeat(500);
        let Route::Page(Page::Overview(selection)) = route("/", &format!("q=+{long}&tag=a+b&by=group"))
        else {
            unreachable!()
        };
        assert_eq!(selection.words.len(), MAX_TEXT_LENGTH);
        assert_eq!((selection.tag.as_deref(), selection.by), (Some("a b"), By::Group));
        assert_eq!(
            route("/", "q=&tag=&by=x"),
            Route::Page(Page::Overview(Selection::default()))
        );
    }
}
