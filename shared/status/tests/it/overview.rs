//! The overview of all monitors.

use portpulse_history::view::{Audience, MonitorView, Overview};
use portpulse_status::{Grouping, Selection};

use crate::sample::{attributes, overview, overview_html, public, site, texts};

fn page(selection: &Selection) -> String {
    overview_html(&overview(), selection)
}

#[test]
fn failing_monitors_come_first_with_counts() {
    let html = page(&Selection::default());
    assert_eq!(texts(&html, "h1"), ["2 of 4 monitors need attention"]);
    assert_eq!(texts(&html, ".counts li"), ["1 down", "1 degraded", "2 up"]);
    assert_eq!(texts(&html, "h2"), ["Needs attention 2", "Up 2"]);
    assert_eq!(
        texts(&html, ".monitor .name"),
        ["orders-db", "queue", "bastion", "cache"]
    );
    assert_eq!(
        texts(&html, ".monitor .remarks")[0],
        "for 4 min 20 srefused: FATAL: the database system is starting up\
         silenced until 2026-11-22 07:00 UTC by ann: moving itacknowledged by ann: moving it"
    );
}

#[test]
fn results_are_shown_by_location() {
    let html = page(&Selection::default());
    assert_eq!(
        texts(&html, "section:last-of-type .monitor:first-child .visibility"),
        ["eu-central-1 9 ms", "us-east-1 refused"]
    );
    assert_eq!(texts(&html, ".visibility.bad").len(), 4);
    assert_eq!(
        texts(&html, ".visibility.none"),
        ["us-east-1 silent"],
        "no data is neither good nor bad"
    );
}

#[test]
fn each_span_has_uptime_and_strip() {
    let html = page(&Selection::default());
    let first = texts(&html, ".monitor:first-child .uptime dt");
    assert_eq!(first[..4], ["24h 98.14%", "7d 99.8%", "30d 99.95%", "90d 99.97%"]);
    let strips = attributes(&html, ".monitor .strip", "aria-label");
    assert_eq!(strips.len(), 16);
    assert_eq!(
        strips[0],
        "24 hours: 98.14%, 1 hour with an outage, 6 hours without data"
    );
}

#[test]
fn monitors_are_grouped_by_tag_or_group() {
    let by = |by| {
        let html = page(&Selection {
            grouping: by,
            ..Selection::default()
        });
        (texts(&html, "h2"), texts(&html, ".monitor .name"))
    };
    assert_eq!(
        by(Grouping::Tag),
        (
            ["edge 1", "shop 2", "team=a 1", "No tag 1"]
                .map(str::to_owned)
                .to_vec(),
            ["bastion", "orders-db", "cache", "cache", "queue"]
                .map(str::to_owned)
                .to_vec()
        )
    );
    assert_eq!(by(Grouping::Group).0, ["Group 1m#0 2", "Group 5m#0 2"]);
}

#[test]
fn search_matches_ids_hosts_and_tags() {
    let found = |words: &str, tag: Option<&str>| {
        let html = page(&Selection {
            search: words.to_owned(),
            tag: tag.map(str::to_owned),
            ..Selection::default()
        });
        assert_eq!(attributes(&html, "input[name=q]", "value"), [words]);
        texts(&html, ".monitor .name")
    };
    assert_eq!(found("ORDERS", None), ["orders-db"]);
    assert_eq!(found("192.0.2 team=a", None), ["cache"]);
    assert_eq!(found("", Some("shop")), ["orders-db", "cache"]);
    assert_eq!(found("cache", Some("edge")), [""; 0]);
    let html = page(&Selection {
        search: "nowhere".to_owned(),
        ..Selection::default()
    });
    assert!(html.contains("No monitor matches."), "{html}");
    assert_eq!(
        texts(&html, "h1"),
        ["2 of 4 monitors need attention"],
        "the heading counts all monitors"
    );
}

#[test]
fn notices_list_silent_locations_and_unreadable_items() {
    let notices = texts(&page(&Selection::default()), ".notices li");
    assert_eq!(
        notices,
        [
            "Location us-east-1 does not report since 2026-11-22 05:30 UTC",
            "The definition of broken one is invalid and is not checked: `host` is missing",
            "An item in the table cannot be read: group#1m#0/location#x is of a later version",
        ]
    );
}

#[test]
fn incomplete_current_hour_is_noted_on_private_pages() {
    for (mut known, is_noted) in [(overview(), true), (public(), false)] {
        assert!(!overview_html(&known, &Selection::default()).contains("current hour"));
        known.left_out.hour = true;
        let html = overview_html(&known, &Selection::default());
        assert_eq!(
            html.contains("The checks of the current hour are missing"),
            is_noted
        );
    }
}

#[test]
fn public_overview_contains_no_private_data() {
    let html = overview_html(&public(), &Selection::default());
    assert_eq!(texts(&html, ".monitor .name").len(), 4);
    assert_eq!(texts(&html, ".monitor .uptime").len(), 4);
    for hidden in [
        "example.com",
        "192.0.2",
        "5432",
        "6379",
        "shop",
        "east",
        "FATAL",
        "refused",
        "1m#0",
        "9 ms",
        "broken",
    ] {
        assert!(!html.contains(hidden), "{hidden} is in {html}");
    }
    // The search must not reveal private data either.
    let selection = Selection {
        search: "db.example".to_owned(),
        ..Selection::default()
    };
    assert_eq!(
        texts(&overview_html(&public(), &selection), ".monitor .name"),
        [""; 0]
    );
}

#[test]
fn page_of_50_monitors_has_bounded_size() {
    let mut known = overview();
    known.monitors = known.monitors.iter().cycle().take(50).cloned().collect();
    let html = overview_html(&known, &Selection::default());
    assert!(html.len() < 260_000, "{} bytes", html.len());
}

/// Copies of the sample's monitors under different ids; the first `down` of them are down.
fn fleet(monitors: usize, down: usize) -> Overview {
    let mut known = overview();
    let (bad, good) = (known.monitors[0].clone(), known.monitors[2].clone());
    let named = |number: usize| {
        let like = if number < down { &bad } else { &good };
        MonitorView {
            id: format!("m{number:04}").parse().unwrap(),
            ..like.clone()
        }
    };
    known.monitors = (0..monitors).map(named).collect();
    known
}

#[test]
fn overview_is_paginated_by_100_monitors() {
    let known = fleet(250, 2);
    let mut seen = Vec::new();
    let mut page = 0;
    loop {
        let selection = Selection {
            page,
            ..Selection::default()
        };
        let html = overview_html(&known, &selection);
        assert_eq!(texts(&html, "h1"), ["2 of 250 monitors need attention"]);
        seen.extend(texts(&html, ".monitor .name"));
        let on_other_pages = texts(&html, ".on-other-pages li");
        let bad: &[&str] = if page == 0 { &[] } else { &["m0000", "m0001"] };
        assert_eq!(on_other_pages, bad, "failing monitors are shown on every page");
        let next = attributes(&html, "a[rel=next]", "href");
        let Some(next) = next.first() else { break };
        page += 1;
        assert_eq!(*next, format!("/?page={}", page + 1));
    }
    let all: Vec<_> = known.monitors.iter().map(|m| m.id.to_string()).collect();
    assert_eq!(seen, all, "each monitor is on one page");
    let beyond = Selection {
        page: 99,
        ..Selection::default()
    };
    assert_eq!(texts(&overview_html(&known, &beyond), ".monitor .name").len(), 50);
    assert_eq!(texts(&page_of(&known, 0), "h2"), ["Needs attention 2", "Up 248"]);
}

fn page_of(known: &Overview, page: usize) -> String {
    let selection = Selection {
        page,
        ..Selection::default()
    };
    overview_html(known, &selection)
}

#[test]
fn failing_monitors_of_other_pages_are_listed_by_name() {
    let known = fleet(250, 150);
    let html = page_of(&known, 0);
    assert_eq!(texts(&html, ".monitor .name").len(), 100);
    assert_eq!(texts(&html, ".on-other-pages li").len(), 50);
    assert_eq!(
        texts(&html, ".on-other-pages h2"),
        ["Needs attention (on other pages) 50"]
    );
    let selection = Selection {
        search: "m0249".to_owned(),
        page: 2,
        ..Selection::default()
    };
    let html = overview_html(&known, &selection);
    assert_eq!(texts(&html, ".monitor .name"), ["m0249"]);
    assert_eq!(
        texts(&html, ".on-other-pages li"),
        [""; 0],
        "a search lists matching monitors only"
    );
}

#[test]
fn page_of_1000_monitors_is_at_most_1_mb() {
    for (down, by) in [
        (0, Grouping::Status),
        (1_000, Grouping::Status),
        (1_000, Grouping::Tag),
        (500, Grouping::Group),
    ] {
        let mut known = fleet(1_000, down);
        for (number, monitor) in known.monitors.iter_mut().enumerate() {
            monitor.id = format!("{:x<64}", format!("m{number:04}-")).parse().unwrap();
        }
        let one = known.open[0].clone();
        known.open = vec![one; 1_000];
        known.closed = known.open.clone();
        let inside = known.inside.as_mut().unwrap();
        let wrong = vec!["`host` is wrong in one of many ways".repeat(3); 5];
        let broken = (0..1_000).map(|number| (format!("broken-{number}"), wrong.clone()));
        inside.broken = broken.collect();
        inside.unreadable = vec!["a row that is of a later version".to_owned(); 1_000];
        for page in [0, 3] {
            let selection = Selection {
                grouping: by,
                page,
                ..Selection::default()
            };
            let html = overview_html(&known, &selection);
            assert!(
                html.len() <= 1_000_000,
                "{} bytes: {down} down, {by:?}",
                html.len()
            );
        }
        for page in [0, 3] {
            let html = site().incidents(Audience::Private, page, &known).body;
            assert!(html.len() <= 1_000_000, "{} bytes of incidents", html.len());
            assert_eq!(texts(&html, ".incident").len(), 200);
        }
    }
}
