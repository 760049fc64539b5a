//! The HTTP request of a check, and the expected response.

mod json_condition;
mod json_path;
mod pattern;
mod request;

use std::fmt;
use std::ops::RangeInclusive;

pub use json_condition::{InvalidCondition, JsonCondition, Measure, Operator};
pub use json_path::{InvalidJsonPath, JsonPath};
pub use pattern::{InvalidPattern, Pattern};
pub use request::{Credentials, Header, InvalidHeader, RequestContent};

use crate::choice::choice;

/// An HTTP request with its expected response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpCheck {
    method: Method,
    path: String,
    expected: Vec<RangeInclusive<u16>>,
    text: Option<String>,
    follow: bool,
    // Boxed: most checks have neither.
    content: Box<RequestContent>,
    conditions: Box<BodyConditions>,
}

/// Conditions on the body besides the expected text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BodyConditions {
    /// Patterns that must match.
    pub matches: Vec<Pattern>,
    /// Patterns that must not match.
    pub not_matches: Vec<Pattern>,
    /// Conditions on values of a JSON body.
    pub json: Vec<JsonCondition>,
}

impl BodyConditions {
    /// The maximum number of conditions of each kind.
    pub const MAX: usize = 20;

    /// Whether there is no condition.
    pub fn is_empty(&self) -> bool {
        self.matches.is_empty() && self.not_matches.is_empty() && self.json.is_empty()
    }
}

choice! {
    /// The supported methods.
    Method {
        /// Requests only the header fields.
        Head = "HEAD",
        /// Requests the header fields and the body.
        Get = "GET",
        /// Requests the options of the server.
        Options = "OPTIONS",
        /// Sends a body.
        Post = "POST",
        /// Replaces a resource.
        Put = "PUT",
        /// Changes a resource.
        Patch = "PATCH",
        /// Removes a resource.
        Delete = "DELETE",
    }
}

impl Method {
    /// Whether the method does not change data on the server (RFC 9110, section 9.2.1).
    pub const fn is_safe(self) -> bool {
        match self {
            Self::Head | Self::Get | Self::Options => true,
            Self::Post | Self::Put | Self::Patch | Self::Delete => false,
        }
    }
}

/// Invalid options of an HTTP check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HttpCheckError {
    /// The path is invalid.
    #[error("the path must start with `/` and be printable ASCII without spaces, at most 1024 bytes")]
    Path,
    /// An expected status is invalid, or there are too many.
    #[error("at most 16 statuses can be expected, each between 100 and 999")]
    Status,
    /// The text is empty or too long.
    #[error("the text that must appear must have 1 to 1024 bytes")]
    Text,
    /// The method returns no body to search for the text.
    #[error("HEAD returns no body to search for the text: use GET")]
    NoBody,
    /// HEAD has no body.
    #[error("HEAD sends no body: use another method")]
    BodyOfHead,
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
            content: Box::default(),
            conditions: Box::default(),
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
            |range: &RangeInclusive<u16>| !range.is_empty() && *range.start() >= 100 && *range.end() <= 999;
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
                content: Box::default(),
                conditions: Box::default(),
            })
        } else {
            Err(errors)
        }
    }

    /// The same check with header fields, a body and credentials.
    ///
    /// # Errors
    /// If the method is HEAD and there is a body.
    pub fn with_content(self, content: RequestContent) -> Result<Self, HttpCheckError> {
        if content.body.is_some() && self.method == Method::Head {
            return Err(HttpCheckError::BodyOfHead);
        }
        Ok(Self {
            content: Box::new(content),
            ..self
        })
    }

    /// The same check with conditions on the body.
    ///
    /// # Errors
    /// If the method is HEAD and there are conditions.
    pub fn with_conditions(self, conditions: BodyConditions) -> Result<Self, HttpCheckError> {
        if !conditions.is_empty() && self.method == Method::Head {
            return Err(HttpCheckError::NoBody);
        }
        Ok(Self {
            conditions: Box::new(conditions),
            ..self
        })
    }

    /// The same check of another path.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn at(&self, path: &str) -> Result<Self, Vec<HttpCheckError>> {
        let checked = Self::new(self.method, path, Vec::new(), None, self.follow)?;
        Ok(Self {
            path: checked.path,
            ..self.clone()
        })
    }

    /// The same check for another origin: without secrets, and without a `Host` field of the first one.
    #[must_use]
    pub fn for_other_origin(&self) -> Self {
        let mut content = self.content.without_secrets();
        content
            .headers
            .retain(|header| !header.name.eq_ignore_ascii_case("host"));
        Self {
            content: Box::new(content),
            ..self.clone()
        }
    }

    /// The same check with GET and without a body.
    #[must_use]
    pub fn with_get_and_no_body(&self) -> Self {
        let mut check = self.with_get();
        check.content.body = None;
        check.content.headers.retain(|header| {
            let name = header.name.to_ascii_lowercase();
            !name.starts_with("content-")
        });
        check
    }

    /// The same check with GET.
    #[must_use]
    pub fn with_get(&self) -> Self {
        Self {
            method: Method::Get,
            ..self.clone()
        }
    }

    /// Whether a status is named among the expected ones.
    pub fn names(&self, code: u16) -> bool {
        self.expected.iter().any(|range| range.contains(&code))
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

    /// The header fields, the body and the credentials of the request.
    pub fn content(&self) -> &RequestContent {
        &self.content
    }

    /// The conditions on the body besides the text.
    pub fn conditions(&self) -> &BodyConditions {
        &self.conditions
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
            self.names(code)
        }
    }
}

impl fmt::Display for HttpCheck {
    /// The request and the conditions on the response, without the values of header fields and bodies.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        let content = &self.content;
        let names = content.headers.iter().map(|header| &header.name);
        let names = names.chain(content.secret_headers.iter().map(|header| &header.name));
        for name in names {
            write!(f, ", {name}")?;
        }
        match &content.credentials {
            Some(Credentials::Basic { .. }) => f.write_str(", basic authentication")?,
            Some(Credentials::Bearer(_)) => f.write_str(", bearer token")?,
            None => {}
        }
        if let Some(body) = &content.body {
            write!(f, ", body of {} bytes", body.len())?;
        }
        let BodyConditions {
            matches,
            not_matches,
            json,
        } = &*self.conditions;
        for pattern in matches {
            write!(f, ", body matches `{}`", pattern.as_str())?;
        }
        for pattern in not_matches {
            write!(f, ", body does not match `{}`", pattern.as_str())?;
        }
        json.iter().try_for_each(|condition| write!(f, ", {condition}"))
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
        let wrong = HttpCheck::new(Method::Get, "/", vec![200..=1000], None, false);
        assert_eq!(wrong, Err(vec![E::Status]));
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
