//! A stand-in of Lambda's Runtime API, from which a function fetches its invocations one after the other.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use tokio::sync::{Mutex, mpsc};

use crate::server::Server;

/// The Runtime API on 127.0.0.1; dropping it stops it.
#[derive(Debug)]
pub struct RuntimeApi {
    server: Server,
    invocations: mpsc::UnboundedSender<Invocation>,
    heard: mpsc::UnboundedReceiver<Heard>,
}

/// One invocation, as the function gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// Its request id: letters, digits and `-`.
    pub request_id: String,
    /// When it is ended, in milliseconds since the Unix epoch.
    pub deadline_ms: u64,
    /// Its event, as JSON.
    pub event: String,
}

/// What a function said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// It asks for work.
    Ready,
    /// An invocation ended well.
    Response {
        /// Which.
        request_id: String,
        /// What it returned.
        body: String,
    },
    /// An invocation failed.
    Error {
        /// Which.
        request_id: String,
        /// How, in Lambda's form.
        body: String,
    },
    /// It could not start.
    InitError {
        /// Why, in Lambda's form.
        body: String,
    },
}

#[derive(Clone)]
struct Shared {
    invocations: Arc<Mutex<mpsc::UnboundedReceiver<Invocation>>>,
    heard: mpsc::UnboundedSender<Heard>,
}

impl RuntimeApi {
    /// Starts one.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn start() -> io::Result<Self> {
        let (invocations, waiting) = mpsc::unbounded_channel();
        let (say, heard) = mpsc::unbounded_channel();
        let shared = Shared {
            invocations: Arc::new(Mutex::new(waiting)),
            heard: say,
        };
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .with_state(shared);
        let server = Server::start(router).await?;
        Ok(Self {
            server,
            invocations,
            heard,
        })
    }

    /// Where it listens: the function's `AWS_LAMBDA_RUNTIME_API`. Its path is the secret of this run.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Puts an invocation into the queue.
    pub fn invoke(&self, invocation: Invocation) {
        // The other end lives as long as the server does.
        drop(self.invocations.send(invocation));
    }

    /// What the function says next; waits for as long as it says nothing.
    pub async fn heard(&mut self) -> Option<Heard> {
        self.heard.recv().await
    }

    /// Invokes, and waits for the answer to that. `None` if the server has ended.
    pub async fn answer(&mut self, invocation: Invocation) -> Option<Heard> {
        let id = invocation.request_id.clone();
        self.invoke(invocation);
        loop {
            let heard = self.heard().await?;
            match &heard {
                Heard::Response { request_id, .. } | Heard::Error { request_id, .. } if *request_id == id => {
                    return Some(heard);
                }
                Heard::InitError { .. } => return Some(heard),
                Heard::Ready | Heard::Response { .. } | Heard::Error { .. } => {}
            }
        }
    }
}

async fn next(State(shared): State<Shared>) -> impl IntoResponse {
    drop(shared.heard.send(Heard::Ready));
    let Some(invocation) = shared.invocations.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let headers = [
        ("Lambda-Runtime-Aws-Request-Id", invocation.request_id),
        ("Lambda-Runtime-Deadline-Ms", invocation.deadline_ms.to_string()),
        (
            "Lambda-Runtime-Invoked-Function-Arn",
            "arn:aws:lambda:us-east-1:000000000000:function:portpulse".to_owned(),
        ),
        (
            "Lambda-Runtime-Trace-Id",
            "Root=1-00000000-000000000000000000000000".to_owned(),
        ),
        ("Content-Type", "application/json".to_owned()),
    ];
    (headers, invocation.event).into_response()
}

async fn response(State(shared): State<Shared>, Path(request_id): Path<String>, body: String) -> StatusCode {
    hear(&shared, Heard::Response { request_id, body })
}

async fn error(State(shared): State<Shared>, Path(request_id): Path<String>, body: String) -> StatusCode {
    hear(&shared, Heard::Error { request_id, body })
}

async fn init_error(State(shared): State<Shared>, body: String) -> StatusCode {
    hear(&shared, Heard::InitError { body })
}

fn hear(shared: &Shared, heard: Heard) -> StatusCode {
    // A test that no longer listens need not be told.
    drop(shared.heard.send(heard));
    StatusCode::ACCEPTED
}
