use portpulse_core::readiness::Method;

use super::*;
use crate::test_harness::{check, check_other_services, check_table, fuzz};

fn plain(check: &HttpCheck) -> impl Fn() -> Http + use<'_> {
    move || Http::new(check, &Host::Name("a.example".to_owned()), 80, Tls::Off)
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
        (&default, "502 Bad Gateway", "busy: 502 Bad Gateway"),
        (&default, "503", "busy: 503"),
        (&only, "204 No Content", "healthy: 204 No Content"),
        (&only, "401 Unauthorized", "healthy: 401 Unauthorized"),
        (&only, "404 Not Found", "wrong_answer: 404 Not Found"),
        (&only, "500 Oops", "busy: 500 Oops"),
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
        "a".repeat(body::MAX_SEARCHED_BYTES)
    );
    let transcript = crate::test_harness::transcript(plain(&all_well)(), long.as_bytes().chunks(1000));
    assert_eq!(
        transcript,
        "> GET /health | wrong_answer: 200 OK, but the expected text is missing"
    );
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
        b"HTTP/1.1 999 x\r\n\r\n",
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
        let mut http = Http::new(&HttpCheck::default(), &host.parse().unwrap(), port, tls);
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
    let (default_check, text) = (HttpCheck::default(), looking_for("all well"));
    let only = HttpCheck::new(Method::Head, "/", vec![204..=204], None, false).unwrap();
    let follow = HttpCheck::new(Method::Head, "/", Vec::new(), None, true).unwrap();
    let case = |answer, check: &HttpCheck, reply: &str| (answer, plain(check)(), reply.as_bytes().to_vec());
    let cases = [
        case("an expected", &default_check, "HTTP/1.1 404 Not Found\r\n\r\n"),
        case("an expected", &only, "HTTP/1.1 204 No Content\r\n\r\n"),
        case("5xx", &default_check, "HTTP/1.1 503 Service Unavailable\r\n\r\n"),
        case("another status", &only, "HTTP/1.1 200 OK\r\n\r\n"),
        case(
            "the expected text",
            &text,
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsorry",
        ),
        case("3xx", &follow, "HTTP/1.1 301 Moved\r\nLocation: /b\r\n\r\n"),
        case("the end", &default_check, ""),
    ];
    check_table(include_str!("../http.rs"), cases);
}
