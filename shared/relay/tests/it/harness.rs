//! A service on loopback, its secrets, and a relay.

use std::collections::{HashMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use portpulse_core::definition::NetworkAccess;
use portpulse_relay::{Client, Config, ReadSecret, Relay, RetryPolicy, Secret, SecretError, SecretName};
use portpulse_store::table::Table;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Barrier;

use crate::services::{self, Alerts, Received};

/// Longer than any test.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// A scripted reaction of a service to a request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Answers with this status, `Retry-After` and body.
    Status(u16, Option<&'static str>, &'static str),
    /// Never answers.
    Silence,
    /// Waits at the barrier, then handles the request.
    Together(Arc<Barrier>),
    /// Waits at the barrier twice, to announce the request and to be released, then handles the request.
    Held(Arc<Barrier>),
}

/// A service that accepts the requests that the real one documents.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<Log>>,
}

#[derive(Default)]
struct Log {
    kind: &'static str,
    script: VecDeque<Reply>,
    /// The bodies of all requests.
    received: Vec<Value>,
    /// The bodies of accepted requests.
    accepted: Vec<Value>,
    /// The open alerts of a pager, with their severity or priority.
    alerts: Alerts,
    refusals: Vec<String>,
}

impl Service {
    /// Starts a service of this kind that first follows the script.
    pub(crate) async fn start(kind: &'static str, script: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let log = Log {
            kind,
            script: script.into_iter().collect(),
            ..Log::default()
        };
        let service = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::new(Mutex::new(log)),
        };
        let router = Router::new().fallback(answer).with_state(service.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        service
    }

    fn kind(&self) -> &'static str {
        self.state.lock().unwrap().kind
    }

    /// Follows this script from now on.
    pub(crate) fn then(&self, script: impl IntoIterator<Item = Reply>) {
        self.state.lock().unwrap().script = script.into_iter().collect();
    }

    /// The number of requests, and the bodies of the accepted ones; all others must have been refused by the script.
    pub(crate) fn log(&self) -> (usize, Vec<Value>) {
        let log = self.state.lock().unwrap();
        assert_eq!(log.refusals, [""; 0], "{}", log.kind);
        (log.received.len(), log.accepted.clone())
    }

    /// The open alerts of a pager, with their severity or priority.
    pub(crate) fn alerts(&self) -> Alerts {
        self.state.lock().unwrap().alerts.clone()
    }
}

async fn answer(
    State(service): State<Service>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = String::from_utf8(body.to_vec()).unwrap();
    let (kind, reply) = {
        let mut log = service.state.lock().unwrap();
        log.received.push(serde_json::from_str(&body).unwrap());
        (log.kind, log.script.pop_front())
    };
    match reply {
        Some(Reply::Status(status, retry_after, text)) => {
            let mut response = (StatusCode::from_u16(status).unwrap(), text).into_response();
            if let Some(pause) = retry_after {
                response
                    .headers_mut()
                    .insert(RETRY_AFTER, HeaderValue::from_static(pause));
            }
            return response;
        }
        Some(Reply::Silence) => return std::future::pending().await,
        Some(Reply::Together(barrier)) => {
            barrier.wait().await;
        }
        Some(Reply::Held(barrier)) => {
            barrier.wait().await;
            barrier.wait().await;
        }
        None => {}
    }
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let received = Received {
        method: &method,
        path,
        headers: &headers,
        body: &body,
    };
    let mut log = service.state.lock().unwrap();
    match services::check(kind, &received) {
        Ok(status) => {
            services::update_alerts(kind, &received, &mut log.alerts);
            log.accepted.push(serde_json::from_str(&body).unwrap());
            StatusCode::from_u16(status).unwrap().into_response()
        }
        Err(refusal) => {
            log.refusals.push(refusal.clone());
            (StatusCode::BAD_REQUEST, refusal).into_response()
        }
    }
}

/// A store of test secrets.
#[derive(Clone, Default)]
pub(crate) struct Secrets {
    values: Arc<Mutex<HashMap<String, String>>>,
    reads: Arc<Mutex<Vec<String>>>,
}

impl Secrets {
    pub(crate) fn set(&self, name: &str, value: &str) {
        self.values
            .lock()
            .unwrap()
            .insert(name.to_owned(), value.to_owned());
    }

    /// The names that were read so far.
    pub(crate) fn reads(&self) -> Vec<String> {
        self.reads.lock().unwrap().clone()
    }
}

impl ReadSecret for Secrets {
    async fn read(&self, name: &SecretName) -> Result<Secret, SecretError> {
        self.reads.lock().unwrap().push(name.to_string());
        let value = self.values.lock().unwrap().get(&name.to_string()).cloned();
        let secret = value.as_deref().and_then(Secret::new);
        secret.ok_or_else(|| SecretError::Missing { name: name.clone() })
    }
}

/// The settings of a destination of this kind; [`secrets_of`] sets its secrets.
pub(crate) fn destination(kind: &str, address: Option<SocketAddr>) -> Value {
    let server = address.map_or_else(
        || "https://it.example.com".to_owned(),
        |address| format!("http://{address}"),
    );
    let mut fields = (services::stand_in(kind).settings)(&server);
    fields["kind"] = json!(kind);
    fields["severities"] = json!(["critical", "warning", "info"]);
    fields
}

/// The secrets of all kinds of destinations, for a service at this address.
pub(crate) fn secrets_of(address: SocketAddr) -> Secrets {
    let secrets = Secrets::default();
    let server = format!("http://{address}");
    for kind in services::kinds() {
        for (name, value) in (services::stand_in(kind).secrets)(&server) {
            secrets.set(name, &value);
        }
    }
    secrets
}

pub(crate) fn config(destinations: &Value) -> Config {
    Config::validate(
        &json!({ "destinations": destinations }),
        NetworkAccess::PlainLambda,
    )
    .unwrap()
}

/// A relay with short pauses and one destination: the service.
pub(crate) fn relay_to<T: Table + Clone>(service: &Service, table: &T) -> Relay<T, Secrets> {
    let fields = destination(service.kind(), Some(service.address));
    relay(&json!({ "it": fields }), table, &secrets_of(service.address))
}

/// A relay with short pauses.
pub(crate) fn relay<T: Table + Clone>(
    destinations: &Value,
    table: &T,
    secrets: &Secrets,
) -> Relay<T, Secrets> {
    let ms = Duration::from_millis;
    let retry_policy = RetryPolicy::new(3, ms(1), ms(4)).unwrap();
    let client = Client::new().unwrap();
    Relay::new(
        config(destinations),
        table.clone(),
        secrets.clone(),
        client,
        retry_policy,
    )
}
