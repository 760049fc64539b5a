//! The request to make and what must come back.

use std::ops::RangeInclusive;

/// One HTTP request and its expectations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpCheck {
    pub(super) method: Method,
    pub(super) path: String,
    expected: Vec<RangeInclusive<u16>>,
    pub(super) text: Option<String>,
    pub(super) follow: bool,
}

/// The methods that change nothing (RFC 9110, section 9.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The header fields alone.
    Head,
    /// The body too.
    Get,
    /// What the server offers.
    Options,
}

impl Method {
    /// The method as it is sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Head => "HEAD",
            Self::Get => "GET",
            Self::Options => "OPTIONS",
        }
    }
}

/// Options that make no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpCheckError {
    /// The path is not one.
    #[error("the path must begin with `/` and be printable ASCII without spaces, at most 1024 bytes")]
    Path,
    /// No status is like that.
    #[error("an expected status must lie between 100 and 599")]
    Status,
    /// The text cannot be looked for.
    #[error("the text that must appear must have 1 to 1024 bytes")]
    Text,
    /// There is nowhere to look for the text.
    #[error("HEAD brings no body to look for a text in: use GET")]
    NoBody,
}

impl Default for HttpCheck {
    /// `HEAD /`, any status below 500, no redirects followed.
    fn default() -> Self {
        Self {
            method: Method::Head,
            path: "/".to_owned(),
            expected: Vec::new(),
            text: None,
            follow: false,
        }
    }
}

impl HttpCheck {
    /// The longest path, and the longest text to look for, in bytes.
    pub const MAX_BYTES: usize = 1024;

    /// A request for `path`; without an expected status, any below 500 will do.
    ///
    /// # Errors
    /// Each option that makes no request, all of them together.
    pub fn new(
        method: Method,
        path: &str,
        expected: Vec<RangeInclusive<u16>>,
        text: Option<String>,
        follow: bool,
    ) -> Result<Self, Vec<HttpCheckError>> {
        let mut errors = Vec::new();
        if !path.starts_with('/')
            || path.len() > Self::MAX_BYTES
            || !path.bytes().all(|b| b.is_ascii_graphic())
        {
            errors.push(HttpCheckError::Path);
        }
        if expected
            .iter()
            .any(|range| range.is_empty() || *range.start() < 100 || *range.end() > 599)
        {
            errors.push(HttpCheckError::Status);
        }
        if text
            .as_ref()
            .is_some_and(|text| !(1..=Self::MAX_BYTES).contains(&text.len()))
        {
            errors.push(HttpCheckError::Text);
        }
        if text.is_some() && method == Method::Head {
            errors.push(HttpCheckError::NoBody);
        }
        if errors.is_empty() {
            Ok(Self {
                method,
                path: path.to_owned(),
                expected,
                text,
                follow,
            })
        } else {
            Err(errors)
        }
    }

    /// The same check of another path.
    pub(super) fn at(&self, path: &str) -> Result<Self, Vec<HttpCheckError>> {
        Self::new(
            self.method,
            path,
            self.expected.clone(),
            self.text.clone(),
            self.follow,
        )
    }

    /// Whether a status is as expected.
    pub(super) fn expects(&self, code: u16) -> bool {
        if self.expected.is_empty() {
            code < 500
        } else {
            self.expected.iter().any(|range| range.contains(&code))
        }
    }
}
