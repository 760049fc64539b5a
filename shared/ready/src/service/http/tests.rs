use std::collections::BTreeMap;

use portpulse_core::readiness::{
    BodyConditions, Credentials, Header, JsonCondition, Measure, Method, Operator,
};
use portpulse_core::secret::SecretName;
use portpulse_secrets::Secret;
use serde_json::json;

use super::*;
use crate::test_harness::{Table, check, check_other_services, fuzz};

fn plain(check: &HttpCheck) -> impl Fn() -> Http + use<'_> {
    move || {
        let host = Host::Name("a.example".to_owned());
        Http::new(check, &host, 80, Tls::Off, &RequestSecrets::default())
    }
}

fn looking_for(text: &str) -> HttpCheck {
    HttpCheck::new(
        Method::Get,
        "/health?token=x",
        Vec::new(),
        Some(text.to_owned()),
        false,
    )
    .unwrap()
}

#[test]
fn status_decides_result() {
    let default = HttpCheck::default();
    let only = HttpCheck::new(Method::Head, "/", vec![200..=204, 401..=401], None, false).unwrap();
    let rows = [
        (&default, "200 OK", "healthy: 200 OK"),
        (&default, "404 Not Found", "healthy: 404 Not Found"),
        (
            &default,
            "301 Moved Permanently",
            "healthy: 301 Moved Permanently",
        ),
        (&default, "502 Bad Gateway", "no_backend: HTTP 502 Bad Gateway"),
        (&default, "503", "service_error: HTTP 503 (server error)"),
        (&only, "204 No Content", "healthy: 204 No Content"),
        (&only, "401 Unauthorized", "healthy: 401 Unauthorized"),
        (&only, "404 Not Found", "wrong_answer: HTTP 404 Not Found"),
        (&only, "500 Oops", "service_error: HTTP 500 Oops"),
    ];
    for (options, status, expected) in rows {
        let reply = format!("HTTP/1.1 {status}\r\nServer: x\r\nLocation: /a\r\n\r\n");
        check(
            plain(options),
            reply.as_bytes(),
            &format!("> HEAD / | {expected}"),
        );
    }
    let interim = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.0 200 OK\r\n\r\n";
    check(plain(&default), interim, "> HEAD / | healthy: 200 OK");
    check(
        plain(&default),
        b"HTTP/1.1 200 OK\r\n",
        "> HEAD / | waiting, then closed",
    );
}

#[test]
fn expected_text_is_found_in_every_framing() {
    let all_well = looking_for("all well");
    let rows = [
        ("Content-Length: 14\r\n\r\nis all well so", "healthy: 200 OK"),
        ("\r\nis all well", "healthy: 200 OK"),
        (
            "Transfer-Encoding: chunked\r\n\r\n6;a=b\r\nis all\r\n5\r\n well\r\n0\r\n\r\n",
            "healthy: 200 OK",
        ),
        (
            "Content-Length: 6\r\n\r\nis all well",
            "wrong_answer: 200 OK, but the expected text is missing",
        ),
        (
            "Content-Length: 1000\r\n\r\nis all ",
            "wrong_answer: 200 OK, but the body ended early, after 7 of 1000 bytes",
        ),
        (
            "Transfer-Encoding: chunked\r\n\r\n7\r\nis all \r\n",
            "wrong_answer: 200 OK, but the body ended early, after 7 bytes",
        ),
        (
            "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1fxy",
            "wrong_answer: 200 OK, but the body is compressed (gzip), which was not asked for",
        ),
        (
            "\r\nis all wel",
            "wrong_answer: 200 OK, but the expected text is missing",
        ),
        (
            "Transfer-Encoding: chunked\r\n\r\n3\r\nall\r\n0\r\n\r\n",
            "wrong_answer: 200 OK, but the expected text is missing",
        ),
    ];
    for (rest, expected) in rows {
        let reply = format!("HTTP/1.1 200 OK\r\n{rest}");
        // The query is not reported.
        check(
            plain(&all_well),
            reply.as_bytes(),
            &format!("> GET /health | {expected}"),
        );
    }
    let long = format!(
        "HTTP/1.1 200 OK\r\n\r\n{}all well",
        "a".repeat(body::MAX_BODY_BYTES)
    );
    let transcript = crate::test_harness::transcript(plain(&all_well)(), long.as_bytes().chunks(1000));
    assert_eq!(
        transcript,
        "> GET /health | wrong_answer: 200 OK, but the expected text is not in the first 64 KiB of the body"
    );
}

/// A check of the body: a pattern that must match, one that must not, and a condition on JSON.
fn conditions(matches: &[&str], not_matches: &[&str], json: &[(&str, i32)]) -> HttpCheck {
    let patterns = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
    let json = json.iter().map(|(path, value)| {
        let (path, value) = (path.parse().unwrap(), Some(json!(value)));
        JsonCondition::new(path, Measure::Value, Operator::Equal, value).unwrap()
    });
    let conditions = BodyConditions {
        matches: patterns(matches),
        not_matches: patterns(not_matches),
        json: json.collect(),
    };
    let check = HttpCheck::new(Method::Get, "/", Vec::new(), None, false).unwrap();
    check.with_conditions(conditions).unwrap()
}

#[test]
fn conditions_on_the_body_are_checked_in_every_framing() {
    let (pattern, not, number) = (
        conditions(&["^ok \\d+$"], &[], &[]),
        conditions(&[], &["(?i)error"], &[]),
        conditions(&[], &[], &[("$.n", 1)]),
    );
    let rows = [
        (&pattern, "Content-Length: 5\r\n\r\nok 12", "healthy: 200 OK"),
        (&pattern, "\r\nok 12", "healthy: 200 OK"),
        (
            &pattern,
            "Content-Length: 2\r\n\r\nok",
            "wrong_answer: 200 OK, but the body does not match `^ok \\d+$`",
        ),
        (&not, "Content-Length: 4\r\n\r\nfine", "healthy: 200 OK"),
        (
            &not,
            "Transfer-Encoding: chunked\r\n\r\n5\r\nERROR\r\n0\r\n\r\n",
            "wrong_answer: 200 OK, but the body matches `(?i)error`, and must not",
        ),
        (&number, "Content-Length: 7\r\n\r\n{\"n\":1}", "healthy: 200 OK"),
        (
            &number,
            "Content-Length: 7\r\n\r\n{\"n\":2}",
            "wrong_answer: 200 OK, but $.n is `2`, not == `1`",
        ),
        (
            &number,
            "Content-Length: 0\r\n\r\n",
            "wrong_answer: 200 OK, but the body is empty, not JSON",
        ),
        (
            &number,
            "Content-Length: 9\r\n\r\n{\"n\":1}",
            "wrong_answer: 200 OK, but the body ended early, after 7 of 9 bytes",
        ),
        (
            &number,
            "Accept-Encoding: x\r\nContent-Encoding: br\r\n\r\n\x01",
            "wrong_answer: 200 OK, but the body is compressed (br), which was not asked for",
        ),
    ];
    for (check_of, rest, expected) in rows {
        let reply = format!("HTTP/1.1 200 OK\r\n{rest}");
        check(
            plain(check_of),
            reply.as_bytes(),
            &format!("> GET / | {expected}"),
        );
    }
    let long = format!("HTTP/1.1 200 OK\r\n\r\n{}", " ".repeat(body::MAX_BODY_BYTES + 1));
    for (check_of, expected) in [
        (
            &pattern,
            "the body does not match `^ok \\d+$` in the first 64 KiB of the body",
        ),
        (
            &number,
            "the body is longer than 64 KiB, too long to check its JSON",
        ),
    ] {
        let found = crate::test_harness::transcript(plain(check_of)(), long.as_bytes().chunks(1000));
        assert_eq!(found, format!("> GET / | wrong_answer: 200 OK, but {expected}"));
    }
}

#[test]
fn response_without_body_does_not_wait_for_one() {
    let all_well = looking_for("all well");
    // The connection stays open: the answer is complete with its head.
    for status in ["204 No Content", "304 Not Modified"] {
        let reply = format!("HTTP/1.1 {status}\r\nContent-Length: 8\r\n\r\n");
        let expected = format!("> GET /health | wrong_answer: {status}, but the expected text is missing");
        check(plain(&all_well), reply.as_bytes(), &expected);
    }
    // Without a length, only the end of the stream ends the body.
    let found = crate::test_harness::transcript(plain(&all_well)(), [&b"HTTP/1.0 200 OK\r\n\r\nno"[..]]);
    assert_eq!(
        found,
        "> GET /health | wrong_answer: 200 OK, but the expected text is missing"
    );
    let mut http = plain(&all_well)();
    let mut input = Input::default();
    http.next(&mut input);
    input.push(b"HTTP/1.1 200 OK\r\n\r\nno");
    assert_eq!(http.next(&mut input), Step::Receive);
    assert_eq!(http.timeout_hint(&input), ", the body did not end");
}

#[test]
fn request_carries_fields_secrets_and_body() {
    let secret = |path: &str| SecretName::Parameter(path.to_owned());
    let header = |name: &str, value: &str| Header {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    let values = [("/key", "k-1"), ("/token", "t-1"), ("/password", "p:1")];
    let secrets = values.map(|(path, value)| (secret(path), Secret::new(value).unwrap()));
    let secrets = RequestSecrets::new(BTreeMap::from(secrets));
    let usual = "Host: a.example\r\nUser-Agent: portpulse\r\nAccept: */*\r\n";
    let rows = [
        (
            Method::Post,
            RequestContent {
                headers: vec![header("accept", "text/plain"), header("X-Env", "prod")],
                secret_headers: vec![Header {
                    name: "X-Key".to_owned(),
                    value: secret("/key"),
                }],
                credentials: Some(Credentials::Bearer(secret("/token"))),
                body: Some("größe".to_owned()),
            },
            "Host: a.example\r\nUser-Agent: portpulse\r\naccept: text/plain\r\nX-Env: prod\r\nX-Key: k-1\r\n\
             Authorization: Bearer t-1\r\nContent-Length: 7\r\nConnection: close\r\n\r\ngröße"
                .to_owned(),
        ),
        (
            Method::Get,
            RequestContent {
                credentials: Some(Credentials::Basic {
                    username: "mönitor".to_owned(),
                    password: secret("/password"),
                }),
                ..RequestContent::default()
            },
            format!("{usual}Authorization: Basic bcO2bml0b3I6cDox\r\nConnection: close\r\n\r\n"),
        ),
        (
            Method::Put,
            RequestContent::default(),
            format!("{usual}Content-Length: 0\r\nConnection: close\r\n\r\n"),
        ),
        (
            Method::Delete,
            RequestContent::default(),
            format!("{usual}Connection: close\r\n\r\n"),
        ),
    ];
    for (method, content, expected) in rows {
        let check = HttpCheck::new(method, "/a", Vec::new(), None, false).unwrap();
        let check = check.with_content(content).unwrap();
        let host = Host::Name("a.example".to_owned());
        let mut http = Http::new(&check, &host, 80, Tls::Off, &secrets);
        let Step::Send { bytes, name } = http.next(&mut Input::default()) else {
            panic!("nothing sent")
        };
        let sent = String::from_utf8(bytes).unwrap();
        assert_eq!(sent, format!("{method} /a HTTP/1.1\r\n{expected}"));
        assert_eq!(name, format!("{method} /a"));
    }
}

#[test]
fn redirect_is_followed_only_when_enabled() {
    let follow = HttpCheck::new(Method::Head, "/", Vec::new(), None, true).unwrap();
    let reply = b"HTTP/1.1 302 Found\r\nLocation: https://a.example/b\r\n\r\n";
    check(plain(&follow), reply, "> HEAD / | moved: https://a.example/b");
    check(
        plain(&HttpCheck::default()),
        reply,
        "> HEAD / | healthy: 302 Found",
    );
}

#[test]
fn other_protocols_are_wrong_service() {
    let (default, text) = (HttpCheck::default(), looking_for("all well"));
    check_other_services(plain(&default), &["http"]);
    check(
        plain(&default),
        b"HTTP/1.1 099 x\r\n\r\n",
        "> HEAD / | wrong_service",
    );
    check(
        plain(&default),
        b"HTTP/1.1 20x\r\n\r\n",
        "> HEAD / | wrong_service",
    );
    fuzz(plain(&default), b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n");
    fuzz(
        plain(&text),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nis all\r\n5\r\n well\r\n0\r\n\r\n",
    );
}

#[test]
fn request_has_rfc_9112_host_header() {
    let rows = [
        ("a.example", 80, Tls::Off, "a.example"),
        ("a.example", 443, Tls::Implicit, "a.example"),
        ("a.example", 8443, Tls::Implicit, "a.example:8443"),
        ("::1", 80, Tls::Off, "[::1]"),
        ("192.0.2.1", 8080, Tls::Off, "192.0.2.1:8080"),
    ];
    for (host, port, tls, expected) in rows {
        let mut http = Http::new(
            &HttpCheck::default(),
            &host.parse().unwrap(),
            port,
            tls,
            &RequestSecrets::default(),
        );
        let Step::Send { bytes, .. } = http.next(&mut Input::default()) else {
            panic!("nothing sent")
        };
        let wanted = format!(
            "HEAD / HTTP/1.1\r\nHost: {expected}\r\nUser-Agent: portpulse\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        );
        assert_eq!(String::from_utf8(bytes).unwrap(), wanted);
    }
}

#[test]
fn decision_table_matches_code() {
    let (default, text) = (HttpCheck::default(), looking_for("all well"));
    let only = HttpCheck::new(Method::Head, "/", vec![204..=204], None, false).unwrap();
    let follow = HttpCheck::new(Method::Head, "/", Vec::new(), None, true).unwrap();
    let get = HttpCheck::new(Method::Get, "/", Vec::new(), None, false).unwrap();
    let make = |check: &HttpCheck| plain(check)();
    Table::of(include_str!("../http.rs"))
        .codes(
            &["status, if none is configured"],
            (200..1000).map(|code: u16| code.to_string()),
            |code| (make(&get), format!("HTTP/1.1 {code} x\r\n\r\n").into_bytes()),
        )
        .case("`405`", make(&default), "HTTP/1.1 405 Method Not Allowed\r\n\r\n")
        .case("`405`", make(&only), "HTTP/1.1 501 Not Implemented\r\n\r\n")
        .case(
            "the body ends",
            make(&text),
            "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nsorry",
        )
        .case("an expected", make(&only), "HTTP/1.1 204 No Content\r\n\r\n")
        .case("another status", make(&only), "HTTP/1.1 200 OK\r\n\r\n")
        .case(
            "the expected text",
            make(&text),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsorry",
        )
        .case(
            "a pattern",
            make(&conditions(&["x"], &[], &[])),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsorry",
        )
        .case(
            "a condition on a body",
            make(&conditions(&[], &[], &[("$.n", 1)])),
            format!("HTTP/1.1 200 OK\r\n\r\n{}", " ".repeat(body::MAX_BODY_BYTES)),
        )
        .case(
            "301, 302",
            make(&follow),
            "HTTP/1.1 301 Moved\r\nLocation: /b\r\n\r\n",
        )
        .case("the end", make(&default), "")
        .finish();
}
