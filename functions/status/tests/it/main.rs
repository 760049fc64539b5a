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
use portpulse_core::observation::Observation;
use portpulse_core::time::{Interval, Tick};
use portpulse_store::Store;
use portpulse_testkit::embedded::{EmbeddedDynamo, TABLE};
use portpulse_testkit::event::sample;
use portpulse_testkit::function::{Function, program};
use portpulse_testkit::sns::{SnsServer, TOPIC_ARN};
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

/// The group of the monitor.
const GROUP: GroupId = GroupId {
    interval: Interval::OneMinute,
    shard: 0,
};

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
    let store = Store::new(dynamo.table());
    let put = store.put_definition(GROUP, "orders-db", attributes.as_object().unwrap());
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

/// A page with actions: a form of the page changes the table, and others do not.
#[tokio::test]
async fn token_page_with_actions_silences_and_others_refuse() {
    let (dynamo, ssm) = (table().await, parameter_store().await);
    let private = [
        ("PORTPULSE_STATUS_ACCESS", "private"),
        ("PORTPULSE_STATUS_TOKEN", "ssm:/portpulse/token"),
    ];
    let with_actions = [&private[..], &[("PORTPULSE_STATUS_ACTIONS", "offered")]].concat();
    let mut function = Serving::start(&dynamo.endpoint_url(), &ssm, &with_actions).await;
    let mut page = overview();
    page["rawPath"] = "/monitors/orders-db".into();
    page["headers"]["authorization"] = format!("Bearer {TOKEN}").into();
    let answer = function.invoke(&page).await;
    let secret = body(&answer)
        .split_once("name=\"token\" value=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .unwrap()
        .0;
    assert!(!body(&answer).contains(TOKEN), "the page never shows the token");
    let mut form = page.clone();
    form["requestContext"]["http"]["method"] = "POST".into();
    form["body"] = format!("token={secret}&action=silence&hours=2&by=ann").into();
    let controls = async || Store::new(dynamo.table()).controls().await.unwrap().0;
    // Without the secret, from another site, and without a session.
    for (place, value, status) in [
        ("/body", "token=x&action=silence&hours=2&by=ann", 403),
        ("/headers/sec-fetch-site", "cross-site", 403),
        ("/headers/authorization", "Bearer wrong", 303),
    ] {
        let mut form = form.clone();
        form["headers"]["sec-fetch-site"] = "same-origin".into();
        *form.pointer_mut(place).unwrap() = value.into();
        let answer = function.invoke(&form).await;
        assert_eq!(answer["statusCode"], status, "{place}: {answer}");
    }
    assert!(controls().await.is_empty());
    // A page without actions.
    let mut reading = Serving::start(&dynamo.endpoint_url(), &ssm, &private).await;
    assert!(!body(&reading.invoke(&page).await).contains("<form class=\"action\""));
    assert_eq!(reading.invoke(&form).await["statusCode"], 405);
    assert!(controls().await.is_empty());

    let answer = function.invoke(&form).await;
    assert_eq!(
        (&answer["statusCode"], &answer["headers"]["location"]),
        (&json!(303), &json!("/monitors/orders-db"))
    );
    let stored = controls().await;
    let silence = stored.values().next().unwrap().silence.as_ref().unwrap();
    assert_eq!(silence.note.by(), "ann");
    assert!(
        body(&function.invoke(&page).await).contains("ann"),
        "the page shows who"
    );
}

#[tokio::test]
async fn unchanged_page_and_json_are_not_sent_again() {
    let dynamo = table().await;
    let public = [("PORTPULSE_STATUS_ACCESS", "public")];
    let mut function = Serving::start(&dynamo.endpoint_url(), UNREACHABLE_URL, &public).await;
    for path in ["/", "/monitors/orders-db", "/api/monitors"] {
        let mut event = overview();
        event["rawPath"] = path.into();
        let first = function.invoke(&event).await;
        let tag = first["headers"]["etag"].as_str().unwrap();
        event["headers"]["if-none-match"] = tag.into();
        let again = function.invoke(&event).await;
        assert_eq!(
            (&again["statusCode"], body(&again)),
            (&json!(304), ""),
            "{path}: {again}"
        );
        assert_eq!(again["headers"]["etag"], tag, "{path}");
        event["headers"]["if-none-match"] = "W/\"other\"".into();
        assert_eq!(function.invoke(&event).await["statusCode"], 200, "{path}");
    }
}

/// Lambda repeats a failed invocation under its id; EventBridge may deliver an event twice, under two ids.
#[tokio::test]
async fn monthly_report_is_sent_once_and_again_after_a_failure() {
    let dynamo = table().await;
    let (sns, mut topic) = SnsServer::start().await.unwrap();
    let url = sns.endpoint_url();
    let private = ("PORTPULSE_STATUS_ACCESS", "private");
    let page = ("PORTPULSE_STATUS_PAGE", r#"{"objective":99.9}"#);
    let reporting = [
        private,
        page,
        ("PORTPULSE_REPORT_TOPIC_ARN", TOPIC_ARN),
        ("AWS_ENDPOINT_URL_SNS", &url),
    ];
    let mut function = Serving::start(&dynamo.endpoint_url(), UNREACHABLE_URL, &reporting).await;
    let event = sample("status-monthly-report.json");
    // All attempts of the SDK.
    sns.fail_next(3);
    let error = function.0.invoke_as("first", &event).await.unwrap_err();
    assert!(
        error.starts_with("ReportFailed: failed to send the report of "),
        "{error}"
    );
    let sent = function.0.invoke_as("first", &event).await.unwrap();
    assert_eq!(sent["sent"], true, "{sent}");
    let message = topic.try_recv().unwrap();
    let month = sent["report"].as_str().unwrap();
    let json: Value = serde_json::from_str(message.text("https")).unwrap();
    assert_eq!((&json["type"], &json["month"]), (&json!("report"), &json!(month)));
    let text = message.text("email");
    assert!(
        text.contains("- orders-db: no data; objective 99.9%: ")
            && text.contains(&format!("/reports/{month}")),
        "{text}"
    );
    assert!(portpulse_relay::parse_notifications(message.text("lambda")).is_empty());
    let repeated = function.0.invoke_as("second", &event).await.unwrap();
    assert_eq!(
        (&repeated["sent"], topic.try_recv().is_err()),
        (&json!(false), true)
    );

    let mut silent = Serving::start(&dynamo.endpoint_url(), UNREACHABLE_URL, &[private]).await;
    let error = silent.0.invoke(&event).await.unwrap_err();
    assert!(error.starts_with("NoReportTopic: "), "{error}");
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
async fn monitor_page_counts_retries_of_single_checks() {
    let dynamo = table().await;
    let check = Observation::parse("12.34 +1").unwrap();
    let results = [("orders-db".parse().unwrap(), check)].into();
    let last = Tick::containing(jiff::Timestamp::now(), GROUP.interval);
    let store = Store::new(dynamo.table());
    let location = "eu-west-1".parse().unwrap();
    let put = store.put_results(GROUP, last, &location, &results);
    put.await.unwrap();
    let private = [("PORTPULSE_STATUS_ACCESS", "private")];
    let mut function = Serving::start(&dynamo.endpoint_url(), UNREACHABLE_URL, &private).await;
    let mut event = sample("status-signed.json");
    event["rawQueryString"] = "span=3h".into();
    let answer = function.invoke(&event).await;
    // Good, retried, failed, and no data.
    let counts = "<td>1</td><td>1</td><td>0</td><td>0</td>";
    assert!(body(&answer).contains(counts), "{answer}");
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
