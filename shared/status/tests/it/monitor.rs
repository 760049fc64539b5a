//! The page of one monitor.

use portpulse_core::definition::Monitor;
use portpulse_core::group_state::LocationKind;
use portpulse_status::Span;
use serde_json::json;

use crate::sample::{attributes, monitor_html, monitor_page, overview, public, site, texts};
use portpulse_history::view::{Audience, VisibilityState};

fn page(id: &str, span: Span) -> String {
    monitor_html(&monitor_page(&overview(), id), span)
}

#[test]
fn each_location_has_charts_with_incidents() {
    let html = page("orders-db", Span::Day);
    assert_eq!(
        texts(&html, "figcaption"),
        ["eu-central-1", "eu-west-1", "us-east-1"]
    );
    assert_eq!(
        attributes(&html, "figure svg.series", "aria-label")[..3],
        [
            "eu-central-1, total, over 24 hours: medians from 32 ms to 48 ms, longest 432 ms; 30 of 1074 checks failed",
            "eu-central-1, connect, over 24 hours: medians from 8 ms to 12 ms, longest 108 ms; 30 of 1074 checks failed",
            "eu-central-1, answer, over 24 hours: medians from 24 ms to 36 ms, longest 324 ms; 30 of 1074 \
             checks failed",
        ]
    );
    for line in [".p50", ".p95", ".most", ".gap", ".failed", "rect.band.down"] {
        assert_eq!(
            attributes(&html, &format!("figure svg {line}"), "class").len(),
            9,
            "{line}"
        );
    }
    assert_eq!(
        texts(&html, "figure:first-child .phase"),
        ["total", "connect", "answer"],
        "phases without times have no chart"
    );
    let titles = texts(&html, "figure:first-child thead th");
    assert_eq!(
        titles[5..],
        [
            "total p50",
            "total p95",
            "total max",
            "connect p50",
            "connect p95",
            "connect max",
            "answer p50",
            "answer p95",
            "answer max"
        ]
    );
    assert_eq!(
        texts(&html, "figure:first-child tbody tr:first-child td")[4..],
        [
            "32 ms", "64 ms", "288 ms", "8 ms", "16 ms", "72 ms", "24 ms", "48 ms", "216 ms"
        ]
    );
    // The chart ends now, 41 minutes into the hour; the incident began 4 minutes and 20 seconds before.
    let x: f64 = attributes(&html, "rect.band", "x")[0].parse().unwrap();
    let minutes = 23.0 * 60.0 + 41.0 + 20.0 / 60.0;
    assert!(
        (x - (474.0 - 422.0 * (4.0 + 20.0 / 60.0) / minutes)).abs() < 0.1,
        "{x}"
    );
    assert_eq!(
        attributes(&html, "rect.band", "width")[0],
        "1.5",
        "the minimum width"
    );
    assert_eq!(
        texts(&html, "figure:first-child tbody tr").len(),
        18,
        "hours without data have no figures"
    );
}

#[test]
fn last_hours_have_each_check_at_its_own_time() {
    let html = page("cache", Span::Hours);
    let line = &attributes(&html, "figure:first-child .p50", "d")[0];
    assert_eq!(
        (line.matches('M').count(), line.matches('H').count()),
        (2, 179),
        "the line breaks at the failed check"
    );
    assert_eq!(
        attributes(&html, "figure .p95, figure .most", "d"),
        [""; 0],
        "a check has one time"
    );
    // The chart begins three hours before 05:41:20, and a check is 422 / 180 wide.
    let tips = attributes(&html, ".compare .tip", "x");
    let x = |at: usize| tips[at].parse::<f64>().unwrap();
    assert_eq!(tips.len(), 180);
    assert!((x(1) - x(0) - 422.0 / 180.0).abs() < 0.02, "{} {}", x(0), x(1));
    let texts = attributes(&html, ".compare .tip", "data-tip");
    assert_eq!(
        texts[90],
        "Nov 22, 04:12 UTC: eu-central-1 1 failed, us-east-1 1 failed"
    );
    assert!(html.len() < 150_000, "{} bytes", html.len());
}

#[test]
fn open_incident_is_drawn_until_now() {
    let mut known = monitor_page(&overview(), "orders-db");
    known.incidents[0].since = "2026-11-22T02:41:20Z".parse().unwrap();
    let html = monitor_html(&known, Span::Day);
    let width: f64 = attributes(&html, "rect.band", "width")[0].parse().unwrap();
    assert!(
        (width - 422.0 * 180.0 / (23.0 * 60.0 + 41.33)).abs() < 0.1,
        "{width}"
    );
}

#[test]
fn data_tables_are_labelled_with_location() {
    let html = page("orders-db", Span::Day);
    let names = ["eu-central-1", "eu-west-1", "us-east-1"].map(|location| format!("Data of {location}"));
    assert_eq!(texts(&html, "figure summary"), names);
    assert_eq!(attributes(&html, "figure [role=group]", "aria-label"), names);
}

#[test]
fn connect_only_monitor_has_one_unlabelled_chart_per_location() {
    let html = page("cache", Span::Day);
    assert_eq!(texts(&html, ".phase"), [""; 0]);
    assert!(html.contains("<h2>Response time by location</h2>"), "{html}");
    let locations = texts(&html, "figcaption").len();
    assert_eq!(
        attributes(&html, "figure svg.series", "aria-label").len(),
        locations
    );
}

#[test]
fn missing_phase_times_are_noted() {
    let mut known = monitor_page(&overview(), "orders-db");
    assert!(!monitor_html(&known, Span::Quarter).contains("earliest times of the phases are missing"));
    known.left_out.phases = true;
    assert!(monitor_html(&known, Span::Quarter).contains("earliest times of the phases are missing"));
}

#[test]
fn incomplete_current_hour_is_noted() {
    let mut known = monitor_page(&overview(), "orders-db");
    assert!(!monitor_html(&known, Span::Day).contains("current hour"));
    known.left_out.hour = true;
    assert!(monitor_html(&known, Span::Day).contains("The checks of the current hour are missing"));
}

#[test]
fn span_links_mark_current_span() {
    let html = page("cache", Span::Quarter);
    let links = attributes(&html, ".spans a", "href");
    assert_eq!(links.len(), 5);
    assert_eq!(links[2], "/monitors/cache?span=7d");
    assert_eq!(texts(&html, ".spans a[aria-current]"), ["90 days"]);
    assert_eq!(
        texts(&html, ".incident .head"),
        ["downnot as expectedfor 1 h 35 minDetails"]
    );
    assert_eq!(
        texts(&page("cache", Span::Day), ".incident"),
        [""; 0],
        "the incident ended before this span"
    );
}

#[test]
fn last_answers_show_text_of_service() {
    let html = page("orders-db", Span::Day);
    let rows = texts(&html, ".card > table tbody tr");
    assert_eq!(
        rows[0],
        "eu-central-1regionrefused\
         refused: FATAL: the database system is starting up, found at 2026-11-22 05:41 UTC\
         PostgreSQL, wants SCRAM-SHA-256 answered at 2026-11-22 05:00 UTC\
         2026-11-22 05:37 UTC2026-11-22 05:41 UTC"
    );
    let healthy = texts(
        &page("cache", Span::Day),
        ".card > table tbody tr td.service-text",
    );
    assert_eq!(
        healthy[0],
        "PostgreSQL, wants SCRAM-SHA-256 answered at 2026-11-22 05:00 UTC"
    );
}

#[test]
fn kind_of_each_location_is_shown() {
    let reach =
        "An agent can also check private addresses, port 25, IPv6 and pings, as far as its network allows.";
    let shown = |kind: Option<LocationKind>| {
        let mut known = monitor_page(&overview(), "cache");
        let inside = known.monitor.inside.as_mut().unwrap();
        inside.locations.values_mut().next().unwrap().kind = kind;
        let html = monitor_html(&known, Span::Day);
        let kinds = texts(&html, ".card > table tbody td:nth-child(2)");
        (kinds[0].clone(), texts(&html, "p").contains(&reach.to_owned()))
    };
    for (kind, expected) in [
        (Some(LocationKind::Region), ("region", false)),
        (Some(LocationKind::Agent), ("agent", true)),
        (None, ("–", false)),
    ] {
        assert_eq!(shown(kind), (expected.0.to_owned(), expected.1));
    }
}

/// A finding of a location that has recovered is older than the banner.
#[test]
fn newest_answer_comes_first() {
    let mut known = overview();
    for monitor in &mut known.monitors {
        for visibility in monitor.inside.as_mut().unwrap().locations.values_mut() {
            visibility.state = VisibilityState::Good;
            visibility.banner = visibility.banner.take().filter(|_| visibility.finding.is_some());
        }
    }
    let answers = |id| {
        let html = monitor_html(&monitor_page(&known, id), Span::Day);
        texts(&html, ".card > table tbody tr td.service-text").remove(0)
    };
    assert_eq!(
        answers("orders-db"),
        "PostgreSQL, wants SCRAM-SHA-256 answered at 2026-11-22 05:00 UTC\
         refused: FATAL: the database system is starting up, found before"
    );
    assert_eq!(answers("cache"), "no answer recorded");
}

#[test]
fn effective_definition_is_shown() {
    let html = page("orders-db", Span::Day);
    let fields = texts(&html, ".definition > div");
    for field in [
        "hostdb.example.com",
        "port5432",
        "servicepostgres",
        "checkready (PostgreSQL)",
        "interval1m",
        "timeout5s",
        "failures_to_open1",
        "quorummajority",
        "tagsshop",
        "remind_every1h",
        "escalate_after30m",
        "flapping_after6",
        "maintenance2026-11-29 02:00 UTC to 2026-11-29 04:00 UTC",
        "Detection timeat most 65 s if refused, 80 s if packets are dropped",
    ] {
        assert!(
            fields.iter().any(|each| each == field),
            "{field} is not in {fields:?}"
        );
    }
    assert_eq!(
        attributes(&html, ".definition a", "href"),
        ["https://wiki.example.com/orders-db?step=1&more"]
    );
}

#[test]
fn detection_time_says_for_which_outage() {
    for (expect, expected) in [
        ("open", "at most 61 s if refused, 66 s if packets are dropped"),
        ("closed", "at most 61 s if the port is open"),
        ("reachable", "at most 66 s if packets are dropped"),
    ] {
        let mut fields =
            json!({ "host": "m.example", "port": 7, "interval": "1m", "timeout": "5s", "expect": expect });
        if expect != "closed" {
            fields["retries"] = 0.into();
        }
        let mut known = monitor_page(&overview(), "cache");
        known.monitor.inside.as_mut().unwrap().definition = Monitor::from_fields("m", &fields).unwrap();
        let html = monitor_html(&known, Span::Day);
        let shown = texts(&html, ".definition > div");
        let expected = format!("Detection time{expected}");
        assert!(shown.contains(&expected), "{expected} is not in {shown:?}");
    }
}

#[test]
fn public_monitor_page_contains_no_private_data() {
    let html = monitor_html(&monitor_page(&public(), "orders-db"), Span::Day);
    assert_eq!(texts(&html, "h1"), ["orders-db"]);
    assert_eq!(texts(&html, ".incident .timeline li").len(), 2);
    for hidden in [
        "example.com",
        "5432",
        "shop",
        "east",
        "office-berlin",
        "agent",
        "FATAL",
        "SCRAM",
        "refused",
        "1m#0",
        "silenced",
        "notified",
    ] {
        assert!(!html.contains(hidden), "{hidden} is in {html}");
    }
}

#[test]
fn unknown_monitor_returns_404() {
    let response = site().monitor(Audience::Public, Span::Day, None);
    assert_eq!(response.status, 404);
}
