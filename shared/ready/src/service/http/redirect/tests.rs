use portpulse_core::readiness::{Credentials, Header, HttpCheck, Method, RequestContent};
use portpulse_core::secret::SecretName;

use super::*;
use crate::tls::TlsClient;

fn describe_redirect(host: &str, port: u16, location: &str) -> String {
    let check = HttpCheck::new(Method::Get, "/a/b?c", Vec::new(), None, true).unwrap();
    let client = TlsClient::with_roots([]);
    let readiness = Readiness::new(Protocol::Http(check), Tls::implied(None, port), 30).unwrap();
    let request = Request::new(readiness, host.parse().unwrap(), port, &client);
    match follow(&request, location, 302) {
        Ok(request) => {
            let (readiness, port) = (&request.readiness, request.port);
            let Protocol::Http(check) = readiness.protocol() else {
                panic!("{request:?}")
            };
            assert!(check.follows() && readiness.warn_days() == 30);
            format!("{:?} {port} {}", readiness.tls(), check.path())
        }
        Err(why) => why.to_owned(),
    }
}

#[test]
fn location_is_resolved_as_browsers_do() {
    let rows = [
        ("https://a.example/x", "Implicit 443 /x"),
        ("HTTPS://A.example.:8443", "Implicit 8443 /"),
        ("http://a.example?q", "Off 80 /?q"),
        ("//a.example/y#z", "Off 80 /y"),
        (
            "/login?to=https://b.example/",
            "Off 8080 /login?to=https://b.example/",
        ),
        ("next", "Off 8080 /a/next"),
        ("?q", "Off 8080 /a/b?q"),
        ("", "Off 8080 /a/b?c"),
        ("../x/./y", "Off 8080 /x/y"),
        ("https://b.example/x", "Implicit 443 /x"),
        ("https://a@a.example/", "invalid address"),
        ("https://a.example:0/", "invalid address"),
        ("https://a.example:99999/", "invalid address"),
        ("ftp://a.example/", "unsupported scheme, neither http nor https"),
        ("/a b", "Off 8080 /a%20b"),
        ("/caf\u{e9}", "Off 8080 /caf%C3%A9"),
    ];
    for (location, expected) in rows {
        assert_eq!(
            describe_redirect("a.example", 8080, location),
            expected,
            "{location}"
        );
    }
    assert_eq!(
        describe_redirect("::1", 8080, "https://[::1]/x"),
        "Implicit 443 /x"
    );
    assert_eq!(describe_redirect("::1", 8080, "http://[::1]:81/x"), "Off 81 /x");
}

#[test]
fn status_decides_about_method_and_body() {
    let content = RequestContent {
        headers: vec![Header {
            name: "Content-Type".to_owned(),
            value: "text/plain".to_owned(),
        }],
        body: Some("a".to_owned()),
        ..RequestContent::default()
    };
    for (method, code, expected) in [
        (Method::Post, 301, "GET, no body"),
        (Method::Post, 302, "GET, no body"),
        (Method::Post, 303, "GET, no body"),
        (Method::Post, 307, "POST, body"),
        (Method::Put, 301, "PUT, body"),
        (Method::Put, 303, "GET, no body"),
        (Method::Patch, 308, "PATCH, body"),
        (Method::Get, 302, "GET, body"),
    ] {
        let check = HttpCheck::new(method, "/", Vec::new(), None, true).unwrap();
        let check = after(&check.with_content(content.clone()).unwrap(), code);
        let content = check.content();
        assert_eq!(content.body.is_some(), content.has_header("content-type"));
        let body = if content.body.is_some() { "body" } else { "no body" };
        assert_eq!(format!("{}, {body}", check.method()), expected, "{method} {code}");
    }
}

#[test]
fn secrets_stay_with_their_origin() {
    let secret = |path: &str| SecretName::Parameter(path.to_owned());
    let content = RequestContent {
        headers: vec![
            Header {
                name: "Host".to_owned(),
                value: "shop.example".to_owned(),
            },
            Header {
                name: "X-Env".to_owned(),
                value: "prod".to_owned(),
            },
        ],
        secret_headers: vec![Header {
            name: "X-Key".to_owned(),
            value: secret("/key"),
        }],
        credentials: Some(Credentials::Bearer(secret("/token"))),
        body: None,
    };
    let check = HttpCheck::new(Method::Get, "/", Vec::new(), None, true).unwrap();
    let check = check.with_content(content).unwrap();
    let readiness = Readiness::new(Protocol::Http(check), Tls::Implicit, 14).unwrap();
    let client = TlsClient::with_roots([]);
    let request = Request::new(readiness, "a.example".parse().unwrap(), 443, &client);
    for (location, secrets, headers) in [
        ("/b", 2, 2),
        ("https://a.example/b", 2, 2),
        ("https://a.example:8443/b", 0, 1),
        ("http://a.example:443/b", 0, 1),
        ("https://www.a.example/b", 0, 1),
    ] {
        let followed = follow(&request, location, 302).unwrap();
        let Protocol::Http(check) = followed.readiness.protocol() else {
            panic!("{followed:?}")
        };
        let found = (followed.readiness.secrets().len(), check.content().headers.len());
        assert_eq!(found, (secrets, headers), "{location}");
    }
}
