//! The address of the status page, for links in notifications.

use std::fmt;
use std::str::FromStr;

use crate::id::MonitorId;
use crate::text::{is_url_byte, quoted};

/// The address of a status page, such as `https://status.example.com`: `https` or `http`, at most
/// [`PageUrl::MAX_BYTES`] characters of a URL, without a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageUrl(String);

/// A text that is not the address of a page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not the address of a page, such as https://status.example.com")]
pub struct InvalidPageUrl {
    found: String,
}

impl PageUrl {
    /// The maximum length in bytes.
    pub const MAX_BYTES: usize = 200;

    /// The address of the page of a monitor.
    pub fn of_monitor(&self, id: &MonitorId) -> String {
        format!("{}/monitors/{id}", self.0)
    }
}

impl fmt::Display for PageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PageUrl {
    type Err = InvalidPageUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = text.trim().trim_end_matches('/');
        let host = ["https://", "http://"]
            .into_iter()
            .find_map(|scheme| url.strip_prefix(scheme));
        let is_named =
            host.is_some_and(|host| host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '['));
        // The path of a monitor follows, and links of chats end at `|` or `\`.
        let can_be_continued = |b: u8| is_url_byte(b) && !matches!(b, b'?' | b'#' | b'|' | b'\\');
        if is_named && url.len() <= Self::MAX_BYTES && url.bytes().all(can_be_continued) {
            Ok(Self(url.to_owned()))
        } else {
            Err(InvalidPageUrl { found: quoted(text) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_url_is_http_without_query() {
        for (text, page) in [
            (
                "https://abc.lambda-url.eu-west-1.on.aws/",
                "https://abc.lambda-url.eu-west-1.on.aws/monitors/db",
            ),
            ("http://[::1]:8080", "http://[::1]:8080/monitors/db"),
            (
                "https://example.com/status",
                "https://example.com/status/monitors/db",
            ),
        ] {
            let url: PageUrl = text.parse().unwrap();
            assert_eq!(url.of_monitor(&"db".parse().unwrap()), page);
        }
        let long = format!("https://h/{}", "x".repeat(200));
        for text in [
            "",
            "status.example.com",
            "https://",
            "https:///x",
            "javascript:alert(1)",
            "https://h/?a",
            "https://h/a b",
            &long,
        ] {
            assert!(text.parse::<PageUrl>().is_err(), "{text}");
        }
    }
}
