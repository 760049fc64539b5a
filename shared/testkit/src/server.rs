//! A loopback HTTP server that lives as long as its handle, and answers only those who know its address in full.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use portpulse_local_aws::Answer;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// DynamoDB's own limit, the largest of those that are served.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// A server on a port of its own; dropping it stops it.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    secret: String,
    _stop: oneshot::Sender<()>,
}

impl Server {
    /// Serves `router` in a task of the current runtime, below a path that is the secret of this run. Nobody else on this
    /// machine can guess it; a page in a browser is refused even if it could.
    pub(crate) async fn start(router: Router) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let secret = secret()?;
        let router = Router::new()
            .nest(&format!("/{secret}/"), router)
            .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
            .layer(from_fn_with_state(address, refuse_pages));
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            let server = axum::serve(listener, router).with_graceful_shutdown(stopped);
            // Only accepting could fail, and axum tries that again.
            drop(server.await);
        });
        Ok(Self {
            address,
            secret,
            _stop: stop,
        })
    }

    /// Where it listens, with its secret.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/{}", self.address, self.secret)
    }
}

/// 128 random bits, as text.
fn secret() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Refuses what a page in a browser sends: its requests name its origin, or a host of its own.
async fn refuse_pages(State(address): State<SocketAddr>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let names_us = |host: &header::HeaderValue| host.as_bytes() == address.to_string().as_bytes();
    if headers.contains_key(header::ORIGIN) || !headers.get(header::HOST).is_some_and(names_us) {
        return StatusCode::FORBIDDEN.into_response();
    }
    next.run(request).await
}

/// An answer as it goes over HTTP.
pub(crate) fn response(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, answer.body).into_response()
}
