//! A request, as far as the pages look at it.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::access::Transport;

/// The most bytes of a body that are looked at: a token in a form.
pub const MAX_BODY_BYTES: usize = 4_096;

/// A request. What it holds came from outside.
#[derive(Clone, Default)]
pub struct Request {
    /// What is asked for.
    pub method: Method,
    /// The path, still percent-encoded.
    pub path: String,
    /// What stands behind the `?`, still percent-encoded.
    pub query: String,
    /// How it came.
    pub transport: Transport,
    /// Where it came from, if that is known: wrong tokens are counted by it.
    pub sender: Option<IpAddr>,
    /// The header `Host`.
    pub host: Option<String>,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The cookies, as pairs separated by `;`.
    pub cookies: String,
    /// The body, at most [`MAX_BODY_BYTES`] of it.
    pub body: Vec<u8>,
    /// Which site's page made a browser send it.
    pub initiator: Initiator,
    /// Whether AWS has verified who asks.
    pub signature: Signature,
}

/// Which site's page made a browser send a request, as `Sec-Fetch-Site` tells
/// (<https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header>).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Initiator {
    /// A page of another site.
    OtherSite,
    /// This site, the user, or a program that is no browser.
    #[default]
    NotOtherSite,
}

impl Initiator {
    /// What the header says, if it is there.
    pub fn of(sec_fetch_site: Option<&str>) -> Self {
        match sec_fetch_site {
            Some("cross-site") => Self::OtherSite,
            Some(_) | None => Self::NotOtherSite,
        }
    }
}

/// What a request asks to be done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Method {
    /// To be shown something.
    #[default]
    Get,
    /// To be told the headers of what would be shown.
    Head,
    /// To sign in or out.
    Post,
    /// What these pages do not do.
    Other,
}

impl Method {
    /// The method of this name.
    pub fn named(name: &str) -> Self {
        match name {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            _ => Self::Other,
        }
    }
}

/// Whether AWS has verified the signature of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Signature {
    /// It has: the caller is one of IAM's.
    Verified,
    /// There was none.
    #[default]
    None,
}

impl std::fmt::Debug for Request {
    /// Neither credentials nor the body are shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Request {
    /// What the query says of `name`, decoded; the first, where it is said more than once.
    pub fn query_value(&self, name: &str) -> Option<Cow<'_, str>> {
        first(self.query.as_bytes(), name)
    }

    /// What the form in the body says of `name`.
    pub(crate) fn form_value(&self, name: &str) -> Option<Cow<'_, str>> {
        let body = self.body.get(..MAX_BODY_BYTES).unwrap_or(&self.body);
        first(body, name)
    }

    /// The cookie of this name.
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
    fn values_are_decoded_and_the_first_counts() {
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
    fn credentials_are_not_shown() {
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
