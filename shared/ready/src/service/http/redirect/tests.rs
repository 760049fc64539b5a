use portpulse_core::readiness::Method;

use super::*;
use crate::tls::TlsClient;

fn describe_redirect(host: &str, port: u16, location: &str) -> String {
    let check = HttpCheck::new(Method::Get, "/a/b?c", Vec::new(), None, true).unwrap();
    let client = TlsClient::with_roots([]);
    let readiness = Readiness::new(Protocol::Http(check), Tls::implied(None, port), 30).unwrap();
    let request = Request::new(readiness, host.parse().unwrap(), port, &client);
    match follow(&request, location) {
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
fn redirect_stays_on_same_host() {
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
        ("", "Off 8080 /a/"),
        (
            "https://b.example/x",
            "redirects to another host are not followed",
        ),
        ("https://a.example@b.example/", "invalid address"),
        ("https://a.example:0/", "invalid address"),
        ("https://a.example:99999/", "invalid address"),
        ("ftp://a.example/", "unsupported scheme, neither http nor https"),
        ("/a b", "invalid path"),
        ("/\u{e9}", "invalid path"),
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
