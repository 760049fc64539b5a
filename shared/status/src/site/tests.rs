use portpulse_core::group_state::Status;

use super::*;
use crate::access::{Token, Transport};
use crate::request::Signature;

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
        Received::Answer(response) => response,
        Received::Asked(asked) => panic!("{asked:?}"),
    }
}

/// A status, and where it leads.
fn came_to(site: &Site, method: Method, path: &str) -> (u16, Option<String>) {
    let response = answer(site, &request(method, path));
    (response.status, response.header("location").map(str::to_owned))
}

#[test]
fn strangers_are_led_to_the_door_and_programs_are_told_how_to_knock() {
    let site = with_token();
    let door = Some("/sign-in".to_owned());
    for path in ["/", "/incidents", "/monitors/orders-db"] {
        assert_eq!(came_to(&site, Method::Get, path), (303, door.clone()), "{path}");
        assert_eq!(came_to(&site, Method::Post, path), (303, door.clone()), "{path}");
    }
    let response = answer(&site, &request(Method::Get, "/nothing"));
    assert_eq!(
        (response.status, response.header("www-authenticate")),
        (401, Some("Bearer"))
    );
    let response = answer(&site, &request(Method::Get, "/sign-in"));
    assert_eq!(response.status, 200);
    assert!(!response.body.contains("/incidents"), "{}", response.body);
}

#[test]
fn the_token_in_the_form_opens_the_door_and_signing_out_closes_it() {
    let site = with_token();
    let mut knock = request(Method::Post, "/sign-in");
    knock.body = format!("token=+{TOKEN}").into_bytes();
    let response = answer(&site, &knock);
    assert_eq!((response.status, response.header("location")), (303, Some("/")));
    let cookie = response.header("set-cookie").unwrap().to_owned();
    let mut enter = request(Method::Get, "/");
    enter.cookies = cookie.split(';').next().unwrap().to_owned();
    let asked = site.receive(&enter, now());
    let Received::Asked(asked) = asked else {
        panic!("{asked:?}")
    };
    assert_eq!(asked.audience, Audience::Private);

    let mut leave = request(Method::Post, "/sign-out");
    leave.cookies.clone_from(&enter.cookies);
    for path in ["/sign-out", "/sign-in"] {
        let from_elsewhere = Request {
            initiator: Initiator::of(Some("cross-site")),
            path: path.to_owned(),
            ..leave.clone()
        };
        let response = answer(&site, &from_elsewhere);
        assert_eq!(
            (response.status, response.header("set-cookie")),
            (403, None),
            "{path}"
        );
    }
    let response = answer(&site, &leave);
    assert!(
        response
            .header("set-cookie")
            .unwrap()
            .contains("=; Path=/; Max-Age=0;")
    );
    let response = answer(&site, &enter);
    assert_eq!(
        response.status, 303,
        "a cookie that was copied opens nothing any more"
    );
    assert_eq!(came_to(&site, Method::Get, "/sign-out"), (405, None));

    for wrong in [
        String::new(),
        "token=".to_owned(),
        format!("token={TOKEN}0"),
        format!("x={TOKEN}"),
    ] {
        knock.body = wrong.clone().into_bytes();
        let response = answer(&site, &knock);
        assert_eq!(
            (response.status, response.header("set-cookie")),
            (403, None),
            "{wrong}"
        );
        assert!(!response.body.contains(TOKEN), "{wrong}");
    }
    for _ in 0..20 {
        knock.body = b"token=guessed".to_vec();
        drop(answer(&site, &knock));
    }
    let response = answer(&site, &knock);
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
fn who_needs_no_token_is_asked_for_none() {
    let public = Site::new(Access::Public, 60);
    let mut signed = request(Method::Get, "/");
    signed.signature = Signature::Verified;
    let asked = |site: &Site, request: &Request| match site.receive(request, now()) {
        Received::Asked(asked) => asked.audience,
        Received::Answer(response) => panic!("{response:?}"),
    };
    assert_eq!(asked(&public, &request(Method::Head, "/")), Audience::Public);
    assert_eq!(asked(&Site::new(Access::Signed, 60), &signed), Audience::Private);
    assert_eq!(
        came_to(&public, Method::Get, "/sign-in"),
        (303, Some("/".to_owned()))
    );
    assert_eq!(
        came_to(&Site::new(Access::Signed, 60), Method::Get, "/"),
        (403, None)
    );
    assert_eq!(
        came_to(&Site::new(Access::Loopback, 60), Method::Get, "/"),
        (421, None)
    );
}

#[test]
fn nothing_is_changed_and_nothing_else_is_there() {
    let public = Site::new(Access::Public, 60);
    assert_eq!(came_to(&public, Method::Get, "/nothing"), (404, None));
    assert_eq!(
        came_to(&public, Method::Get, "/monitors/%3Cscript%3E"),
        (404, None)
    );
    for path in ["/", "/nothing", "/monitors/orders-db"] {
        assert_eq!(came_to(&public, Method::Post, path), (405, None), "{path}");
        assert_eq!(came_to(&public, Method::Other, path), (405, None), "{path}");
    }
}

/// Every response there is.
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
        ("public", public.incidents(Audience::Public, 0, &known)),
        ("never", public.overview(Audience::Private, &selection, &known)),
        ("never", public.incidents(Audience::Private, 0, &known)),
        ("never", public.monitor(Audience::Public, Span::Day, None)),
        ("never", public.unreadable()),
        ("never", answer(&public, &request(Method::Get, "/nothing"))),
        ("never", answer(&public, &request(Method::Post, "/"))),
        ("never", answer(&with_token(), &request(Method::Get, "/"))),
        ("never", answer(&with_token(), &request(Method::Get, "/sign-in"))),
        ("never", answer(&with_token(), &request(Method::Post, "/sign-in"))),
        (
            "never",
            answer(&with_token(), &request(Method::Post, "/sign-out")),
        ),
        ("never", answer(&with_token(), &request(Method::Get, "/x"))),
        (
            "never",
            answer(&Site::new(Access::Signed, 60), &request(Method::Get, "/")),
        ),
        (
            "never",
            answer(&Site::new(Access::Loopback, 60), &request(Method::Get, "/")),
        ),
    ]
}

#[test]
fn every_response_is_as_strict_and_is_kept_as_long_as_it_may_be() {
    for (kept, response) in all() {
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
        let expected = match kept {
            "public" => "public, max-age=30, stale-while-revalidate=60",
            _ => "no-store",
        };
        assert_eq!(header("cache-control"), expected, "{response:?}");
        let has_style = response.body.contains("style=") || response.body.contains("<style");
        let has_script = response.body.contains("<script>") || response.body.contains(" onclick");
        assert!(
            !has_style && !has_script,
            "the policy would stop it: {}",
            response.body
        );
    }
}

#[test]
fn files_of_the_program_are_kept_for_ever_under_a_name_that_changes_with_them() {
    let site = with_token();
    let page = answer(&site, &request(Method::Get, "/sign-in")).body;
    for (before, media_type) in [
        ("rel=\"stylesheet\" href=\"", "text/css; charset=utf-8"),
        ("type=\"image/svg+xml\" href=\"", "image/svg+xml; charset=utf-8"),
        ("<script src=\"", "text/javascript; charset=utf-8"),
    ] {
        let (_, rest) = page.split_once(before).unwrap();
        let path = rest.split('"').next().unwrap();
        let response = answer(&site, &request(Method::Get, path));
        assert_eq!(
            (response.status, response.header("content-type")),
            (200, Some(media_type))
        );
        assert_eq!(
            response.header("cache-control"),
            Some("public, max-age=31536000, immutable")
        );
        assert_eq!(
            came_to(&site, Method::Get, &path.replace('.', "0.")).0,
            401,
            "{path}"
        );
    }
}

#[test]
fn every_status_has_a_colour_and_a_shape_of_its_own() {
    let sheet = include_str!("../asset/style.css");
    let mut shapes = std::collections::BTreeSet::new();
    for status in Status::ALL {
        let badge = crate::words::status(*status).into_string();
        let (_, rest) = badge.split_once(" d=\"").unwrap();
        shapes.insert(rest.split('"').next().unwrap().to_owned());
        // The plain badge is that of `unknown`.
        let rule = format!(".badge.{status} ");
        assert!(*status == Status::Unknown || sheet.contains(&rule), "{rule}");
    }
    assert_eq!(shapes.len(), Status::ALL.len());
}
