//! The program as Lambda runs it: a process that fetches events over HTTP, with all it talks to on this machine.
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

/// Parameter Store, and the hooks that its secrets lead to, behind one address.
#[derive(Clone, Default)]
struct World {
    /// The paths that were posted to, of hooks and of parameters.
    posted: Arc<Mutex<Vec<String>>>,
    /// The path of the hook that is out of order.
    broken: Arc<Mutex<Option<&'static str>>>,
    address: Arc<Mutex<Option<SocketAddr>>>,
}

impl World {
    async fn start() -> (Self, String) {
        let world = Self::default();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        *world.address.lock().unwrap() = Some(address);
        let router = Router::new()
            .route("/", post(parameter))
            .route("/{hook}", post(hook))
            .with_state(world.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (world, format!("http://{address}"))
    }

    /// What was posted to since the last time.
    fn posted(&self) -> Vec<String> {
        let mut posted = std::mem::take(&mut *self.posted.lock().unwrap());
        posted.sort();
        posted
    }
}

/// `GetParameter`.
/// Source: <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html>
async fn parameter(State(world): State<World>, headers: HeaderMap, body: String) -> Response {
    let request: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(headers["x-amz-target"], "AmazonSSM.GetParameter");
    assert_eq!(request["WithDecryption"], true);
    let name = request["Name"].as_str().unwrap();
    world.posted.lock().unwrap().push(name.to_owned());
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
    let address = world.address.lock().unwrap().unwrap();
    let value = format!("http://{address}/{hook}");
    Json(json!({ "Parameter": { "Name": name, "Type": "SecureString", "Value": value } })).into_response()
}

async fn hook(State(world): State<World>, Path(hook): Path<String>) -> StatusCode {
    let is_broken = *world.broken.lock().unwrap() == Some(hook.as_str());
    world.posted.lock().unwrap().push(hook);
    if is_broken {
        StatusCode::NOT_FOUND
    } else {
        StatusCode::OK
    }
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_portpulse-relay");

/// The program at work.
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
async fn an_event_reaches_every_destination_once_however_often_it_comes() {
    let dynamo = EmbeddedDynamo::start().await.unwrap();
    let (world, url) = World::start().await;
    let relay = json!({ "destinations": {
        "one": { "kind": "slack", "url": "ssm:/portpulse/one" },
        "two": { "kind": "discord", "url": "secretsmanager:portpulse/two" },
    } });
    let mut function = start(&dynamo.endpoint_url(), &url, &relay).await;

    *world.broken.lock().unwrap() = Some("two");
    let error = function.invoke(&sample("relay-down.json")).await.unwrap_err();
    let expected = "Undelivered: `two` refused orders-db@2026-11-22T05:40:00Z.7/down with 404 Not Found: ";
    assert_eq!(error, expected);
    let secrets = ["/aws/reference/secretsmanager/portpulse/two", "/portpulse/one"];
    assert_eq!(world.posted(), [secrets[0], secrets[1], "one", "two"]);

    // Lambda tries again: who knows it hears nothing, and the refused secret is read anew.
    *world.broken.lock().unwrap() = None;
    let answer = function.invoke(&sample("relay-down.json")).await;
    assert_eq!(answer, Ok(json!({ "delivered": 1, "repeated": 1 })));
    assert_eq!(world.posted(), [secrets[0], "two"]);

    // Four at once are one page for each chat. What is no notification is named, and the rest is told.
    let mut event = sample("relay-together.json");
    event["Records"]
        .as_array_mut()
        .unwrap()
        .insert(0, json!({ "Sns": { "Message": "Hello" } }));
    let error = function.invoke(&event).await.unwrap_err();
    assert!(
        error.starts_with("BadRecord: the message without an id holds what is no notification"),
        "{error}"
    );
    assert_eq!(world.posted(), ["one", "two"]);
    let answer = function.invoke(&sample("relay-together.json")).await;
    assert_eq!(answer, Ok(json!({ "delivered": 0, "repeated": 8 })));
    assert_eq!(world.posted(), [""; 0]);
}

#[tokio::test]
async fn a_table_that_accepts_and_never_answers_keeps_nothing_from_being_told() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let table = format!("http://{}", silent.local_addr().unwrap());
    let (world, url) = World::start().await;
    let relay = json!({ "destinations": { "one": { "kind": "slack", "url": "ssm:/portpulse/one" } } });
    let mut function = start(&table, &url, &relay).await;
    let answer = function.invoke(&sample("relay-down.json")).await;
    assert_eq!(answer, Ok(json!({ "delivered": 1, "repeated": 0 })));
    assert_eq!(world.posted(), ["/portpulse/one", "one"]);
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_named() {
    let dynamo = EmbeddedDynamo::start().await.unwrap();
    let (_world, url) = World::start().await;
    let relay = json!({ "destinations": { "it": { "kind": "slack", "url": "ssm:/portpulse/nowhere" } } });
    let mut function = start(&dynamo.endpoint_url(), &url, &relay).await;
    let error = function.invoke(&sample("relay-down.json")).await.unwrap_err();
    assert_eq!(
        error,
        "Undelivered: cannot address `it`: there is no secret `ssm:/portpulse/nowhere`, or it is empty: put it there"
    );
}

#[tokio::test]
async fn bad_settings_end_it_with_all_that_is_wrong() {
    let settings = [("PORTPULSE_RELAY", r#"{"destinations":{"it":{"kind":"pigeon"}}}"#)];
    let run = program(PROGRAM, &settings).output().unwrap();
    assert!(!run.status.success());
    let banner = String::from_utf8(run.stdout).unwrap();
    for diagnostic in [
        "PORTPULSE_TABLE is not set",
        "PORTPULSE_HOME_REGION is not set",
        "`pigeon` is not known here",
    ] {
        assert!(banner.contains(diagnostic), "{banner}");
    }
}
