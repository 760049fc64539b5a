//! The overview of all monitors.

use portpulse_core::group_state::Status;
use portpulse_core::withheld::Withheld;
use portpulse_history::location_kinds::LocationKinds;
use portpulse_history::view::{AdvisoryView, Audience, MonitorView, Overview, OverviewInside};
use portpulse_status::{Grouping, Selection};

use crate::sample::{attributes, overview, overview_html, public, site, texts};

fn page(selection: &Selection) -> String {
    overview_html(&overview(), selection)
}

#[test]
fn unhandled_faults_come_first_then_handled_ones() {
    let mut known = overview();
    let html = overview_html(&known, &Selection::default());
    assert_eq!(texts(&html, "h1"), ["No monitor needs attention"]);
    assert_eq!(
        texts(&html, ".counts li"),
        ["1 down", "1 maintenance", "2 up", "1 acknowledged"]
    );
    assert_eq!(texts(&html, "h2"), ["Handled 2", "Up 2"]);
    assert_eq!(
        texts(&html, ".monitor .remarks")[..2],
        [
            "for 4 min 20 srefused: FATAL: the database system is starting upacknowledged by ann: moving it",
            "degradedfor 4 min 20 suntil 2026-11-22 06:00 UTC: update",
        ]
    );
    assert_eq!(texts(&html, ".monitor .badge")[..2], ["down", "maintenance"]);

    known.monitors[0].inside.as_mut().unwrap().control = None;
    known.monitors[1].in_maintenance = false;
    let html = overview_html(&known, &Selection::default());
    assert_eq!(texts(&html, "h1"), ["2 of 4 monitors need attention"]);
    assert_eq!(texts(&html, ".counts li"), ["1 down", "1 degraded", "2 up"]);
    assert_eq!(texts(&html, "h2"), ["Needs attention 2", "Up 2"]);
    assert_eq!(
        texts(&html, ".monitor .name"),
        ["orders-db", "queue", "bastion", "cache"]
    );
    let (search, up) = (html.find("role=\"search\"").unwrap(), html.find(">Up ").unwrap());
    assert!(
        html.find("queue").unwrap() < search && search < up,
        "no filter precedes a fault"
    );
}

#[test]
fn faults_are_sorted_by_severity_then_age() {
    let mut known = overview();
    let mut older = known.monitors[1].clone();
    older.id = "web".parse().unwrap();
    older.since = Some("2026-11-22T01:00:00Z".parse().unwrap());
    known.monitors.push(older);
    for monitor in &mut known.monitors {
        monitor.in_maintenance = false;
        monitor.inside.as_mut().unwrap().control = None;
    }
    // A critical monitor that is slow precedes others that are down.
    known.monitors[0].status = Status::Degraded;
    known.monitors[1].status = Status::Down;
    known.monitors[4].status = Status::Down;
    let html = overview_html(&known, &Selection::default());
    assert_eq!(texts(&html, ".monitor .name")[..3], ["orders-db", "web", "queue"]);
}

#[test]
fn flapping_has_its_own_state() {
    let mut known = overview();
    known.monitors[0].is_flapping = true;
    let html = overview_html(&known, &Selection::default());
    assert_eq!(texts(&html, ".monitor .badge")[0], "flapping");
}

#[test]
fn public_heading_says_how_much_is_affected() {
    let heading = |change: &dyn Fn(&mut Overview)| {
        let mut known = public();
        known
            .monitors
            .iter_mut()
            .for_each(|monitor| monitor.in_maintenance = false);
        change(&mut known);
        texts(&overview_html(&known, &Selection::default()), "h1").remove(0)
    };
    let set = |known: &mut Overview, status| {
        known
            .monitors
            .iter_mut()
            .for_each(|monitor| monitor.status = status);
    };
    assert_eq!(heading(&|_| {}), "Partial outage");
    for (status, text) in [
        (Status::Up, "All 4 monitors are up"),
        (Status::Degraded, "Degraded"),
        (Status::Down, "Outage"),
        (Status::Unknown, "Status unknown"),
    ] {
        assert_eq!(heading(&|known| set(known, status)), text);
    }
    let one = |change: &dyn Fn(&mut MonitorView)| {
        heading(&|known| {
            set(known, Status::Up);
            change(&mut known.monitors[0]);
        })
    };
    assert_eq!(
        one(&|monitor| monitor.status = Status::Unknown),
        "Status partly unknown"
    );
    assert_eq!(one(&|monitor| monitor.in_maintenance = true), "Maintenance");
}

#[test]
fn public_sections_have_plain_words() {
    let mut known = public();
    known
        .monitors
        .iter_mut()
        .for_each(|monitor| monitor.about.group = None);
    let html = overview_html(&known, &Selection::default());
    let titles = texts(&html, "section h2");
    assert_eq!(titles, ["Affected 1", "Maintenance 1", "Up 2"]);
    let mut many = fleet(250, 150);
    many.inside = None;
    many.monitors.iter_mut().for_each(|monitor| {
        monitor.inside = None;
        monitor.about.group = None;
    });
    let html = page_of(&many, 0);
    assert_eq!(
        texts(&html, ".on-other-pages h2"),
        ["Affected (on other pages) 50"]
    );
}

#[test]
fn summary_has_the_worst_state() {
    let class =
        |known: &Overview| attributes(&overview_html(known, &Selection::default()), "#summary", "class");
    let mut known = overview();
    // A handled outage is an outage.
    assert_eq!(class(&known), ["card diagnosis down"]);
    known.monitors.remove(0);
    assert_eq!(class(&known), ["card diagnosis maintenance"]);
    known.monitors.remove(0);
    assert_eq!(class(&known), ["card diagnosis up"]);
    known.monitors.clear();
    assert_eq!(class(&known), ["card diagnosis unknown"]);
}

#[test]
fn locations_that_agree_are_counted_and_a_failing_one_is_named() {
    let mut known = overview();
    known.monitors[2].inside.as_mut().unwrap().advisory = Some(AdvisoryView {
        is_notified: false,
        withheld: Some(Withheld::Maintenance),
    });
    let html = overview_html(&known, &Selection::default());
    let agreement = ["0/3", "2/2", "1/2", "1/2"].map(|count| format!("{count} locations as expected"));
    assert_eq!(
        texts(&html, ".agreement"),
        agreement,
        "no data is not as expected"
    );
    assert_eq!(
        texts(&html, ".monitor .remarks")[2],
        "failing from us-east-1 onlynot notified: the monitor is in maintenance"
    );
}

#[test]
fn each_monitor_has_90_days_with_what_the_uptime_rests_on() {
    let mut known = overview();
    let html = overview_html(&known, &Selection::default());
    let strips = attributes(&html, ".monitor .strip", "aria-label");
    assert_eq!(strips.len(), 4);
    assert_eq!(
        strips[0],
        "90 days: 99.97%, 1 day with an outage, 23 days not watched"
    );
    assert_eq!(
        attributes(&html, ".monitor .strip", "data-bars")[0],
        "23n 64u 98.61 2u"
    );
    assert_eq!(texts(&html, ".monitor > .uptime")[0], "99.97% of 67 d");
    known.monitors[0].uptime.quarter = known.monitors[0].uptime.day;
    let html = overview_html(&known, &Selection::default());
    assert_eq!(texts(&html, ".monitor > .uptime")[0], "98.14% of 18 h");
}

#[test]
fn monitors_are_grouped_by_tag() {
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
    assert_eq!(by(Grouping::Group).0, ["Shop 2", "No group 2"]);
}

#[test]
fn group_folds_and_shows_worst_state() {
    let html = page(&Selection {
        grouping: Grouping::Group,
        ..Selection::default()
    });
    assert_eq!(
        texts(&html, "details.group > summary .badge"),
        ["down", "maintenance"]
    );
    assert_eq!(texts(&html, "details.group[open] > summary h2"), ["Shop 2"]);
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
        ["No monitor needs attention"],
        "the heading counts all monitors"
    );
}

#[test]
fn notices_list_silent_locations_and_unreadable_items() {
    let notices = texts(&page(&Selection::default()), ".notices li");
    assert_eq!(
        notices,
        [
            "Location us-east-1 (region) does not report since 2026-11-22 05:30 UTC",
            "The definition of broken one is invalid and is not checked: `host` is missing",
            "An item in the table cannot be read: group#1m#0/location#x is of a later version",
        ]
    );
}

#[test]
fn overview_says_which_locations_are_agents() {
    let html = page(&Selection::default());
    assert_eq!(
        texts(&html, "main > p.quiet").last().unwrap(),
        "Regions: eu-central-1, us-east-1. Agents: office-berlin. An agent can also check private addresses, port 25, \
         IPv6 and pings, as far as its network allows."
    );
    let unlisted = Overview {
        inside: overview().inside.map(|inside| OverviewInside {
            kinds: LocationKinds::default(),
            ..inside
        }),
        ..overview()
    };
    let html = overview_html(&unlisted, &Selection::default());
    assert!(!html.contains("Regions:"), "the kinds are unknown");
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
    assert_eq!(texts(&html, ".monitor > .uptime").len(), 4);
    for hidden in [
        "example.com",
        "192.0.2",
        "5432",
        "6379",
        "shop",
        "east",
        "office-berlin",
        "agent",
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
    assert!(html.len() < 100_000, "{} bytes", html.len());
}

#[test]
fn page_of_100_monitors_is_at_most_150_kb() {
    let html = overview_html(&fleet(100, 5), &Selection::default());
    assert_eq!(texts(&html, ".monitor .name").len(), 100);
    assert!(html.len() < 150_000, "{} bytes", html.len());
}

/// Copies of the sample's monitors under different ids; the first `down` of them are down.
fn fleet(monitors: usize, down: usize) -> Overview {
    let mut known = overview();
    let (mut bad, good) = (known.monitors[0].clone(), known.monitors[2].clone());
    bad.inside.as_mut().unwrap().control = None;
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
        (500, Grouping::Tag),
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
            let html = site()
                .incidents(
                    Audience::Private,
                    &portpulse_status::IncidentSelection {
                        page,
                        ..Default::default()
                    },
                    &known,
                )
                .body;
            assert!(html.len() <= 1_000_000, "{} bytes of incidents", html.len());
            assert_eq!(texts(&html, ".incident").len(), 200);
        }
    }
}
