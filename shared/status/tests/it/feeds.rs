//! Machine-readable answers.

use portpulse_history::view::Audience;
use portpulse_status::{
    Access, Feed, Page, PageRequest, Received, Request, Response, Site, Span, Token, Transport,
};

use crate::sample::{now, overview, public, site};

fn request(path: &str, query: &str) -> Request {
    Request {
        path: path.to_owned(),
        query: query.to_owned(),
        host: Some("localhost:8080".to_owned()),
        ..Request::default()
    }
}

fn feed(path: &str, query: &str) -> Option<Feed> {
    match site().receive(&request(path, query), now()) {
        Received::Page(PageRequest {
            page: Page::Feed(feed),
            ..
        }) => Some(feed),
        Received::Page(_) | Received::Response(_) | Received::Action(..) => None,
    }
}

fn answer(path: &str, query: &str) -> Response {
    let feed = feed(path, query).unwrap_or_else(|| panic!("{path}?{query}"));
    site().feed(Audience::Private, &feed, &overview())
}

#[test]
fn each_feed_path_returns_its_format() {
    for (path, query, media_type, part) in [
        (
            "/api/monitors",
            "",
            "application/json; charset=utf-8",
            "\"orders-db\"",
        ),
        (
            "/api/incidents",
            "",
            "application/json; charset=utf-8",
            "\"orders-db\"",
        ),
        (
            "/metrics",
            "",
            "text/plain; version=0.0.4; charset=utf-8",
            "orders-db",
        ),
        (
            "/incidents.atom",
            "",
            "application/atom+xml; charset=utf-8",
            "<link href=\"/incidents/orders-db@2026-11-22T05:38:00Z.7\"/>",
        ),
        ("/badge/orders-db.svg", "", "image/svg+xml; charset=utf-8", "down"),
        (
            "/badge/orders-db.svg",
            "kind=uptime",
            "image/svg+xml; charset=utf-8",
            "%",
        ),
    ] {
        let answer = answer(path, query);
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some(media_type)),
            "{path}"
        );
        assert!(answer.body.contains(part), "{path}: {}", answer.body);
        assert!(answer.header("content-security-policy").is_some());
    }
    assert_eq!(
        feed("/api/monitors/orders-db", ""),
        Some(Feed::Monitor("orders-db".parse().unwrap(), Span::Day))
    );
    assert_eq!(
        feed("/api/monitors/orders-db", "span=30d"),
        Some(Feed::Monitor("orders-db".parse().unwrap(), Span::Month))
    );
    for unknown in [
        "/api/monitors/",
        "/api/monitors/A",
        "/badge/.svg",
        "/badge/a.png",
        "/api",
    ] {
        assert_eq!(feed(unknown, ""), None, "{unknown}");
    }
    assert_eq!(feed("/badge/orders-db.svg", "kind=x"), None);
}

#[test]
fn only_public_badges_are_embeddable() {
    for (audience, path, policy) in [
        (Audience::Public, "/badge/orders-db.svg", "cross-origin"),
        (Audience::Public, "/api/monitors", "same-origin"),
        (Audience::Private, "/badge/orders-db.svg", "same-origin"),
        (Audience::Private, "/api/monitors", "same-origin"),
    ] {
        let answer = site().feed(audience, &feed(path, "").unwrap(), &overview());
        let found = answer.header("cross-origin-resource-policy");
        assert_eq!(found, Some(policy), "{audience:?} {path}");
    }
}

#[test]
fn answers_contain_no_request_headers_or_body() {
    let known = overview();
    let mut hostile = Vec::new();
    for path in [
        "/",
        "/incidents",
        "/incidents/orders-db@2026-11-22T05:38:00Z.7",
        "/api/monitors",
        "/api/incidents",
        "/metrics",
        "/incidents.atom",
    ] {
        let mut bodies = ["localhost:8080", "evil.example"].map(|host| {
            let request = Request {
                host: Some(host.to_owned()),
                authorization: Some(format!("Bearer {host}")),
                cookies: format!("portpulse={host}"),
                body: host.into(),
                ..request(path, "")
            };
            let site = Site::new(Access::Public, 60);
            let Received::Page(asked) = site.receive(&request, now()) else {
                panic!("{path}")
            };
            match &asked.page {
                Page::Overview(selection) => site.overview(asked.audience, selection, &known),
                Page::Report(..) => panic!("no report is asked for"),
                Page::Incidents(selection) => site.incidents(asked.audience, selection, &known),
                Page::Feed(feed) => site.feed(asked.audience, feed, &known),
                Page::Incident(id) => site.incident(asked.audience, id, &known),
                Page::Monitor(..) => panic!("{path}"),
            }
        });
        let [ours, theirs] = &mut bodies;
        assert_eq!(ours, theirs, "{path}");
        hostile.push(theirs.body.contains("evil"));
    }
    assert!(!hostile.contains(&true));
}

#[test]
fn public_feeds_contain_no_private_data() {
    for path in ["/api/monitors", "/api/incidents", "/metrics", "/incidents.atom"] {
        let feed = feed(path, "").unwrap();
        let answer = site().feed(Audience::Public, &feed, &public());
        assert!(answer.body.contains("orders-db"), "{path}");
        for hidden in ["example.com", "5432", "192.0.2", "east", "FATAL", "refused"] {
            assert!(
                !answer.body.contains(hidden),
                "{hidden} is in {path}: {}",
                answer.body
            );
        }
    }
}

#[test]
fn feeds_without_token_return_401() {
    let token = Token::new("0123456789abcdef0123456789abcdef", Transport::Tls).unwrap();
    let site = Site::new(Access::Token(token), 60);
    for path in [
        "/api/monitors",
        "/metrics",
        "/openapi.json",
        "/badge/orders-db.svg",
    ] {
        match site.receive(&request(path, ""), now()) {
            Received::Response(answer) => assert_eq!(answer.status, 401, "{path}"),
            other @ (Received::Page(_) | Received::Action(..)) => panic!("{other:?}"),
        }
    }
}
