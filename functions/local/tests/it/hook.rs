//! A webhook on loopback, which checks signatures as its documentation says.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpListener;

/// What signs; in a file whose name the configuration has.
pub(crate) const KEY: &str = "a key of the test's own";

/// The webhook, served by a thread of its own until the test ends.
#[derive(Clone)]
pub(crate) struct Hook {
    pub(crate) address: SocketAddr,
    shared: Arc<Mutex<Log>>,
}

#[derive(Default)]
struct Log {
    /// The statuses of the first answers; then all is taken.
    script: VecDeque<u16>,
    taken: Vec<(Instant, Value)>,
    refused: usize,
}

impl Hook {
    pub(crate) fn start(script: &[u16]) -> Self {
        let log = Log {
            script: script.iter().copied().collect(),
            ..Log::default()
        };
        let shared = Arc::new(Mutex::new(log));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let (notify, notified) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
                notify.send(listener.local_addr().unwrap()).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        let address = notified.recv().unwrap();
        Self { address, shared }
    }

    /// The notifications that it took, each with its arrival.
    pub(crate) fn taken(&self) -> Vec<(Instant, Value)> {
        self.shared.lock().unwrap().taken.clone()
    }

    /// How many requests it turned away by its script.
    pub(crate) fn refused(&self) -> usize {
        self.shared.lock().unwrap().refused
    }
}

async fn answer(State(log): State<Arc<Mutex<Log>>>, headers: HeaderMap, body: String) -> StatusCode {
    let mut log = log.lock().unwrap();
    if let Some(status) = log.script.pop_front() {
        log.refused += 1;
        return StatusCode::from_u16(status).unwrap();
    }
    let timestamp = headers["portpulse-timestamp"].to_str().unwrap();
    let signature = headers["portpulse-signature"].to_str().unwrap();
    if !is_signed(timestamp, &body, signature) {
        return StatusCode::UNAUTHORIZED;
    }
    log.taken
        .push((Instant::now(), serde_json::from_str(&body).unwrap()));
    StatusCode::NO_CONTENT
}

/// `v1=` and HMAC-SHA-256 of the timestamp, a full stop and the body, in hexadecimal.
fn is_signed(timestamp: &str, body: &str, signature: &str) -> bool {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    let bytes = mac.finalize().into_bytes();
    let hexadecimal: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    signature == format!("v1={hexadecimal}")
}
