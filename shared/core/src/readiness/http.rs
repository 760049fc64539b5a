//! The HTTP request of a check, and the expected response.

use std::ops::RangeInclusive;

use crate::choice::choice;

/// An HTTP request with its expected response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpCheck {
    method: Method,
    path: String,
    expected: Vec<RangeInclusive<u16>>,
    text: Option<String>,
    follow: bool,
}

choice! {
    /// The supported methods, which do not change state (RFC 9110, section 9.2.1).
    Method {
        /// Requests only the header fields.
        Head = "HEAD",
        /// Requests the header fields and the body.
        Get = "GET",
        /// Requests the options of the server.
        Options = "OPTIONS",
    }
}

/// Invalid options of an HTTP check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HttpCheckError {
    /// The path is invalid.
    #[error("the path must start with `/` and be printable ASCII without spaces, at most 1024 bytes")]
    Path,
    /// An expected status is invalid, or there are too many.
    #[error("at most 16 statuses can be expected, each between 100 and 599")]
    Status,
    /// The text is empty or too long.
    #[error("the text that must appear must have 1 to 1024 bytes")]
    Text,
    /// The method returns no body to search for the text.
    #[error("HEAD returns no body to search for the text: use GET")]
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
    /// The maximum length of the path and of the text, in bytes.
    pub const MAX_BYTES: usize = 1024;
    /// The maximum number of expected statuses or ranges.
    pub const MAX_STATUSES: usize = 16;

    /// Creates a request for `path`. Without expected statuses, any status below 500 is expected.
    ///
    /// # Errors
    /// All invalid options together.
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

    /// The method of the request.
    pub fn method(&self) -> Method {
        self.method
    }

    /// The path of the request, including the query.
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
    fn all_invalid_http_options_are_reported() {
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
        fn valid_path_has_no_space_or_line_break(path in "/[ -~]{0,20}|\\PC{0,20}|/\\PC{0,20}|.{0,20}") {
            if let Ok(check) = HttpCheck::new(Method::Get, &path, Vec::new(), None, false) {
                prop_assert!(check.path().starts_with('/'));
                prop_assert!(!check.path().contains([' ', '\r', '\n', '\0']));
            }
        }
    }
}
