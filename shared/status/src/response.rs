//! HTTP responses with the headers that all of them share.

use std::borrow::Cow;

use http::{HeaderValue, StatusCode};
use portpulse_core::text::escaped;
use portpulse_history::view::Audience;

/// An HTTP response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers; names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl From<Response> for http::Response<Vec<u8>> {
    fn from(response: Response) -> Self {
        let mut converted = Self::new(response.body.into_bytes());
        *converted.status_mut() =
            StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in response.headers {
            // All headers are plain text, so that none is lost here.
            if let Ok(value) = HeaderValue::try_from(value) {
                converted.headers_mut().append(name, value);
            }
        }
        converted
    }
}

/// The content type of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentType {
    /// A page.
    Html,
    /// The style sheet.
    Css,
    /// The script.
    Script,
    /// An image.
    Svg,
    /// Plain text.
    Text,
}

impl ContentType {
    /// The media type.
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

/// Which caches may store a response, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CachePolicy {
    /// Not at all: a private page must not be readable after sign-out.
    NoStore,
    /// By any cache for 30 seconds, and for 60 more seconds while the response is fetched again.
    Shared,
    /// By any cache, forever: the path changes with the content.
    Immutable,
}

impl CachePolicy {
    /// The policy of a page for this audience.
    pub const fn for_page(audience: Audience) -> Self {
        match audience {
            Audience::Public => Self::Shared,
            Audience::Private => Self::NoStore,
        }
    }

    const fn header(self) -> &'static str {
        match self {
            Self::NoStore => "no-store",
            Self::Shared => "public, max-age=30, stale-while-revalidate=60",
            Self::Immutable => "public, max-age=31536000, immutable",
        }
    }
}

/// Only resources of this origin, scripts and styles only from files, no frames.
/// Source: <https://www.w3.org/TR/CSP3/>
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

impl Response {
    /// Creates a response with the common headers.
    pub fn new(
        status: u16,
        content: ContentType,
        cache_policy: CachePolicy,
        body: impl Into<String>,
    ) -> Self {
        Self::of_type(status, content.media_type(), cache_policy, body)
    }

    /// Creates a response with another media type.
    pub fn of_type(
        status: u16,
        media_type: &'static str,
        cache_policy: CachePolicy,
        body: impl Into<String>,
    ) -> Self {
        let headers = [
            ("content-type", media_type),
            ("cache-control", cache_policy.header()),
            ("content-security-policy", CONTENT_SECURITY_POLICY),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
        ];
        let body = body.into();
        // The content comes from services and definitions, and may be clean in a terminal: escape control characters.
        let clean = match escaped(&body, |c| matches!(c, '\n' | '\t')) {
            Cow::Borrowed(_) => None,
            Cow::Owned(clean) => Some(clean),
        };
        Self {
            status,
            headers: headers.map(|(name, value)| (name, value.to_owned())).to_vec(),
            body: clean.unwrap_or(body),
        }
    }

    /// A redirect (303) to another path of this origin.
    pub(crate) fn redirect_to(path: &str) -> Self {
        Self::new(303, ContentType::Text, CachePolicy::NoStore, "").with_header("location", path)
    }

    /// Adds a header.
    #[must_use]
    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Allows pages of other sites to embed the response as an image.
    #[must_use]
    pub(crate) fn allow_cross_origin(mut self) -> Self {
        for (name, value) in &mut self.headers {
            if *name == "cross-origin-resource-policy" {
                "cross-origin".clone_into(value);
            }
        }
        self
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(key, _)| *key == name);
        named.next().map(|(_, value)| value.as_str())
    }
}
