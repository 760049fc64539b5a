//! The HTTP request to make and what must come back.

use std::ops::RangeInclusive;

use crate::choice::choice;

/// One HTTP request and its expectations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpCheck {
    method: Method,
    path: String,
    expected: Vec<RangeInclusive<u16>>,
    text: Option<String>,
    follow: bool,
}

choice! {
    /// The methods that change nothing (RFC 9110, section 9.2.1).
    Method {
        /// The header fields alone.
        Head = "HEAD",
        /// The body too.
        Get = "GET",
        /// What the server offers.
        Options = "OPTIONS",
    }
}

/// Options that make no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HttpCheckError {
    /// The path is not one.
    #[error("the path must begin with `/` and be printable ASCII without spaces, at most 1024 bytes")]
    Path,
    /// No status is like that.
    #[error("at most 16 statuses can be expected, each between 100 and 599")]
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
    /// The most expected statuses, or ranges of them.
    pub const MAX_STATUSES: usize = 16;

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
        let is_status =
            |range: &RangeInclusive<u16>| !range.is_empty() && *range.start() >= 100 && *range.end() <= 599;
        if expected.len() > Self::MAX_STATUSES || !expected.iter().all(is_status) {
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
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn at(&self, path: &str) -> Result<Self, Vec<HttpCheckError>> {
        Self::new(
            self.method,
            path,
            self.expected.clone(),
            self.text.clone(),
            self.follow,
        )
    }

    /// The method to ask with.
    pub fn method(&self) -> Method {
        self.method
    }

    /// What to ask for, query included.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The text that must appear in the body.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// Whether redirects are followed.
    pub fn follows(&self) -> bool {
        self.follow
    }

    /// Whether a status is as expected.
    pub fn expects(&self, code: u16) -> bool {
        if self.expected.is_empty() {
            code < 500
        } else {
            self.expected.iter().any(|range| range.contains(&code))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn options_that_make_no_request_are_all_named() {
        use HttpCheckError as E;
        let wrong = HttpCheck::new(Method::Head, "a b", vec![99..=200], Some(String::new()), false);
        assert_eq!(wrong, Err(vec![E::Path, E::Status, E::Text, E::NoBody]));
        let long = "x".repeat(1025);
        let wrong = HttpCheck::new(Method::Get, "/", vec![200..=200; 17], Some(long), false);
        assert_eq!(wrong, Err(vec![E::Status, E::Text]));
        assert_eq!(
            HttpCheck::new(
                Method::Get,
                &format!("/{}", "x".repeat(1024)),
                Vec::new(),
                None,
                false
            ),
            Err(vec![E::Path])
        );
    }

    proptest! {
        #[test]
        fn a_path_that_passes_stays_on_its_line(path in "/[ -~]{0,20}|\\PC{0,20}|/\\PC{0,20}|.{0,20}") {
            if let Ok(check) = HttpCheck::new(Method::Get, &path, Vec::new(), None, false) {
                prop_assert!(check.path().starts_with('/'));
                prop_assert!(!check.path().contains([' ', '\r', '\n', '\0']));
            }
        }
    }
}
