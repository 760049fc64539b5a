use super::*;
use crate::test_harness::{Table, check, check_other_services, fuzz};

fn plain() -> Grpc {
    Grpc::new("db.example:50051".to_owned(), false)
}

/// A block of fields; each name is written out.
fn fields(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        hpack::encode_named(&mut block, name, value);
    }
    block
}

fn settings() -> Vec<u8> {
    frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0xff, 0xff])
}

const OK: [(&str, &str); 2] = [(":status", "200"), ("content-type", "application/grpc")];

/// A complete response with a body and these trailers.
fn response(body: &[u8], trailers: &[(&str, &str)]) -> Vec<u8> {
    [
        settings(),
        frame(SETTINGS, ACK, 0, b""),
        frame(HEADERS, END_HEADERS, STREAM, &fields(&OK)),
        frame(DATA, 0, STREAM, body),
        frame(HEADERS, END_HEADERS | END_STREAM, STREAM, &fields(trailers)),
    ]
    .concat()
}

fn serving(status: u8) -> Vec<u8> {
    response(&[0, 0, 0, 0, 2, 8, status], &[("grpc-status", "0")])
}

/// A response without a body, as errors are sent.
fn only_trailers(status: &str, message: &str) -> Vec<u8> {
    let all = [&OK[..], &[("grpc-status", status), ("grpc-message", message)]].concat();
    [
        settings(),
        frame(HEADERS, END_HEADERS | END_STREAM, STREAM, &fields(&all)),
    ]
    .concat()
}

fn of_http(status: &str) -> Vec<u8> {
    let block = fields(&[(":status", status), ("content-type", "text/html")]);
    [
        settings(),
        frame(HEADERS, END_HEADERS | END_STREAM, STREAM, &block),
    ]
    .concat()
}

/// Like the example of the protocol's documentation: padding, priority, a split block, a ping, an update of the window.
fn complicated() -> Vec<u8> {
    let block = fields(&OK);
    let (first, second) = block.split_at(20);
    let first = [&[3, 0, 0, 0, 0, 0][..], first, &[0; 3]].concat();
    [
        settings(),
        frame(PING, 0, 0, b"portpuls"),
        frame(8, 0, 0, &[0, 0, 1, 0]),
        frame(HEADERS, PADDED | PRIORITY, STREAM, &first),
        frame(CONTINUATION, END_HEADERS, STREAM, second),
        frame(DATA, PADDED, STREAM, &[2, 0, 0, 0, 0, 2, 8, 1, 9, 9]),
        frame(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0]),
        frame(
            HEADERS,
            END_HEADERS | END_STREAM,
            STREAM,
            &fields(&[("grpc-status", "0")]),
        ),
    ]
    .concat()
}

#[test]
fn serving_status_decides_result() {
    let rows = [
        (serving(1), "healthy: SERVING"),
        (complicated(), "> a health check | healthy: SERVING"),
        (serving(2), "service_error: serving status 2 (NOT_SERVING)"),
        (
            response(MESSAGE, &[("grpc-status", "0")]),
            "service_error: serving status 0 (UNKNOWN)",
        ),
        (
            only_trailers("14", "no healthy upstream"),
            "no_backend: grpc-status 14 (UNAVAILABLE): no healthy upstream",
        ),
        (
            only_trailers("12", ""),
            "wrong_service: grpc-status 12 (UNIMPLEMENTED: the server has no health service)",
        ),
        (
            of_http("502"),
            "no_backend: HTTP 502 instead of an answer of gRPC",
        ),
        (settings(), "waiting, then closed"),
        (
            [settings(), frame(GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 11])].concat(),
            "busy: GOAWAY with error 11",
        ),
        (
            [settings(), frame(RST_STREAM, 0, STREAM, &[0, 0, 0, 2])].concat(),
            "service_error: RST_STREAM with error 2",
        ),
    ];
    for (answer, expected) in rows {
        // The settings of the server are acknowledged.
        let expected = format!("> a health check | > a health check | {expected}");
        check(plain, &answer, &expected);
    }
}

#[test]
fn malformed_responses_are_never_open() {
    let sent = "> a health check | > a health check | wrong_service";
    let rows = [
        // No status, no answer, a message of another length, a compressed one, two of them, and no type of gRPC.
        response(&[0, 0, 0, 0, 2, 8, 1], &[("a", "b")]),
        response(b"", &[("grpc-status", "0")]),
        response(&[0, 0, 0, 0, 9, 8, 1], &[("grpc-status", "0")]),
        response(&[1, 0, 0, 0, 2, 8, 1], &[("grpc-status", "0")]),
        response(&[0, 0, 0, 0, 2, 8, 1, 0, 0, 0, 0, 0], &[("grpc-status", "0")]),
        // A pushed stream, padding longer than its frame, a ping of four bytes, a block that is interrupted, and a
        // malformed block.
        [settings(), frame(PUSH_PROMISE, 0, STREAM, b"")].concat(),
        [settings(), frame(DATA, PADDED, STREAM, &[9, 0])].concat(),
        [settings(), frame(PING, 0, 0, b"port")].concat(),
        [
            settings(),
            frame(HEADERS, 0, STREAM, b""),
            frame(DATA, 0, STREAM, b""),
        ]
        .concat(),
        [settings(), frame(HEADERS, END_HEADERS, STREAM, b"\x80")].concat(),
        [settings(), frame(CONTINUATION, END_HEADERS, STREAM, b"")].concat(),
        // A frame of 16 MiB.
        [settings(), b"\xff\xff\xff\0\0\0\0\0\x01".to_vec()].concat(),
    ];
    for answer in rows {
        check(plain, &answer, sent);
    }
    check(
        plain,
        &frame(DATA, 0, STREAM, MESSAGE),
        "> a health check | wrong_service",
    );
    let html = [settings(), of_http("200").split_off(settings().len())].concat();
    let expected =
        "> a health check | > a health check | wrong_service: HTTP 200 instead of an answer of gRPC";
    check(plain, &html, expected);
}

#[test]
fn request_is_one_post_with_an_empty_message() {
    let Step::Send { bytes, .. } = Grpc::new("a:1".to_owned(), true).next(&mut Input::default()) else {
        panic!("no request")
    };
    let rest = bytes.strip_prefix(PREFACE).unwrap();
    let block_start = HEADER_BYTES + 6 + HEADER_BYTES;
    let block_length = usize::from(rest[HEADER_BYTES + 6 + 2]);
    let decoded = Decoder::new()
        .decode(&rest[block_start..block_start + block_length])
        .unwrap();
    let values: Vec<_> = decoded.iter().map(|field| field.value.as_str()).collect();
    let expected = [
        "",
        "",
        "/grpc.health.v1.Health/Check",
        "a:1",
        "trailers",
        "application/grpc",
        "portpulse",
    ];
    assert_eq!(values, expected);
    assert!(rest.ends_with(MESSAGE));
}

#[test]
fn other_protocols_are_wrong_service() {
    check_other_services(plain, &[]);
    fuzz(plain, &serving(1));
    fuzz(plain, &complicated());
}

#[test]
fn decision_table_matches_code() {
    let numbers = |numbers: std::ops::RangeInclusive<u16>| numbers.map(|number| number.to_string());
    Table::of(include_str!("../grpc.rs"))
        .codes(&["serving status"], numbers(0..=127), |code| {
            (plain(), serving(code.parse().unwrap()))
        })
        .codes(
            &["`grpc-status`"],
            numbers(1..=30).chain(["00".to_owned(), "x".to_owned()]),
            |code| (plain(), only_trailers(code, "")),
        )
        .codes(
            &["status of HTTP"],
            numbers(201..=999).chain(["200".to_owned()]),
            |code| (plain(), of_http(code)),
        )
        .codes(&["`RST_STREAM` or `GOAWAY`"], numbers(0..=40), |code| {
            let error = code.parse::<u32>().unwrap().to_be_bytes();
            (
                plain(),
                [settings(), frame(RST_STREAM, 0, STREAM, &error)].concat(),
            )
        })
        .codes(&["`RST_STREAM` or `GOAWAY`"], numbers(0..=40), |code| {
            let error = code.parse::<u32>().unwrap().to_be_bytes();
            (
                plain(),
                [settings(), frame(GOAWAY, 0, 0, &[&[0; 4], &error[..]].concat())].concat(),
            )
        })
        .case("the end of the stream", plain(), "")
        .finish();
}
