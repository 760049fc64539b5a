//! A stand-in for Lambda's Runtime API, from which a function fetches invocations.
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

/// The Runtime API on 127.0.0.1. Stops when dropped.
#[derive(Debug)]
pub struct RuntimeApi {
    server: Server,
    invocations: mpsc::UnboundedSender<Invocation>,
    messages: mpsc::UnboundedReceiver<FunctionMessage>,
}

/// An invocation, as the function receives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The request id: letters, digits and `-`.
    pub request_id: String,
    /// The deadline in milliseconds since the Unix epoch.
    pub deadline_ms: u64,
    /// The event as JSON.
    pub event: String,
}

/// A request of a function to the Runtime API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FunctionMessage {
    /// The function requests the next invocation.
    Ready,
    /// An invocation succeeded.
    Response {
        /// The request id.
        request_id: String,
        /// The response.
        body: String,
    },
    /// An invocation failed.
    Error {
        /// The request id.
        request_id: String,
        /// The error in Lambda's format.
        body: String,
    },
    /// The function failed to start.
    InitError {
        /// The error in Lambda's format.
        body: String,
    },
}

#[derive(Clone)]
struct Shared {
    invocations: Arc<Mutex<mpsc::UnboundedReceiver<Invocation>>>,
    messages: mpsc::UnboundedSender<FunctionMessage>,
}

impl RuntimeApi {
    /// Starts the server.
    ///
    /// # Errors
    /// If the server cannot listen.
    pub async fn start() -> io::Result<Self> {
        let (invocations, waiting) = mpsc::unbounded_channel();
        let (sender, messages) = mpsc::unbounded_channel();
        let shared = Shared {
            invocations: Arc::new(Mutex::new(waiting)),
            messages: sender,
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
            messages,
        })
    }

    /// The URL for the function's `AWS_LAMBDA_RUNTIME_API`. The path is the secret of this run.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Queues an invocation.
    pub fn invoke(&self, invocation: Invocation) {
        // The receiver lives as long as the server.
        drop(self.invocations.send(invocation));
    }

    /// The next message of the function; waits for one. `None` if the server has ended.
    pub async fn next_message(&mut self) -> Option<FunctionMessage> {
        self.messages.recv().await
    }

    /// Queues an invocation and waits for its response. `None` if the server has ended.
    pub async fn answer(&mut self, invocation: Invocation) -> Option<FunctionMessage> {
        let id = invocation.request_id.clone();
        self.invoke(invocation);
        loop {
            let message = self.next_message().await?;
            match &message {
                FunctionMessage::Response { request_id, .. } | FunctionMessage::Error { request_id, .. }
                    if *request_id == id =>
                {
                    return Some(message);
                }
                FunctionMessage::InitError { .. } => return Some(message),
                FunctionMessage::Ready | FunctionMessage::Response { .. } | FunctionMessage::Error { .. } => {
                }
            }
        }
    }
}

async fn next(State(shared): State<Shared>) -> impl IntoResponse {
    drop(shared.messages.send(FunctionMessage::Ready));
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
    forward(&shared, FunctionMessage::Response { request_id, body })
}

async fn error(State(shared): State<Shared>, Path(request_id): Path<String>, body: String) -> StatusCode {
    forward(&shared, FunctionMessage::Error { request_id, body })
}

async fn init_error(State(shared): State<Shared>, body: String) -> StatusCode {
    forward(&shared, FunctionMessage::InitError { body })
}

fn forward(shared: &Shared, message: FunctionMessage) -> StatusCode {
    // The test may no longer receive messages.
    drop(shared.messages.send(message));
    StatusCode::ACCEPTED
}
