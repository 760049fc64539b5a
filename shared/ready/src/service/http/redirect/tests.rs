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
        ("https://b.example/x", "another host is not followed to"),
        ("https://a.example@b.example/", "the address cannot be read"),
        ("https://a.example:0/", "the address cannot be read"),
        ("https://a.example:99999/", "the address cannot be read"),
        ("ftp://a.example/", "the scheme is not http or https"),
        ("/a b", "the path cannot be asked for"),
        ("/\u{e9}", "the path cannot be asked for"),
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
