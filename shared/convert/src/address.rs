//! Parses targets of checks: URLs, and hosts with ports.

use crate::secret::without_secret_parameters;

/// The parts of a URL that a check needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// In lower case; empty if absent.
    pub(crate) scheme: String,
    /// Whether there is a user name before the host.
    pub(crate) has_user: bool,
    /// The user name, if there is a password too.
    pub(crate) user: Option<String>,
    /// IPv6 addresses in brackets.
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    /// With the query, without the fragment; `/` if absent.
    pub(crate) path: String,
}

impl Address {
    /// Parses `scheme://user@host:port/path`; only the host is required.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let path = path.split('#').next().unwrap_or_default();
        let (credentials, authority) = match authority.rsplit_once('@') {
            Some((credentials, authority)) => (Some(credentials), authority),
            None => (None, authority),
        };
        let user = credentials.and_then(|credentials| credentials.split_once(':'));
        let (host, port) = if authority.starts_with('[') {
            let (host, port) = authority.split_at_checked(authority.find(']')? + 1)?;
            (host, port.strip_prefix(':'))
        } else if authority.matches(':').count() > 1 {
            // An IPv6 address without brackets.
            (authority, None)
        } else {
            match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            }
        };
        let port = match port {
            None | Some("") => None,
            Some(port) => Some(port.parse().ok()?),
        };
        (!host.is_empty()).then(|| Self {
            scheme: scheme.to_ascii_lowercase(),
            has_user: credentials.is_some(),
            user: user
                .map(|(user, _)| user.to_owned())
                .filter(|user| !user.is_empty()),
            host: host.to_owned(),
            port,
            path: if path.starts_with('/') {
                path.to_owned()
            } else {
                format!("/{path}")
            },
        })
    }

    /// The address as written, without credentials and secret parameters.
    pub(crate) fn shown(&self, written: &str) -> String {
        let written = written.trim();
        let (scheme, rest) = written.split_once("://").unwrap_or(("", written));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (path, _) = without_secret_parameters(path);
        if scheme.is_empty() {
            format!("{authority}{path}")
        } else {
            format!("{scheme}://{authority}{path}")
        }
    }
}

/// A name without the credentials and the secret parameters of a URL in it: people name monitors after URLs.
pub(crate) fn name_without_secrets(name: &str) -> String {
    if !name.contains("://") && !name.contains('?') {
        return name.to_owned();
    }
    match Address::parse(name) {
        Some(address) => address.shown(name),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_is_split_into_parts() {
        let check = |text: &str, expected: Option<(&str, bool, &str, Option<u16>, &str)>| {
            let expected = expected.map(|(scheme, has_user, host, port, path)| Address {
                scheme: scheme.to_owned(),
                has_user,
                user: has_user.then(|| "u".to_owned()),
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
