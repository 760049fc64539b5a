//! Tests of the program as Lambda runs it: a process that fetches events over HTTP, with a local table and token.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod memory;

use std::net::Ipv4Addr;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use portpulse_core::group::GroupId;
use portpulse_core::time::Interval;
use portpulse_store::Store;
use portpulse_testkit::embedded::{EmbeddedDynamo, TABLE};
use portpulse_testkit::event::sample;
use portpulse_testkit::function::{Function, program};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// A URL without a server.
const UNREACHABLE_URL: &str = "http://127.0.0.1:1";

/// `GetParameter`: one parameter with a valid token, one with a short token.
/// Source: <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html>
async fn parameter(body: String) -> Response {
    let request: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(request["WithDecryption"], true);
    let value = match request["Name"].as_str().unwrap() {
        "/portpulse/token" => TOKEN,
        "/portpulse/short" => "hush",
        _ => {
            let error = Json(json!({ "__type": "ParameterNotFound" }));
            return (StatusCode::BAD_REQUEST, error).into_response();
        }
    };
    Json(json!({ "Parameter": { "Value": value } })).into_response()
}

async fn parameter_store() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/", post(parameter));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_portpulse-status");
/// Environment variables of all tests.
const ENVIRONMENT: [(&str, &str); 4] = [
    ("AWS_REGION", "eu-west-1"),
    ("PORTPULSE_TABLE", TABLE),
    ("PORTPULSE_HOME_REGION", "eu-west-1"),
    ("PORTPULSE_LOCATIONS", "eu-west-1,us-east-1"),
];

/// A running program.
struct Serving(Function);

impl Serving {
    async fn start(dynamo_url: &str, ssm_url: &str, environment: &[(&str, &str)]) -> Self {
        let urls = [
            ("AWS_ENDPOINT_URL_DYNAMODB", dynamo_url),
            ("AWS_ENDPOINT_URL_SSM", ssm_url),
        ];
        let environment = [&ENVIRONMENT[..], &urls, environment].concat();
        Self(Function::start(PROGRAM, &environment).await.unwrap())
    }

    async fn invoke(&mut self, event: &Value) -> Value {
        self.0.invoke(event).await.unwrap()
    }
}

/// A request for the overview.
fn overview() -> Value {
    let mut event = sample("status-overview.json");
    event["rawQueryString"] = "".into();
    event
}

/// A table with one monitor.
async fn table() -> EmbeddedDynamo {
    let dynamo = EmbeddedDynamo::start().await.unwrap();
    let attributes = json!({ "host": "db.example.com", "port": 5432, "interval": "1m", "tags": ["shop"] });
    let group = GroupId {
        interval: Interval::OneMinute,
        shard: 0,
    };
    let store = Store::new(dynamo.table());
    let put = store.put_definition(group, "orders-db", attributes.as_object().unwrap());
    put.await.unwrap();
    dynamo
}

fn body(answer: &Value) -> &str {
    answer["body"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn public_page_shows_names_and_statuses_only() {
    let dynamo = table().await;
    let public = [("PORTPULSE_STATUS_ACCESS", "public")];
    let mut function = Serving::start(&dynamo.endpoint_url(), UNREACHABLE_URL, &public).await;
    let answer = function.invoke(&overview()).await;
    assert_eq!(answer["statusCode"], 200, "{answer}");
    assert!(body(&answer).contains("href=\"/monitors/orders-db\""), "{answer}");
    for hidden in ["example.com", "5432", "shop", "us-east-1"] {
        assert!(!body(&answer).contains(hidden), "{hidden}: {answer}");
    }
    let cache_control = &answer["headers"]["cache-control"];
    assert_eq!(cache_control, "public, max-age=30, stale-while-revalidate=60");
    // A signature does not give access to private data.
    let answer = function.invoke(&sample("status-signed.json")).await;
    assert_eq!(answer["statusCode"], 200, "{answer}");
    assert!(!body(&answer).contains("example.com"), "{answer}");
    let error = function.0.invoke(&json!({ "time": "now" })).await.unwrap_err();
    assert!(
        error.starts_with(
            "InvalidEvent: the event is not a function URL request: invoke this function through its URL"
        ),
        "{error}"
    );
}

#[tokio::test]
async fn token_page_shows_everything_after_sign_in() {
    let (dynamo, ssm) = (table().await, parameter_store().await);
    let private = [
        ("PORTPULSE_STATUS_ACCESS", "private"),
        ("PORTPULSE_STATUS_TOKEN", "ssm:/portpulse/token"),
    ];
    let mut function = Serving::start(&dynamo.endpoint_url(), &ssm, &private).await;
    let answer = function.invoke(&overview()).await;
    let redirect = (&answer["statusCode"], &answer["headers"]["location"]);
    assert_eq!(redirect, (&json!(303), &json!("/sign-in")));
    let mut sign_in = sample("status-sign-in.json");
    assert_eq!(function.invoke(&sign_in).await["statusCode"], 403);
    sign_in["body"] = format!("token={TOKEN}").into();
    sign_in["isBase64Encoded"] = false.into();
    let answer = function.invoke(&sign_in).await;
    assert_eq!(answer["statusCode"], 303, "{answer}");
    let cookie = answer["cookies"][0].as_str().unwrap();
    let mut event = overview();
    event["cookies"] = json!([cookie.split(';').next().unwrap()]);
    let answer = function.invoke(&event).await;
    assert!(body(&answer).contains("shop"), "{answer}");
    assert_eq!(answer["headers"]["cache-control"], "no-store");
}

#[tokio::test]
async fn signed_page_requires_signature() {
    let dynamo = table().await;
    let private = [("PORTPULSE_STATUS_ACCESS", "private")];
    let mut function = Serving::start(&dynamo.endpoint_url(), UNREACHABLE_URL, &private).await;
    let answer = function.invoke(&sample("status-signed.json")).await;
    assert!(body(&answer).contains("db.example.com"), "{answer}");
    let answer = function.invoke(&sample("status-overview.json")).await;
    assert_eq!(answer["statusCode"], 403, "{answer}");
    assert!(!body(&answer).contains("orders-db"), "{answer}");
}

#[tokio::test]
async fn unreachable_table_returns_503() {
    let public = [("PORTPULSE_STATUS_ACCESS", "public")];
    let mut function = Serving::start(UNREACHABLE_URL, UNREACHABLE_URL, &public).await;
    let answer = function.invoke(&overview()).await;
    assert_eq!(answer["statusCode"], 503, "{answer}");
    assert_eq!(answer["headers"]["retry-after"], "5");
}

#[tokio::test]
async fn invalid_token_setting_stops_start_without_showing_token() {
    let ssm = parameter_store().await;
    for (token, expected) in [
        (
            "ssm:/portpulse/short",
            "the parameter `/portpulse/short` contains no valid token: the token is too short",
        ),
        (
            "ssm:/portpulse/nowhere",
            "the parameter `/portpulse/nowhere` is missing: create it with the token as its value",
        ),
        ("hush", "PORTPULSE_STATUS_TOKEN is invalid"),
    ] {
        let private = [
            ("PORTPULSE_STATUS_ACCESS", "private"),
            ("PORTPULSE_STATUS_TOKEN", token),
            ("AWS_ENDPOINT_URL_SSM", &ssm),
        ];
        let mut command = program(PROGRAM, &[&ENVIRONMENT[..], &private].concat());
        let run = tokio::task::spawn_blocking(move || command.output().unwrap());
        let run = run.await.unwrap();
        assert!(!run.status.success());
        let log = String::from_utf8(run.stdout).unwrap();
        assert!(log.contains(expected) && !log.contains("hush"), "{log}");
    }
}
