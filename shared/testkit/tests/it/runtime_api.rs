//! The stand-in of the Runtime API speaks as Lambda's does.

use std::net::SocketAddr;

use portpulse_testkit::runtime_api::{Heard, Invocation, RuntimeApi};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends one request and returns the whole answer.
async fn request(address: SocketAddr, line: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let text =
        format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

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
    let address = api.address();
    let function = tokio::spawn(async move {
        let next = "GET /2018-06-01/runtime/invocation/next";
        let first = request(address, next, "").await;
        request(
            address,
            "POST /2018-06-01/runtime/invocation/one/response",
            "\"fine\"",
        )
        .await;
        let second = request(address, next, "").await;
        request(address, "POST /2018-06-01/runtime/invocation/two/error", "{}").await;
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
        api.address(),
        "POST /2018-06-01/runtime/init/error",
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
