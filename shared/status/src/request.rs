//! The parts of an HTTP request that the pages use.

use std::borrow::Cow;
use std::net::IpAddr;

use http::{HeaderMap, Method, header};

/// The maximum number of bytes of a body that are read; a body is a form. The fields of a page take at most 700 characters of
/// up to 9 bytes each, so that a note that is too long is answered with the reason.
pub const MAX_BODY_BYTES: usize = 8_192;

/// An HTTP request. All values are untrusted.
#[derive(Clone, Default)]
pub struct Request {
    /// The method. `POST` signs in or out, or changes a monitor; others than `GET`, `HEAD` and `POST` are answered with status 405.
    pub method: Method,
    /// The path, still percent-encoded.
    pub path: String,
    /// The query string without `?`, still percent-encoded.
    pub query: String,
    /// Whether the request came over TLS.
    pub transport: Transport,
    /// The sender's address, if known. Wrong tokens are counted by the sender's network.
    pub sender: Option<IpAddr>,
    /// The header `Host`.
    pub host: Option<String>,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The header `Accept`.
    pub accept: Option<String>,
    /// The header `Accept-Encoding`.
    pub accept_encoding: Option<String>,
    /// The header `If-None-Match`.
    pub if_none_match: Option<String>,
    /// The cookies, as pairs separated by `;`.
    pub cookies: String,
    /// The body, at most [`MAX_BODY_BYTES`].
    pub body: Vec<u8>,
    /// Which site initiated the request.
    pub initiator: Initiator,
    /// Whether AWS has verified the caller's signature.
    pub signature: Signature,
}

/// How requests arrive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transport {
    /// Over TLS, as with function URLs: browsers send the cookie over TLS only.
    Tls,
    /// Over plain HTTP on the user's own network.
    #[default]
    Plain,
}

/// The origin of the page that initiated a request, by `Sec-Fetch-Site`
/// (<https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header>).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Initiator {
    /// A page of another origin, such as another port of this host, or an unknown value.
    OtherOrigin,
    /// A page of this origin, the user, or a program other than a browser.
    #[default]
    OwnPageOrProgram,
}

impl Initiator {
    /// Reads the header `Sec-Fetch-Site`, if present.
    pub(crate) fn of(sec_fetch_site: Option<&str>) -> Self {
        match sec_fetch_site {
            Some("same-origin" | "none") | None => Self::OwnPageOrProgram,
            Some(_) => Self::OtherOrigin,
        }
    }
}

/// Whether AWS has verified the signature of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Signature {
    /// AWS has verified the signature of an IAM principal.
    Verified,
    /// There is no verified signature.
    #[default]
    None,
}

impl std::fmt::Debug for Request {
    /// Omits credentials and the body.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Request {
    /// A request with the values of `headers`, and defaults for the rest.
    pub fn with_headers(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name)?.to_str().ok();
        let owned = |name: header::HeaderName| text(name.as_str()).map(str::to_owned);
        Self {
            host: owned(header::HOST),
            authorization: owned(header::AUTHORIZATION),
            accept: owned(header::ACCEPT),
            accept_encoding: owned(header::ACCEPT_ENCODING),
            if_none_match: owned(header::IF_NONE_MATCH),
            cookies: owned(header::COOKIE).unwrap_or_default(),
            initiator: Initiator::of(text("sec-fetch-site")),
            ..Self::default()
        }
    }

    /// The first value of the query parameter `name`, decoded.
    pub fn query_value(&self, name: &str) -> Option<Cow<'_, str>> {
        first(self.query.as_bytes(), name)
    }

    /// The first value of the form field `name`, decoded.
    pub(crate) fn form_value(&self, name: &str) -> Option<Cow<'_, str>> {
        let body = self.body.get(..MAX_BODY_BYTES).unwrap_or(&self.body);
        first(body, name)
    }

    /// The value of the cookie `name`.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let mut pairs = self
            .cookies
            .split(';')
            .filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

fn first<'a>(form: &'a [u8], name: &str) -> Option<Cow<'a, str>> {
    form_urlencoded::parse(form)
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_value_is_returned_decoded() {
        let request = Request {
            query: "q=a%20b+c&q=d&e".to_owned(),
            cookies: "x=1; y=2;z".to_owned(),
            ..Request::default()
        };
        assert_eq!(request.query_value("q").as_deref(), Some("a b c"));
        assert_eq!(request.query_value("e").as_deref(), Some(""));
        assert_eq!(request.query_value("z"), None);
        assert_eq!((request.cookie("y"), request.cookie("z")), (Some("2"), None));
    }

    #[test]
    fn headers_are_read_and_initiator_is_own_page_by_default() {
        let mut headers = HeaderMap::new();
        assert_eq!(
            Request::with_headers(&headers).initiator,
            Initiator::OwnPageOrProgram
        );
        for (name, value) in [
            ("host", "h"),
            ("authorization", "Bearer t"),
            ("cookie", "a=1; b=2"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        for (site, expected) in [
            ("same-origin", Initiator::OwnPageOrProgram),
            ("none", Initiator::OwnPageOrProgram),
            ("same-site", Initiator::OtherOrigin),
            ("cross-site", Initiator::OtherOrigin),
        ] {
            headers.insert("sec-fetch-site", site.parse().unwrap());
            let request = Request::with_headers(&headers);
            assert_eq!(request.initiator, expected, "{site}");
            assert_eq!(
                (request.host.as_deref(), request.cookie("b")),
                (Some("h"), Some("2"))
            );
            assert_eq!(request.authorization.as_deref(), Some("Bearer t"));
        }
    }

    #[test]
    fn debug_omits_credentials() {
        let request = Request {
            authorization: Some("Bearer hush".to_owned()),
            cookies: "a=hush".to_owned(),
            query: "q=hush".to_owned(),
            body: b"token=hush".to_vec(),
            ..Request::default()
        };
        assert!(!format!("{request:?}").contains("hush"));
    }
}
