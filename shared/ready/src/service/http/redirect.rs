//! Redirects, which are followed on the same host only.

use portpulse_core::readiness::{HttpCheck, Protocol, Readiness, Tls};
use portpulse_core::target::Host;

use crate::request::Request;

/// The maximum number of followed redirects.
pub(crate) const MAX_REDIRECTS: u8 = 5;

/// Creates the request for a `Location`.
///
/// The request goes to the host of the original request, on any port, so that a target cannot use the checker to reach
/// other hosts of a trusted network.
///
/// # Errors
/// Why the redirect is not followed.
pub(crate) fn follow(request: &Request, location: &str) -> Result<Request, &'static str> {
    let Protocol::Http(check) = request.readiness.protocol() else {
        return Err("the protocol is not HTTP");
    };
    let location = location.split('#').next().unwrap_or_default();
    let (tls, rest) = match location.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (Tls::Implicit, Some(rest)),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (Tls::Off, Some(rest)),
        // The query may contain a URL.
        Some((scheme, _)) if !scheme.contains(['/', '?']) => {
            return Err("unsupported scheme, neither http nor https");
        }
        _ => (request.readiness.tls(), location.strip_prefix("//")),
    };
    let (port, path) = match rest {
        None => (request.port, resolve_reference(check, location)),
        Some(rest) => {
            let end = rest.find(['/', '?']).unwrap_or(rest.len());
            let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
            let (host, port) = split_authority(authority).ok_or("invalid address")?;
            if host.parse::<Host>().ok().as_ref() != Some(&request.host) {
                return Err("redirects to another host are not followed");
            }
            let default_port = if tls == Tls::Off { 80 } else { 443 };
            (
                port.unwrap_or(default_port),
                if path.starts_with('/') {
                    path.to_owned()
                } else {
                    format!("/{path}")
                },
            )
        }
    };
    let check = check.at(&path).map_err(|_| "invalid path")?;
    let readiness = Readiness::new(Protocol::Http(check), tls, request.readiness.warn_days());
    let readiness = readiness.map_err(|_| "unsupported options")?;
    Ok(Request::new(
        readiness,
        request.host.clone(),
        port,
        &request.client,
    ))
}

/// Resolves a reference without a host (RFC 3986, section 5.2). Dot segments are left to the server.
fn resolve_reference(check: &HttpCheck, location: &str) -> String {
    let current = check.path().split('?').next().unwrap_or_default();
    match location.chars().next() {
        Some('/') => location.to_owned(),
        Some('?') => format!("{current}{location}"),
        _ => {
            let directory = current.rsplit_once('/').map_or("", |(directory, _)| directory);
            format!("{directory}/{location}")
        }
    }
}

/// Splits an authority into host and port; `None` if the port is invalid or there is user information.
fn split_authority(authority: &str) -> Option<(&str, Option<u16>)> {
    if authority.contains('@') {
        return None;
    }
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => {
            Some((host, Some(port.parse().ok().filter(|&port| port != 0)?)))
        }
        _ => Some((authority, None)),
    }
}

#[cfg(test)]
mod tests;
