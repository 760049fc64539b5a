//! A webhook on loopback that verifies signatures.

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

/// The signing key.
pub(crate) const KEY: &str = "test signing key";

/// A webhook on a thread that ends with the tests.
#[derive(Clone)]
pub(crate) struct Webhook {
    pub(crate) address: SocketAddr,
    shared: Arc<Mutex<Log>>,
}

#[derive(Default)]
struct Log {
    /// The statuses of the first responses; later requests are accepted.
    script: VecDeque<u16>,
    accepted: Vec<(Instant, Value)>,
    refused: usize,
}

impl Webhook {
    pub(crate) fn start(script: &[u16]) -> Self {
        let log = Log {
            script: script.iter().copied().collect(),
            ..Log::default()
        };
        let shared = Arc::new(Mutex::new(log));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let (send_address, address_channel) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
                send_address.send(listener.local_addr().unwrap()).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        let address = address_channel.recv().unwrap();
        Self { address, shared }
    }

    /// The accepted notifications, with their arrival times.
    pub(crate) fn accepted(&self) -> Vec<(Instant, Value)> {
        self.shared.lock().unwrap().accepted.clone()
    }

    /// The number of requests that the script refused.
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
    log.accepted
        .push((Instant::now(), serde_json::from_str(&body).unwrap()));
    StatusCode::NO_CONTENT
}

/// The signature is `v1=` and the hexadecimal HMAC-SHA-256 of the timestamp, a full stop and the body.
fn is_signed(timestamp: &str, body: &str, signature: &str) -> bool {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    let bytes = mac.finalize().into_bytes();
    let hexadecimal: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    signature == format!("v1={hexadecimal}")
}
