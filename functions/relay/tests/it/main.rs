//! The program as Lambda runs it: a process that fetches events over HTTP, with local stand-ins for AWS and webhooks.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use portpulse_testkit::embedded::{EmbeddedDynamo, TABLE};
use portpulse_testkit::event::sample;
use portpulse_testkit::function::{Function, program};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A stand-in for Parameter Store and for the webhooks whose URLs it stores, on one address.
#[derive(Clone, Default)]
struct StandIns {
    /// The requested parameters and webhooks.
    requests: Arc<Mutex<Vec<String>>>,
    /// The webhook that fails.
    broken: Arc<Mutex<Option<&'static str>>>,
    address: Arc<Mutex<Option<SocketAddr>>>,
}

impl StandIns {
    async fn start() -> (Self, String) {
        let stand_ins = Self::default();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        *stand_ins.address.lock().unwrap() = Some(address);
        let router = Router::new()
            .route("/", post(parameter))
            .route("/{hook}", post(hook))
            .with_state(stand_ins.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (stand_ins, format!("http://{address}"))
    }

    /// Takes the requests since the last call, sorted.
    fn requests(&self) -> Vec<String> {
        let mut requests = std::mem::take(&mut *self.requests.lock().unwrap());
        requests.sort();
        requests
    }
}

/// `GetParameter`.
/// Source: <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html>
async fn parameter(State(stand_ins): State<StandIns>, headers: HeaderMap, body: String) -> Response {
    let request: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(headers["x-amz-target"], "AmazonSSM.GetParameter");
    assert_eq!(request["WithDecryption"], true);
    let name = request["Name"].as_str().unwrap();
    stand_ins.requests.lock().unwrap().push(name.to_owned());
    let hook = match name {
        "/portpulse/one" => "one",
        "/aws/reference/secretsmanager/portpulse/two" => "two",
        _ => {
            return (
                StatusCode::BAD_REQUEST,
                Json(json!({ "__type": "ParameterNotFound" })),
            )
                .into_response();
        }
    };
    let address = stand_ins.address.lock().unwrap().unwrap();
    let value = format!("http://{address}/{hook}");
    Json(json!({ "Parameter": { "Name": name, "Type": "SecureString", "Value": value } })).into_response()
}

async fn hook(State(stand_ins): State<StandIns>, Path(hook): Path<String>) -> StatusCode {
    let is_broken = *stand_ins.broken.lock().unwrap() == Some(hook.as_str());
    stand_ins.requests.lock().unwrap().push(hook);
    if is_broken {
        StatusCode::NOT_FOUND
    } else {
        StatusCode::OK
    }
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_portpulse-relay");

/// Starts the program.
async fn start(dynamo_url: &str, ssm_url: &str, relay: &Value) -> Function {
    let environment = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ENDPOINT_URL_DYNAMODB", dynamo_url),
        ("AWS_ENDPOINT_URL_SSM", ssm_url),
        ("PORTPULSE_TABLE", TABLE),
        ("PORTPULSE_HOME_REGION", "eu-west-1"),
        ("PORTPULSE_RELAY", &relay.to_string()),
    ];
    Function::start(PROGRAM, &environment).await.unwrap()
}

#[tokio::test]
async fn repeated_event_reaches_each_destination_once() {
    let dynamo = EmbeddedDynamo::start().await.unwrap();
    let (stand_ins, url) = StandIns::start().await;
    let relay = json!({ "destinations": {
        "one": { "kind": "slack", "url": "ssm:/portpulse/one" },
        "two": { "kind": "discord", "url": "secretsmanager:portpulse/two" },
    } });
    let mut function = start(&dynamo.endpoint_url(), &url, &relay).await;

    *stand_ins.broken.lock().unwrap() = Some("two");
    let error = function.invoke(&sample("relay-down.json")).await.unwrap_err();
    let expected = "Undelivered: `two` refused orders-db@2026-11-22T05:40:00Z.7/down with 404 Not Found: ";
    assert_eq!(error, expected);
    let secrets = ["/aws/reference/secretsmanager/portpulse/two", "/portpulse/one"];
    assert_eq!(stand_ins.requests(), [secrets[0], secrets[1], "one", "two"]);

    // On a retry, `one` receives nothing, and the refused secret of `two` is read again.
    *stand_ins.broken.lock().unwrap() = None;
    let answer = function.invoke(&sample("relay-down.json")).await;
    assert_eq!(answer, Ok(json!({ "delivered": 1, "duplicates": 1 })));
    assert_eq!(stand_ins.requests(), [secrets[0], "two"]);

    // Four notifications share one message for each chat. The invalid record is reported, the others are sent.
    let mut event = sample("relay-together.json");
    event["Records"]
        .as_array_mut()
        .unwrap()
        .insert(0, json!({ "Sns": { "Message": "Hello" } }));
    let error = function.invoke(&event).await.unwrap_err();
    assert!(
        error.starts_with("InvalidRecord: the message (no id) contains an invalid notification"),
        "{error}"
    );
    assert_eq!(stand_ins.requests(), ["one", "two"]);
    let answer = function.invoke(&sample("relay-together.json")).await;
    assert_eq!(answer, Ok(json!({ "delivered": 0, "duplicates": 8 })));
    assert_eq!(stand_ins.requests(), [""; 0]);
}

#[tokio::test]
async fn notification_is_sent_when_table_does_not_answer() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let table = format!("http://{}", silent.local_addr().unwrap());
    let (stand_ins, url) = StandIns::start().await;
    let relay = json!({ "destinations": { "one": { "kind": "slack", "url": "ssm:/portpulse/one" } } });
    let mut function = start(&table, &url, &relay).await;
    let answer = function.invoke(&sample("relay-down.json")).await;
    assert_eq!(answer, Ok(json!({ "delivered": 1, "duplicates": 0 })));
    assert_eq!(stand_ins.requests(), ["/portpulse/one", "one"]);
}

#[tokio::test]
async fn missing_secret_is_reported_by_name() {
    let dynamo = EmbeddedDynamo::start().await.unwrap();
    let (_stand_ins, url) = StandIns::start().await;
    let relay = json!({ "destinations": { "it": { "kind": "slack", "url": "ssm:/portpulse/nowhere" } } });
    let mut function = start(&dynamo.endpoint_url(), &url, &relay).await;
    let error = function.invoke(&sample("relay-down.json")).await.unwrap_err();
    assert_eq!(
        error,
        "Undelivered: failed to build a request for `it`: the secret `ssm:/portpulse/nowhere` is missing or empty: create it"
    );
}

#[tokio::test]
async fn invalid_settings_stop_start_with_all_diagnostics() {
    let settings = [("PORTPULSE_RELAY", r#"{"destinations":{"it":{"kind":"pigeon"}}}"#)];
    let run = program(PROGRAM, &settings).output().unwrap();
    assert!(!run.status.success());
    let output = String::from_utf8(run.stdout).unwrap();
    for diagnostic in [
        "PORTPULSE_TABLE is not set",
        "PORTPULSE_HOME_REGION is not set",
        "unknown kind `pigeon`",
    ] {
        assert!(output.contains(diagnostic), "{output}");
    }
}
