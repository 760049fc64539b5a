//! The report of a month, and the configured appearance.

use jiff::SignedDuration;
use portpulse_core::uptime::{CheckedSeconds, Objective, Outages};
use portpulse_history::report::{MonitorReport, Month, Report};
use portpulse_history::view::Audience;
use portpulse_status::{
    Access, Announcement, Link, Page, PageConfig, PageRequest, Received, ReportFormat, Request, Selection,
    Site, report_html,
};

use crate::sample::{attributes, now, overview, public, site, texts};

fn report(objective: Option<Objective>) -> Report {
    let month: Month = "2026-11".parse().unwrap();
    let day = "2026-11-20".parse().unwrap();
    let checked = CheckedSeconds {
        observed: 86_400,
        failing: 0,
    };
    let watched = Outages::default().observed_for(day, now(), checked);
    let monitor = |id: &str, title: &str, group: Option<&str>| MonitorReport {
        id: id.parse().unwrap(),
        title: title.to_owned(),
        group: group.map(str::to_owned),
        objective: None,
        watched,
        unwatched: SignedDuration::from_hours(1),
        outages: 2,
        mean_time_to_recovery: Some(SignedDuration::from_mins(7)),
        worst: [Some(watched), Some(watched), None],
    };
    Report {
        month,
        at: now(),
        objective,
        monitors: vec![
            monitor("orders-db", "Orders, <database>", Some("Shop")),
            monitor("bastion", "bastion", None),
        ],
        is_incomplete: false,
    }
}

#[test]
fn report_has_monitors_groups_and_what_the_objective_leaves() {
    let html = site()
        .report(
            Audience::Private,
            ReportFormat::Html,
            &report("99.9".parse().ok()),
        )
        .body;
    assert_eq!(texts(&html, "h1"), ["Report of November 2026"]);
    assert_eq!(
        texts(&html, ".report tbody tr"),
        [
            "No group100%0 s",
            "Shop100%0 s",
            "Orders, <database>100%1 d0 s27 min100%100%–0 s1 h99.9%: 43 min 12 s left",
            "bastion100%1 d0 s27 min100%100%–0 s1 h99.9%: 43 min 12 s left",
        ]
    );
    assert_eq!(texts(&html, "nav a[aria-current=page]"), ["Reports"]);
    assert_eq!(attributes(&html, ".months a", "href")[1], "/reports/2026-10");
    let mut own = report(None);
    own.monitors[0].objective = "99".parse().ok();
    let html = site().report(Audience::Private, ReportFormat::Html, &own).body;
    let rows = texts(&html, ".report tbody tr");
    assert!(rows[2].ends_with("99%: 7 h 12 min left"), "{rows:?}");
    assert!(rows[3].ends_with("1 h–"), "another monitor has none: {rows:?}");
    let document = report_html(&report(None));
    for part in ["href", "src=", "<script"] {
        assert!(!document.contains(part), "the document refers to nothing: {part}");
    }
}

#[test]
fn csv_has_one_line_for_each_monitor() {
    let mut report = report(None);
    report.monitors[1].objective = "99.9".parse().ok();
    let response = site().report(Audience::Private, ReportFormat::Csv, &report);
    assert_eq!(response.header("content-type"), Some("text/csv; charset=utf-8"));
    let lines: Vec<_> = response.body.lines().collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(
        lines[1],
        "\"orders-db\",\"Orders, <database>\",\"Shop\",1.000000,86400,0,0,3600,2,420,1.000000,86400,1.000000,86400,,,,"
    );
    assert!(lines[2].ends_with(",,,0.999000,2592"), "{}", lines[2]);
}

#[test]
fn report_paths_name_month_and_format() {
    let route = |path: &str| {
        let request = Request {
            path: path.to_owned(),
            host: Some("localhost".to_owned()),
            ..Request::default()
        };
        match site().receive(&request, now()) {
            Received::Page(PageRequest { page, .. }) => Some(page),
            Received::Response(_) | Received::Action(..) => None,
        }
    };
    let october = Some("2026-10".parse().unwrap());
    assert_eq!(route("/reports"), Some(Page::Report(None, ReportFormat::Html)));
    assert_eq!(
        route("/reports/2026-10"),
        Some(Page::Report(october, ReportFormat::Html))
    );
    assert_eq!(
        route("/reports/2026-10.csv"),
        Some(Page::Report(october, ReportFormat::Csv))
    );
    for path in [
        "/reports/",
        "/reports/2026",
        "/reports/2026-10.pdf",
        "/reports/../x",
    ] {
        assert_eq!(route(path), None, "{path}");
    }
}

#[test]
fn configured_page_has_title_header_announcements_and_links() {
    let announcement = |text: &str, until: Option<&str>| Announcement {
        text: text.to_owned(),
        from: None,
        until: until.map(|until| until.parse().unwrap()),
    };
    let config = PageConfig {
        title: Some("Example status".to_owned()),
        logo: Some("<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_owned()),
        header: Some("The services of <example.com>.".to_owned()),
        links: vec![Link {
            text: "Support".to_owned(),
            url: "https://example.com/support".to_owned(),
        }],
        groups: vec!["Shop".to_owned()],
        objective: "99.9".parse().ok(),
        announcements: vec![
            announcement("New address", None),
            announcement("Over", Some("2026-11-22T05:00:00Z")),
        ],
    };
    let site = Site::new(Access::Public, 5).with_config(config);
    let html = site
        .overview(Audience::Public, &Selection::default(), &public())
        .body;
    assert_eq!(
        texts(&html, "title").join(""),
        format!("{} · Example status", texts(&html, "h1")[0])
    );
    assert_eq!(texts(&html, ".header"), ["The services of <example.com>."]);
    assert_eq!(texts(&html, "[aria-label=Announcements] li"), ["New address"]);
    assert_eq!(
        texts(&html, ".site-links a"),
        ["Support", "Atom feed of incidents"]
    );
    assert_eq!(attributes(&html, "img.logo", "src"), ["/logo.svg"]);
    assert_eq!(
        texts(&html, "section h2")[0],
        "Shop 2",
        "the configured group comes first"
    );
    let logo = Request {
        path: "/logo.svg".to_owned(),
        ..Request::default()
    };
    let Received::Response(logo) = site.receive(&logo, now()) else {
        panic!("the logo needs no data")
    };
    assert_eq!(logo.header("content-type"), Some("image/svg+xml; charset=utf-8"));
    let html = site
        .report(Audience::Public, ReportFormat::Html, &report(None))
        .body;
    assert!(
        html.contains("99.9%: 43 min 12 s left"),
        "the objective of the page"
    );
    let plain = Site::new(Access::Loopback, 5)
        .overview(Audience::Private, &Selection::default(), &overview())
        .body;
    assert!(!plain.contains("logo.svg"));
}

#[test]
fn incidents_are_filtered_by_month_and_status() {
    let shown = |query: &str| {
        let request = Request {
            path: "/incidents".to_owned(),
            query: query.to_owned(),
            host: Some("localhost".to_owned()),
            ..Request::default()
        };
        let Received::Page(PageRequest {
            page: Page::Incidents(selection),
            ..
        }) = site().receive(&request, now())
        else {
            panic!("{query}")
        };
        let html = site().incidents(Audience::Private, &selection, &overview()).body;
        texts(&html, ".incident .head").len()
    };
    let all = shown("");
    assert!(all > 0);
    assert_eq!(shown("month=2026-01"), 0);
    let of_months: usize = ["2026-08", "2026-09", "2026-10", "2026-11"]
        .map(|month| shown(&format!("month={month}")))
        .iter()
        .sum();
    assert_eq!(of_months, all);
    assert!(shown("status=degraded") < all);
    assert_eq!(shown("status=nonsense&month=nonsense"), all);
}
