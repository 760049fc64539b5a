//! URLs that requests may be posted to: https, or plain http to loopback.

use http::Uri;

/// The base URL of a service: a URL without a query; the result has no trailing slash.
///
/// # Errors
/// The help for the user.
pub(crate) fn parse_server(text: &str) -> Result<String, &'static str> {
    let uri = parse_url(text)?;
    if uri.query().is_some() || text.contains('#') {
        return Err("remove `?` and `#` from the URL");
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// Parses a URL that requests may be posted to.
///
/// # Errors
/// The help for the user.
pub(crate) fn parse_url(text: &str) -> Result<Uri, &'static str> {
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
            assert!(parse_url(good).is_ok(), "{good}");
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
            assert!(parse_url(bad).is_err(), "{bad}");
        }
        assert_eq!(
            parse_server("https://ntfy.example.com/base/").as_deref(),
            Ok("https://ntfy.example.com/base")
        );
        assert!(parse_server("https://ntfy.example.com/?a").is_err());
    }
}
