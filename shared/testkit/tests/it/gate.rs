//! Access to the servers requires the secret path and no browser.

use portpulse_testkit::embedded::EmbeddedDynamo;
use portpulse_testkit::runtime_api::RuntimeApi;
use portpulse_testkit::sns::{SnsServer, TOPIC_ARN};

use crate::http::{request, send};

const SCAN: &str = r#"{"TableName":"portpulse"}"#;
const JSON: (&str, &str) = ("Content-Type", "application/x-amz-json-1.0");
const TARGET: (&str, &str) = ("X-Amz-Target", "DynamoDB_20120810.Scan");

/// The status line of a response. Fails if the response has CORS headers.
fn status(answer: &str) -> &str {
    assert!(
        !answer.to_ascii_lowercase().contains("access-control-"),
        "{answer}"
    );
    answer.lines().next().unwrap()
}

#[tokio::test]
async fn all_servers_refuse_browsers() {
    let dynamodb = EmbeddedDynamo::start().await.unwrap();
    let (sns, mut published) = SnsServer::start().await.unwrap();
    let api = RuntimeApi::start().await.unwrap();
    let publish = format!("Action=Publish&TopicArn={TOPIC_ARN}&Message=x");
    let error = "POST /2018-06-01/runtime/init/error";
    for (url, line, headers, body) in [
        (dynamodb.endpoint_url(), "POST /", &[JSON, TARGET][..], SCAN),
        (
            sns.endpoint_url(),
            "POST /",
            &[("Content-Type", "application/x-www-form-urlencoded")],
            publish.as_str(),
        ),
        (api.url(), error, &[], "{}"),
    ] {
        let refused = "HTTP/1.1 403 Forbidden";
        for own in [
            ("Origin", "http://intranet.example"),
            ("Origin", "null"),
            ("Host", "rebound.example"),
        ] {
            let headers: Vec<_> = headers.iter().copied().chain([own]).collect();
            let answer = request(&url, line, &headers, body).await;
            assert_eq!(status(&answer), refused, "{url} {own:?}");
        }
        // A CORS preflight request, which browsers send before custom headers.
        let path = line.split_once(' ').unwrap().1;
        let asks = [
            ("Origin", "http://localhost:3000"),
            ("Access-Control-Request-Method", "POST"),
        ];
        let answer = request(&url, &format!("OPTIONS {path}"), &asks, "").await;
        assert_eq!(status(&answer), refused, "{url}");
        let address = url.trim_start_matches("http://").split_once('/').unwrap().0;
        let answer = send(address, line, headers, body).await;
        assert_eq!(
            status(&answer),
            "HTTP/1.1 404 Not Found",
            "{url} without the secret"
        );
        let answer = request(&url, line, headers, body).await;
        assert!(status(&answer).starts_with("HTTP/1.1 20"), "{url}: {answer}");
    }
    assert_eq!(published.try_recv().unwrap().text("email"), "x");
    assert!(published.try_recv().is_err());
}

#[tokio::test]
async fn each_server_has_its_own_secret() {
    let one = EmbeddedDynamo::start().await.unwrap().endpoint_url();
    let other = EmbeddedDynamo::start().await.unwrap().endpoint_url();
    let secret = |url: &str| url.rsplit_once('/').unwrap().1.to_owned();
    assert_eq!(secret(&one).len(), 32);
    assert_ne!(secret(&one), secret(&other));
}
