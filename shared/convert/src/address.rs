//! Where a check goes: URLs, and hosts with ports, as other monitors write them.

/// A URL in its parts, as far as a check needs them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// In lower case; empty where there is none.
    pub(crate) scheme: String,
    /// Whether there is a name, and perhaps a password, before the host.
    pub(crate) has_user: bool,
    /// IPv6 addresses in brackets.
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    /// With its query, without a fragment; `/` where there is none.
    pub(crate) path: String,
}

impl Address {
    /// Takes apart `scheme://user@host:port/path`, where all but the host may be missing.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let path = path.split('#').next().unwrap_or_default();
        let (user, place) = match authority.rsplit_once('@') {
            Some((_, place)) => (true, place),
            None => (false, authority),
        };
        let (host, port) = if place.starts_with('[') {
            let (host, port) = place.split_at_checked(place.find(']')? + 1)?;
            (host, port.strip_prefix(':'))
        } else if place.matches(':').count() > 1 {
            // An IPv6 address without brackets.
            (place, None)
        } else {
            match place.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (place, None),
            }
        };
        let port = match port {
            None | Some("") => None,
            Some(port) => Some(port.parse().ok()?),
        };
        (!host.is_empty()).then(|| Self {
            scheme: scheme.to_ascii_lowercase(),
            has_user: user,
            host: host.to_owned(),
            port,
            path: if path.starts_with('/') {
                path.to_owned()
            } else {
                format!("/{path}")
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_apart() {
        let check = |text: &str, expected: Option<(&str, bool, &str, Option<u16>, &str)>| {
            let expected = expected.map(|(scheme, has_user, host, port, path)| Address {
                scheme: scheme.to_owned(),
                has_user,
                host: host.to_owned(),
                port,
                path: path.to_owned(),
            });
            assert_eq!(Address::parse(text), expected, "{text}");
        };
        check(
            "https://a.example.com",
            Some(("https", false, "a.example.com", None, "/")),
        );
        check("HTTP://a:81?x=1#y", Some(("http", false, "a", Some(81), "/?x=1")));
        check(
            "postgres://u:p@ss@db:5432/x",
            Some(("postgres", true, "db", Some(5432), "/x")),
        );
        check(
            "tcp://[2001:db8::1]:22",
            Some(("tcp", false, "[2001:db8::1]", Some(22), "/")),
        );
        check("2001:db8::1", Some(("", false, "2001:db8::1", None, "/")));
        check("10.0.0.1:9", Some(("", false, "10.0.0.1", Some(9), "/")));
        check("a:b", None);
        check("a:70000", None);
        check("https://", None);
        check("[::1", None);
        check("", None);
    }
}
