//! A response, with the headers that every one of them carries.

use std::borrow::Cow;

use portpulse_core::text::escaped;
use portpulse_history::view::Audience;

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code of HTTP.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A page.
    Html,
    /// The style sheet.
    Css,
    /// The script.
    Script,
    /// A picture.
    Svg,
    /// Words.
    Text,
}

impl Content {
    /// Its media type.
    const fn media_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Css => "text/css; charset=utf-8",
            Self::Script => "text/javascript; charset=utf-8",
            Self::Svg => "image/svg+xml; charset=utf-8",
            Self::Text => "text/plain; charset=utf-8",
        }
    }
}

/// How long, and by whom, a response may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// By nobody: what is private is not there any more once somebody has signed out.
    Never,
    /// By anybody for half a minute, and for some more while a new one is fetched: many readers cost as much as one.
    Shared,
    /// By anybody, for ever: the name of what is kept changes with its content.
    Forever,
}

impl Keep {
    /// How long a page for this audience may be kept.
    pub const fn page(audience: Audience) -> Self {
        match audience {
            Audience::Public => Self::Shared,
            Audience::Private => Self::Never,
        }
    }

    const fn header(self) -> &'static str {
        match self {
            Self::Never => "no-store",
            Self::Shared => "public, max-age=30, stale-while-revalidate=60",
            Self::Forever => "public, max-age=31536000, immutable",
        }
    }
}

/// Nothing but what this origin serves; scripts and styles from files alone; in no frame.
/// Source: <https://www.w3.org/TR/CSP3/>
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

impl Response {
    /// A response with the headers that all have.
    pub fn new(status: u16, content: Content, keep: Keep, body: impl Into<String>) -> Self {
        Self::of_type(status, content.media_type(), keep, body)
    }

    /// A response of another media type.
    pub fn of_type(status: u16, media_type: &'static str, keep: Keep, body: impl Into<String>) -> Self {
        let headers = [
            ("content-type", media_type),
            ("cache-control", keep.header()),
            ("content-security-policy", POLICY),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
        ];
        let body = body.into();
        // Whatever the pages are made of was written by others, and may be shown by a terminal.
        let shown = match escaped(&body, |c| matches!(c, '\n' | '\t')) {
            Cow::Borrowed(_) => None,
            Cow::Owned(shown) => Some(shown),
        };
        Self {
            status,
            headers: headers.map(|(name, value)| (name, value.to_owned())).to_vec(),
            body: shown.unwrap_or(body),
        }
    }

    /// The way on to another path of this origin.
    pub(crate) fn see_other(path: &str) -> Self {
        Self::new(303, Content::Text, Keep::Never, "").with("location", path)
    }

    /// The same with one more header.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same, as a picture that pages of other sites may show.
    #[must_use]
    pub(crate) fn for_other_sites(mut self) -> Self {
        for (name, value) in &mut self.headers {
            if *name == "cross-origin-resource-policy" {
                "cross-origin".clone_into(value);
            }
        }
        self
    }

    /// What a header says.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(key, _)| *key == name);
        named.next().map(|(_, value)| value.as_str())
    }
}
