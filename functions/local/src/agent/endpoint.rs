//! The loopback endpoint of an agent: `/healthz`, `/metrics` and the state as JSON.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use portpulse_checker::Clock as _;
use tokio::task::JoinSet;

use super::clock::AwsClock;
use super::metrics;
use super::progress::Progress;
use crate::local::http_server::{self, Limits};
use crate::output::CommandError;

/// The default address.
const DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9480);

/// The option for the address.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct ListenArgs {
    /// The loopback address of `/healthz` and `/metrics`, or `off` [default: 127.0.0.1:9480] [env: PORTPULSE_LISTEN]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<Listen>,
}

/// A loopback address, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listen {
    Off,
    At(SocketAddr),
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let address = text
            .parse()
            .map_err(|_| "expected an address and a port such as 127.0.0.1:9480 or [::1]:9480, or `off`")?;
        match SocketAddr::ip(&address).is_loopback() {
            true => Ok(Self::At(address)),
            false => Err(format!(
                "{address} is not a loopback address: other machines could read the state of the agent"
            )),
        }
    }
}

/// The bound endpoint.
pub(super) struct Endpoint {
    listener: TcpListener,
    address: SocketAddr,
}

impl ListenArgs {
    /// Binds the endpoint at the address of the option, of the other settings, or at the default; `None` if it is off.
    pub(super) fn bind(&self, configured: Option<Listen>) -> Result<Option<Endpoint>, CommandError> {
        let address = match self.listen.or(configured).unwrap_or(Listen::At(DEFAULT)) {
            Listen::Off => return Ok(None),
            Listen::At(address) => address,
        };
        let bound = TcpListener::bind(address).and_then(|listener| {
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok(Endpoint { listener, address })
        });
        let failed = |error| {
            let what = format!("listen on {address} (use another address with --listen, or `off`)");
            CommandError::failed(what, error)
        };
        bound.map(Some).map_err(failed)
    }
}

impl Endpoint {
    /// The URL, such as `http://127.0.0.1:9480/`.
    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The maximum number of file descriptors.
    pub(super) fn descriptors(&self) -> usize {
        Limits::default().descriptors()
    }

    /// Serves the state until the returned set is dropped.
    pub(super) fn serve(
        self,
        progress: Arc<Mutex<Progress>>,
        clock: AwsClock,
    ) -> Result<JoinSet<()>, CommandError> {
        let listener = tokio::net::TcpListener::from_std(self.listener);
        let listener =
            listener.map_err(|error| CommandError::failed(format!("listen on {}", self.address), error))?;
        let mut tasks = JoinSet::new();
        tasks.spawn_local(async move {
            let answer = move |_, request: Request<Incoming>| {
                let response = answer(&request, &progress, &clock);
                async move { response }
            };
            match http_server::serve(listener, Limits::default(), answer).await {}
        });
        Ok(tasks)
    }
}

fn answer(
    request: &Request<Incoming>,
    progress: &Mutex<Progress>,
    clock: &AwsClock,
) -> Response<Full<Bytes>> {
    let progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
    let (now, skew) = (clock.now(), clock.skew());
    let is_read = [Method::GET, Method::HEAD].contains(request.method());
    let (status, kind, body) = match (is_read, request.uri().path()) {
        (false, _) => (StatusCode::METHOD_NOT_ALLOWED, "text/plain", String::new()),
        (true, "/healthz") => {
            let problems = progress.problems(now);
            match problems.is_empty() {
                true => (StatusCode::OK, "text/plain; charset=utf-8", "ok\n".to_owned()),
                false => (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "text/plain; charset=utf-8",
                    problems.join("\n") + "\n",
                ),
            }
        }
        (true, "/metrics") => (
            StatusCode::OK,
            "text/plain; version=0.0.4; charset=utf-8",
            metrics::text(&progress, now, skew),
        ),
        (true, "/") => (
            StatusCode::OK,
            "application/json",
            progress.json(now, skew).to_string() + "\n",
        ),
        (true, _) => (StatusCode::NOT_FOUND, "text/plain", String::new()),
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
    headers.insert(
        http::header::CACHE_CONTROL,
        http::HeaderValue::from_static("no-store"),
    );
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_are_accepted() {
        for (text, expected) in [
            ("off", Ok(Listen::Off)),
            ("127.0.0.1:80", Ok(Listen::At(([127, 0, 0, 1], 80).into()))),
            ("0.0.0.0:80", Err("is not a loopback address")),
            ("80", Err("expected an address")),
        ] {
            match (text.parse::<Listen>(), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(found), Err(part)) => assert!(found.contains(part), "{found}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }
}
