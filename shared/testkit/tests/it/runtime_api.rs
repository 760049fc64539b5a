//! The stand-in for Lambda's Runtime API.

use portpulse_testkit::runtime_api::{FunctionMessage, Invocation, RuntimeApi};

use crate::http::request;

fn invocation(id: &str) -> Invocation {
    Invocation {
        request_id: id.to_owned(),
        deadline_ms: 1_795_326_060_000,
        event: "{\"shard\":0}".to_owned(),
    }
}

#[tokio::test]
async fn invocations_are_served_in_order_with_responses() {
    let mut api = RuntimeApi::start().await.unwrap();
    let url = api.url();
    let function = tokio::spawn(async move {
        let next = "GET /2018-06-01/runtime/invocation/next";
        let first = request(&url, next, &[], "").await;
        request(
            &url,
            "POST /2018-06-01/runtime/invocation/one/response",
            &[],
            "\"fine\"",
        )
        .await;
        let second = request(&url, next, &[], "").await;
        request(&url, "POST /2018-06-01/runtime/invocation/two/error", &[], "{}").await;
        (first, second)
    });
    assert_eq!(api.next_message().await, Some(FunctionMessage::Ready));
    let response = FunctionMessage::Response {
        request_id: "one".to_owned(),
        body: "\"fine\"".to_owned(),
    };
    assert_eq!(api.answer(invocation("one")).await, Some(response));
    let error = FunctionMessage::Error {
        request_id: "two".to_owned(),
        body: "{}".to_owned(),
    };
    assert_eq!(api.answer(invocation("two")).await, Some(error));
    let (first, second) = function.await.unwrap();
    assert!(
        first.contains("lambda-runtime-aws-request-id: one\r\n"),
        "{first}"
    );
    assert!(
        first.contains("lambda-runtime-deadline-ms: 1795326060000\r\n"),
        "{first}"
    );
    assert!(first.ends_with("{\"shard\":0}"), "{first}");
    assert!(
        second.contains("lambda-runtime-aws-request-id: two\r\n"),
        "{second}"
    );
}

#[tokio::test]
async fn init_error_is_reported() {
    let mut api = RuntimeApi::start().await.unwrap();
    let answer = request(
        &api.url(),
        "POST /2018-06-01/runtime/init/error",
        &[],
        "{\"errorType\":\"x\"}",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    let body = "{\"errorType\":\"x\"}".to_owned();
    assert_eq!(
        api.answer(invocation("one")).await,
        Some(FunctionMessage::InitError { body })
    );
}
