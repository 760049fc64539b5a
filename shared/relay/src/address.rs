//! URLs that requests may be posted to: https, or plain http to loopback.

use http::Uri;

/// The base URL of a service, without a query or a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server(String);

impl Server {
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let uri = parse_address(text)?;
        if uri.query().is_some() || text.contains('#') {
            return Err("remove `?` and `#` from the URL");
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }

    /// The public server of a service.
    pub(crate) fn from_static(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Parses a URL that requests may be posted to.
///
/// # Errors
/// The help for the user.
pub(crate) fn parse_address(text: &str) -> Result<Uri, &'static str> {
    let help = "use a URL that starts with https:// (http:// only for this machine)";
    let uri = text.parse::<Uri>().map_err(|_| help)?;
    let authority = uri.authority().map_or("", http::uri::Authority::as_str);
    if authority.contains('@') {
        return Err("remove the user name and password from the URL");
    }
    let host = uri.host().unwrap_or_default();
    match uri.scheme_str() {
        Some("https") if !host.is_empty() => Ok(uri),
        // Traffic between two processes of one machine cannot be intercepted.
        Some("http") if is_loopback(host) => Ok(uri),
        Some(_) | None => Err(help),
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_allowed_only_to_loopback() {
        for good in [
            "https://hooks.example.com/x?y=z",
            "http://127.0.0.1:8080/x",
            "http://[::1]:1",
            "http://localhost/",
        ] {
            assert!(parse_address(good).is_ok(), "{good}");
        }
        for bad in [
            "http://hooks.example.com/x",
            "http://127.0.0.1.example.com/",
            "https://user:pass@example.com/",
            "ftp://example.com/",
            "example.com",
            "/path",
            "https://",
            "",
        ] {
            assert!(parse_address(bad).is_err(), "{bad}");
        }
        assert_eq!(
            Server::parse("https://ntfy.example.com/base/").unwrap().as_str(),
            "https://ntfy.example.com/base"
        );
        assert!(Server::parse("https://ntfy.example.com/?a").is_err());
    }
}
