use portpulse_core::group_state::Status;

use super::*;
use crate::access::Token;
use crate::request::{Signature, Transport};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn now() -> Timestamp {
    "2026-11-22T05:41:00Z".parse().unwrap()
}

fn with_token() -> Site {
    Site::new(Access::Token(Token::new(TOKEN, Transport::Tls).unwrap()), 60)
}

fn request(method: Method, path: &str) -> Request {
    Request {
        method,
        path: path.to_owned(),
        ..Request::default()
    }
}

fn answer(site: &Site, request: &Request) -> Response {
    match site.receive(request, now()) {
        Received::Response(response) => response,
        other @ (Received::Page(_) | Received::Action(..)) => panic!("{other:?}"),
    }
}

/// The status code and the `Location` header of the response.
fn status_and_location(site: &Site, method: Method, path: &str) -> (u16, Option<String>) {
    let response = answer(site, &request(method, path));
    (response.status, response.header("location").map(str::to_owned))
}

#[test]
fn pages_redirect_to_sign_in_and_feeds_return_401() {
    let site = with_token();
    let sign_in = Some("/sign-in".to_owned());
    for path in ["/", "/incidents", "/monitors/orders-db"] {
        assert_eq!(
            status_and_location(&site, Method::GET, path),
            (303, sign_in.clone()),
            "{path}"
        );
        assert_eq!(
            status_and_location(&site, Method::POST, path),
            (303, sign_in.clone()),
            "{path}"
        );
    }
    let response = answer(&site, &request(Method::GET, "/nothing"));
    assert_eq!(
        (response.status, response.header("www-authenticate")),
        (401, Some("Bearer"))
    );
    let response = answer(&site, &request(Method::GET, "/sign-in"));
    assert_eq!(response.status, 200);
    assert!(!response.body.contains("/incidents"), "{}", response.body);
}

#[test]
fn form_token_signs_in_and_sign_out_ends_session() {
    let site = with_token();
    let mut sign_in = request(Method::POST, "/sign-in");
    sign_in.body = format!("token=+{TOKEN}").into_bytes();
    let response = answer(&site, &sign_in);
    assert_eq!((response.status, response.header("location")), (303, Some("/")));
    let cookie = response.header("set-cookie").unwrap().to_owned();
    let mut overview = request(Method::GET, "/");
    overview.cookies = cookie.split(';').next().unwrap().to_owned();
    let asked = site.receive(&overview, now());
    let Received::Page(asked) = asked else {
        panic!("{asked:?}")
    };
    assert_eq!(asked.audience, Audience::Private);

    let mut sign_out = request(Method::POST, "/sign-out");
    sign_out.cookies.clone_from(&overview.cookies);
    for path in ["/sign-out", "/sign-in"] {
        for sec_fetch_site in ["cross-site", "same-site", "a future value"] {
            let from_elsewhere = Request {
                initiator: Initiator::of(Some(sec_fetch_site)),
                path: path.to_owned(),
                ..sign_out.clone()
            };
            let response = answer(&site, &from_elsewhere);
            assert_eq!(
                (response.status, response.header("set-cookie")),
                (403, None),
                "{path} {sec_fetch_site}"
            );
        }
    }
    assert_eq!(Initiator::of(Some("same-origin")), Initiator::of(None));
    let response = answer(&site, &sign_out);
    assert!(
        response
            .header("set-cookie")
            .unwrap()
            .contains("=; Path=/; Max-Age=0;")
    );
    let response = answer(&site, &overview);
    assert_eq!(response.status, 303, "a copied cookie is invalid after sign-out");
    assert_eq!(status_and_location(&site, Method::GET, "/sign-out"), (405, None));

    for wrong in [
        String::new(),
        "token=".to_owned(),
        format!("token={TOKEN}0"),
        format!("x={TOKEN}"),
    ] {
        sign_in.body = wrong.clone().into_bytes();
        let response = answer(&site, &sign_in);
        assert_eq!(
            (response.status, response.header("set-cookie")),
            (403, None),
            "{wrong}"
        );
        assert!(!response.body.contains(TOKEN), "{wrong}");
    }
    for _ in 0..20 {
        sign_in.body = b"token=guessed".to_vec();
        drop(answer(&site, &sign_in));
    }
    let response = answer(&site, &sign_in);
    assert_eq!(
        (response.status, response.header("retry-after")),
        (429, Some("60"))
    );
    assert!(
        response.body.contains("Try again in a minute"),
        "{}",
        response.body
    );
}

#[test]
fn sites_without_token_do_not_ask_for_one() {
    let public = Site::new(Access::Public, 60);
    let mut signed = request(Method::GET, "/");
    signed.signature = Signature::Verified;
    let asked = |site: &Site, request: &Request| match site.receive(request, now()) {
        Received::Page(asked) => asked.audience,
        other @ (Received::Response(_) | Received::Action(..)) => panic!("{other:?}"),
    };
    assert_eq!(asked(&public, &request(Method::HEAD, "/")), Audience::Public);
    assert_eq!(asked(&Site::new(Access::Signed, 60), &signed), Audience::Private);
    assert_eq!(
        status_and_location(&public, Method::GET, "/sign-in"),
        (303, Some("/".to_owned()))
    );
    assert_eq!(
        status_and_location(&Site::new(Access::Signed, 60), Method::GET, "/"),
        (403, None)
    );
    assert_eq!(
        status_and_location(&Site::new(Access::Loopback, 60), Method::GET, "/"),
        (421, None)
    );
}

#[test]
fn unknown_paths_are_404_and_other_methods_405() {
    let public = Site::new(Access::Public, 60);
    assert_eq!(status_and_location(&public, Method::GET, "/nothing"), (404, None));
    assert_eq!(
        status_and_location(&public, Method::GET, "/monitors/%3Cscript%3E"),
        (404, None)
    );
    for path in ["/", "/nothing", "/monitors/orders-db"] {
        assert_eq!(
            status_and_location(&public, Method::POST, path),
            (405, None),
            "{path}"
        );
        assert_eq!(
            status_and_location(&public, Method::PUT, path),
            (405, None),
            "{path}"
        );
    }
}

/// All kinds of responses, with the expected cache policy.
fn all() -> Vec<(&'static str, Response)> {
    let public = Site::new(Access::Public, 60);
    let known = Overview {
        at: now(),
        monitors: Vec::new(),
        open: Vec::new(),
        closed: Vec::new(),
        left_out: Default::default(),
        inside: None,
    };
    let selection = Selection::default();
    vec![
        ("public", public.overview(Audience::Public, &selection, &known)),
        (
            "public",
            public.incidents(Audience::Public, &IncidentSelection::default(), &known),
        ),
        ("never", public.overview(Audience::Private, &selection, &known)),
        (
            "never",
            public.incidents(Audience::Private, &IncidentSelection::default(), &known),
        ),
        ("never", public.monitor(Audience::Public, Span::Day, None)),
        ("never", public.unavailable()),
        ("never", answer(&public, &request(Method::GET, "/nothing"))),
        ("never", answer(&public, &request(Method::POST, "/"))),
        ("never", answer(&with_token(), &request(Method::GET, "/"))),
        ("never", answer(&with_token(), &request(Method::GET, "/sign-in"))),
        ("never", answer(&with_token(), &request(Method::POST, "/sign-in"))),
        (
            "never",
            answer(&with_token(), &request(Method::POST, "/sign-out")),
        ),
        ("never", answer(&with_token(), &request(Method::GET, "/x"))),
        (
            "never",
            answer(&Site::new(Access::Signed, 60), &request(Method::GET, "/")),
        ),
        (
            "never",
            answer(&Site::new(Access::Loopback, 60), &request(Method::GET, "/")),
        ),
    ]
}

#[test]
fn every_response_has_security_headers_and_cache_policy() {
    for (caching, response) in all() {
        let header = |name| {
            response
                .header(name)
                .unwrap_or_else(|| panic!("{name}: {response:?}"))
        };
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; "), "{policy}");
        for part in ["base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"] {
            assert!(policy.contains(part), "{policy}");
        }
        for unsafe_part in ["unsafe", "http", "*", "data:"] {
            assert!(!policy.contains(unsafe_part), "{policy}");
        }
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        let expected = match caching {
            "public" => "public, max-age=30, stale-while-revalidate=60",
            _ => "no-store",
        };
        assert_eq!(header("cache-control"), expected, "{response:?}");
        let has_style = response.body.contains("style=") || response.body.contains("<style");
        let has_script = response.body.contains("<script>") || response.body.contains(" onclick");
        assert!(
            !has_style && !has_script,
            "the content security policy blocks this: {}",
            response.body
        );
    }
}

#[test]
fn static_files_are_immutable_under_hashed_paths() {
    let site = with_token();
    let page = answer(&site, &request(Method::GET, "/sign-in")).body;
    for (before, media_type) in [
        ("rel=\"stylesheet\" href=\"", "text/css; charset=utf-8"),
        ("type=\"image/svg+xml\" href=\"", "image/svg+xml; charset=utf-8"),
        ("<script src=\"", "text/javascript; charset=utf-8"),
    ] {
        let (_, rest) = page.split_once(before).unwrap();
        let path = rest.split('"').next().unwrap();
        let response = answer(&site, &request(Method::GET, path));
        assert_eq!(
            (response.status, response.header("content-type")),
            (200, Some(media_type))
        );
        assert_eq!(
            response.header("cache-control"),
            Some("public, max-age=31536000, immutable")
        );
        assert_eq!(
            status_and_location(&site, Method::GET, &path.replace('.', "0.")).0,
            401,
            "{path}"
        );
    }
}

#[test]
fn every_status_has_own_colour_and_shape() {
    let sheet = include_str!("../asset/style.css");
    let mut shapes = std::collections::BTreeSet::new();
    for status in Status::ALL {
        let badge = crate::display::status(*status).into_string();
        let (_, rest) = badge.split_once(" d=\"").unwrap();
        shapes.insert(rest.split('"').next().unwrap().to_owned());
        // `unknown` uses the default colours of `.badge`.
        let rule = format!(".badge.{status} ");
        assert!(*status == Status::Unknown || sheet.contains(&rule), "{rule}");
    }
    assert_eq!(shapes.len(), Status::ALL.len());
}
