//! Redirects: the next request for a `Location`.

use portpulse_core::readiness::{HttpCheck, Method, Protocol, Readiness, Tls};
use portpulse_core::target::Host;
use url::{Position, Url};

use crate::request::Request;

/// The maximum number of followed redirects.
pub(crate) const MAX_REDIRECTS: u8 = 5;

/// Creates the request for the `Location` of a response with this status.
///
/// Secrets are only sent to the same scheme, host and port.
///
/// # Errors
/// Why the redirect is not followed.
pub(crate) fn follow(request: &Request, location: &str, code: u16) -> Result<Request, &'static str> {
    let Protocol::Http(check) = request.readiness.protocol() else {
        return Err("the protocol is not HTTP");
    };
    let scheme = if request.readiness.tls() == Tls::Off {
        "http"
    } else {
        "https"
    };
    let base = format!(
        "{scheme}://{}:{}{}",
        url_host(&request.host),
        request.port,
        check.path()
    );
    // As browsers do: relative to the path, without dot segments, other characters percent-encoded.
    let target = Url::parse(&base)
        .and_then(|base| base.join(location))
        .map_err(|_| "invalid address")?;
    let tls = match target.scheme() {
        "http" => Tls::Off,
        "https" => Tls::Implicit,
        _ => return Err("unsupported scheme, neither http nor https"),
    };
    if !target.username().is_empty() || target.password().is_some() {
        return Err("invalid address");
    }
    let host = target.host_str().and_then(|host| host.parse::<Host>().ok());
    let host = host.ok_or("invalid address")?;
    let port = target
        .port_or_known_default()
        .filter(|port| *port != 0)
        .ok_or("invalid address")?;
    let path = target[Position::BeforePath..Position::AfterQuery].to_owned();
    let check = after(check, code).at(&path).map_err(|_| "invalid path")?;
    let is_same_origin = host == request.host && port == request.port && target.scheme() == scheme;
    let check = if is_same_origin {
        check
    } else {
        check.for_other_origin()
    };
    // Another host has another name.
    let tls_name = (host == request.host)
        .then(|| request.readiness.tls_name().cloned())
        .flatten();
    let certificate = request
        .readiness
        .client_certificate()
        .filter(|_| is_same_origin)
        .cloned();
    let readiness = Readiness::new(Protocol::Http(check), tls, request.readiness.warn_days());
    let readiness = readiness
        .map_err(|_| "unsupported options")?
        .with_tls_name(tls_name)
        .with_client_certificate(certificate)
        .with_trust(request.readiness.trust());
    Ok(Request {
        readiness,
        host,
        port,
        ..request.clone()
    })
}

/// The check after a response with this status: 301 and 302 turn POST into GET, 303 turns every other method into GET, and
/// 307 and 308 keep the method (RFC 9110, section 15.4).
fn after(check: &HttpCheck, code: u16) -> HttpCheck {
    match (code, check.method()) {
        (303, method) if method != Method::Head => check.with_get_and_no_body(),
        (301 | 302, Method::Post) => check.with_get_and_no_body(),
        _ => check.clone(),
    }
}

/// Creates the same request with GET, for a server that does not answer HEAD.
pub(crate) fn with_get(request: &Request) -> Request {
    let mut repeated = request.clone();
    if let Protocol::Http(check) = request.readiness.protocol() {
        repeated.readiness = request.readiness.with_http(check.with_get());
    }
    repeated
}

/// The host as part of a URL.
pub(super) fn url_host(host: &Host) -> String {
    match host {
        Host::Address(std::net::IpAddr::V6(address)) => format!("[{address}]"),
        Host::Address(_) | Host::Name(_) => host.to_string(),
    }
}

#[cfg(test)]
mod tests;
