//! Incidents and maintenance.

use portpulse_core::group_state::Track;
use portpulse_core::withheld::Withheld;
use portpulse_history::view::IncidentInside;

use crate::sample::{attributes, incident, incidents_html, overview, public, texts};

#[test]
fn open_incidents_come_first_with_timelines() {
    let html = incidents_html(&overview());
    assert_eq!(texts(&html, "h1"), ["2 open incidents"]);
    assert_eq!(texts(&html, ".incident .name"), ["orders-db", "queue", "cache"]);
    assert_eq!(
        texts(&html, ".incident:first-child .timeline")[0],
        "2026-11-22 05:37 UTC first failure05:38:00 UTC opened: quorum reached05:38:04 UTC notified"
    );
    assert_eq!(
        texts(&html, ".incidents:last-of-type .length").last().unwrap(),
        "for 1 h 35 min"
    );
    assert_eq!(
        attributes(&html, ".incident:first-child .permalink", "href")[0],
        "/incidents/orders-db@2026-11-22T05:38:00Z.7"
    );
    assert_eq!(
        attributes(&html, ".incident:first-child time", "datetime")[0],
        "2026-11-22T05:37:00Z"
    );
}

#[test]
fn open_incident_says_why_nothing_is_notified() {
    let since = "2026-11-22T05:37:00Z".parse().unwrap();
    let known = incident("orders-db", Track::Health, since, None);
    let notified = known.inside.as_ref().unwrap().notified;
    for (notified, withheld, expected) in [
        (
            None,
            Some(Withheld::Maintenance),
            "not notified: the monitor is in maintenance",
        ),
        (
            None,
            Some(Withheld::Dependency("switch".parse().unwrap())),
            "not notified: switch is down, which the monitor depends on",
        ),
        (None, None, "not notified yet: the next check notifies it"),
        (
            notified,
            Some(Withheld::NoReminders),
            "notifiednothing more is notified now: no reminder is configured",
        ),
        (notified, None, "notified"),
    ] {
        let mut known = known.clone();
        known.inside = known.inside.map(|inside| IncidentInside {
            notified,
            withheld: withheld.clone(),
            ..inside
        });
        let mut all = overview();
        all.open = vec![known];
        let timeline = &texts(&incidents_html(&all), ".incident:first-child .timeline")[0];
        assert!(timeline.ends_with(expected), "{timeline}");
    }
}

#[test]
fn no_data_incident_does_not_mention_quorum() {
    let mut known = overview();
    let since = "2026-11-22T05:37:00Z".parse().unwrap();
    known.open = vec![incident("orders-db", Track::Visibility, since, None)];
    let html = incidents_html(&known);
    let timeline = &texts(&html, ".incident:first-child .timeline")[0];
    assert!(
        timeline.contains("05:38:00 UTC opened: no data") && !timeline.contains("quorum"),
        "{timeline}"
    );
}

#[test]
fn current_and_upcoming_maintenance_is_listed() {
    for (known, why) in [(overview(), ": update"), (public(), "")] {
        let html = incidents_html(&known);
        assert_eq!(
            texts(&html, ".windows > li"),
            [
                &format!("2026-11-22 05:00 UTC to 2026-11-22 06:00 UTC now{why}queuecache"),
                "2026-11-29 02:00 UTC to 2026-11-29 04:00 UTCorders-dbcache",
            ]
        );
    }
}

#[test]
fn public_incidents_contain_no_private_data() {
    let html = incidents_html(&public());
    assert_eq!(texts(&html, ".incident .name"), ["orders-db", "queue", "cache"]);
    for hidden in ["refused", "192.0.2", "notified", "example.com"] {
        assert!(!html.contains(hidden), "{hidden} is in {html}");
    }
}
