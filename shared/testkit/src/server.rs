//! A loopback HTTP server that stops when dropped and answers only requests to its secret path.

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

/// DynamoDB's limit of a request, the largest of all served APIs.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// A server on a free port. Stops when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    secret: String,
    _stop: oneshot::Sender<()>,
}

impl Server {
    /// Serves `router` in a task of the current runtime, below a secret path, so that other users of this machine cannot
    /// reach it. Requests of browsers are refused even with the path.
    pub(crate) async fn start(router: Router) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let secret = secret()?;
        let router = Router::new()
            .nest(&format!("/{secret}/"), router)
            .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
            .layer(from_fn_with_state(address, refuse_browsers));
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            let server = axum::serve(listener, router).with_graceful_shutdown(stopped);
            // Only accepting connections can fail, and axum retries that.
            drop(server.await);
        });
        Ok(Self {
            address,
            secret,
            _stop: stop,
        })
    }

    /// The URL with the secret path.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/{}", self.address, self.secret)
    }
}

/// 128 random bits as hexadecimal text.
fn secret() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Refuses requests of browsers, which have an `Origin` header or another `Host`.
async fn refuse_browsers(State(address): State<SocketAddr>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let is_own_host = |host: &header::HeaderValue| host.as_bytes() == address.to_string().as_bytes();
    if headers.contains_key(header::ORIGIN) || !headers.get(header::HOST).is_some_and(is_own_host) {
        return StatusCode::FORBIDDEN.into_response();
    }
    next.run(request).await
}

/// An answer as an HTTP response.
pub(crate) fn response(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, answer.body).into_response()
}
