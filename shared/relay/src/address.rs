//! Addresses that messages may be posted to: https, or plain http within this machine.

use http::Uri;

/// The base address of a service, without a query or a final slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server(String);

impl Server {
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let uri = address(text)?;
        if uri.query().is_some() || text.contains('#') {
            return Err("write the address without `?` and `#`");
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }

    /// A server of a service that everybody uses.
    pub(crate) fn known(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Reads an address that may be posted to, or gives the mend.
pub(crate) fn address(text: &str) -> Result<Uri, &'static str> {
    let wanted = "write an address that begins with https:// (or http:// on this machine)";
    let uri = text.parse::<Uri>().map_err(|_| wanted)?;
    let authority = uri.authority().map_or("", http::uri::Authority::as_str);
    if authority.contains('@') {
        return Err("write the address without a user's name and password");
    }
    let host = uri.host().unwrap_or_default();
    match uri.scheme_str() {
        Some("https") if !host.is_empty() => Ok(uri),
        // Nobody listens between two processes of one machine.
        Some("http") if is_here(host) => Ok(uri),
        Some(_) | None => Err(wanted),
    }
}

fn is_here(host: &str) -> bool {
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
    fn nothing_secret_goes_out_in_the_clear() {
        for good in [
            "https://hooks.example.com/x?y=z",
            "http://127.0.0.1:8080/x",
            "http://[::1]:1",
            "http://localhost/",
        ] {
            assert!(address(good).is_ok(), "{good}");
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
            assert!(address(bad).is_err(), "{bad}");
        }
        assert_eq!(
            Server::parse("https://ntfy.example.com/base/").unwrap().as_str(),
            "https://ntfy.example.com/base"
        );
        assert!(Server::parse("https://ntfy.example.com/?a").is_err());
    }
}
