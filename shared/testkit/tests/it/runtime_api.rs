//! The stand-in of the Runtime API speaks as Lambda's does.

use portpulse_testkit::runtime_api::{Heard, Invocation, RuntimeApi};

use crate::http::request;

fn invocation(id: &str) -> Invocation {
    Invocation {
        request_id: id.to_owned(),
        deadline_ms: 1_795_326_060_000,
        event: "{\"shard\":0}".to_owned(),
    }
}

#[tokio::test]
async fn invocations_are_handed_out_in_turn_and_their_answers_heard() {
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
    assert_eq!(api.heard().await, Some(Heard::Ready));
    let response = Heard::Response {
        request_id: "one".to_owned(),
        body: "\"fine\"".to_owned(),
    };
    assert_eq!(api.answer(invocation("one")).await, Some(response));
    let error = Heard::Error {
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
async fn a_function_that_cannot_start_is_heard() {
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
        Some(Heard::InitError { body })
    );
}
