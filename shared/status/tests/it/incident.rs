//! The page of one incident.

use jiff::SignedDuration;
use portpulse_core::decide::Explanation;
use portpulse_core::definition::Visibility;
use portpulse_core::diagnosis::{Diagnosis, Evidence, HostEvidence, Layer};
use portpulse_core::group_state::IncidentId;
use portpulse_core::never_notified::NeverNotified;
use portpulse_core::operator_note::OperatorNote;
use portpulse_history::view::{Audience, IncidentView, Overview};
use portpulse_status::{Access, FormSecret, Page, Received, Request, Response, Site};

use crate::sample::{attributes, now, overview, public, site, texts};

const OPEN: &str = "orders-db@2026-11-22T05:38:00Z.7";
const CLOSED: &str = "cache@2026-11-20T11:01:00Z.7";

fn id(text: &str) -> IncidentId {
    text.parse().unwrap()
}

fn private(known: &Overview, of: &str) -> String {
    let site = Site::new(Access::Loopback, 5).with_actions(FormSecret::new("a random text"));
    let answer = site.incident(Audience::Private, &id(of), known);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

fn change(known: &mut Overview, of: &str, change: impl FnOnce(&mut IncidentView)) {
    let mut all = known.open.iter_mut().chain(&mut known.closed);
    change(all.find(|incident| incident.id == id(of)).unwrap());
}

fn diagnosis(evidence: Option<Evidence>) -> Option<Explanation> {
    Some(Explanation {
        diagnosis: Diagnosis {
            layer: Layer::Port,
            evidence,
        },
        sentence: "The host answers; the port refuses.".to_owned(),
    })
}

fn evidence(failing: u32, good: u32, pending: u32) -> Evidence {
    Evidence {
        failing,
        good,
        pending,
        host: HostEvidence::Unchecked,
        parent: None,
    }
}

#[test]
fn open_incident_has_sentence_timeline_locations_and_actions() {
    let mut known = overview();
    change(&mut known, OPEN, |incident| {
        incident.inside.as_mut().unwrap().diagnosis = diagnosis(None);
    });
    let html = private(&known, OPEN);
    assert_eq!(texts(&html, "title"), ["orders-db down · Portpulse"]);
    assert_eq!(
        texts(&html, ".title"),
        ["orders-dbdownopencriticaldb.example.com:5432"]
    );
    assert_eq!(
        texts(&html, ".diagnosis > p"),
        [
            "down since 2026-11-22 05:37 UTC, for 4 min 20 s so far",
            "port: The host answers; the port refuses.",
            "refused: connection refused by 192.0.2.7",
        ]
    );
    assert_eq!(
        texts(&html, ".actions > *"),
        [
            "Runbook",
            "portpulse ack orders-db",
            "portpulse silence orders-db --for 2h",
            &format!("portpulse note {OPEN} --text \"…\""),
        ]
    );
    let actions = attributes(&html, "form.action input[name=action]", "value");
    assert_eq!(actions, ["acknowledge", "silence", "note"]);
    assert_eq!(
        texts(&html, ".timeline li"),
        [
            "2026-11-22 05:37 UTC first failure",
            "05:38:00 UTC opened: quorum reached",
            "05:38:04 UTC notified",
        ]
    );
    assert_eq!(
        texts(&html, "h2"),
        ["Timeline", "Affected monitors", "Locations now"]
    );
    let seen = "since 2026-11-22 05:37 UTCrefused: FATAL: the database system is starting up";
    assert_eq!(
        texts(&html, ".seen-by > li"),
        ["eu-central-1", "eu-west-1", "us-east-1"].map(|location| format!("{location} refused{seen}"))
    );
}

#[test]
fn closed_incident_has_its_end_and_what_was_recorded() {
    for (counts, seen) in [
        (None, "What the locations saw is not recorded with the incident."),
        (Some((3, 0, 0)), "3 locations saw the fault."),
        (
            Some((2, 1, 1)),
            "2 locations saw the fault, 1 did not, 1 had no result.",
        ),
    ] {
        let mut known = overview();
        change(&mut known, CLOSED, |incident| {
            let inside = incident.inside.as_mut().unwrap();
            inside.diagnosis =
                diagnosis(counts.map(|(failing, good, pending)| evidence(failing, good, pending)));
            inside.notified = None;
            inside.never_notified = Some(NeverNotified::NotRecorded);
        });
        let html = private(&known, CLOSED);
        assert_eq!(
            texts(&html, ".diagnosis > p")[0],
            "down from 2026-11-20 11:00 UTC to 2026-11-20 12:35 UTC, for 1 h 35 min; recovered"
        );
        assert_eq!(
            texts(&html, ".timeline li"),
            [
                "2026-11-20 11:00 UTC first failure",
                "11:01:00 UTC opened: quorum reached",
                "12:35:00 UTC recovered",
                "never notified: the reason is not recorded",
            ]
        );
        assert_eq!(texts(&html, "section .card > p:first-child"), [seen]);
        assert!(html.contains(&format!("portpulse history cache --incident {CLOSED}")));
        // What is over needs no acknowledgement.
        let actions = attributes(&html, "form.action input[name=action]", "value");
        assert_eq!(actions, ["note"]);
        assert!(!html.contains("portpulse ack"));
    }
}

#[test]
fn date_is_shown_again_on_the_next_day() {
    let mut known = overview();
    let closed = "2026-11-21T00:30:00Z".parse().unwrap();
    change(&mut known, CLOSED, |incident| {
        incident.closed.as_mut().unwrap().0 = closed;
    });
    let entries = texts(&private(&known, CLOSED), ".timeline li");
    assert_eq!(entries.last().unwrap(), "2026-11-21 00:30 UTC recovered");
}

#[test]
fn monitors_of_the_same_notification_are_listed() {
    let affected = |known: &Overview| {
        let html = private(known, OPEN);
        let links = attributes(&html, ".affected a", "href");
        (texts(&html, ".affected .name"), links)
    };
    let mut known = overview();
    let own = (
        vec!["orders-db".to_owned()],
        vec!["/monitors/orders-db".to_owned()],
    );
    assert_eq!(affected(&known), own);
    let queue = known.open[1].id.to_string();
    for of in [OPEN, &queue] {
        change(&mut known, of, |incident| {
            incident.inside.as_mut().unwrap().cluster = Some(id(OPEN));
        });
    }
    let (names, links) = affected(&known);
    assert_eq!(names, ["orders-db", "queue"]);
    assert_eq!(links[2..], [format!("/incidents/{queue}")]);
}

#[test]
fn public_incident_has_public_data_only() {
    let mut known = public();
    let note = |text: &str| {
        let at = "2026-11-22T05:40:00Z".parse().unwrap();
        OperatorNote::new(id(OPEN), "secret-operator", at, text, Visibility::Public).unwrap()
    };
    change(&mut known, OPEN, |incident| {
        incident.notes = vec![note("We are on it.")];
    });
    let site = Site::new(Access::Public, 5).with_actions(FormSecret::new("a random text"));
    for of in [OPEN, CLOSED] {
        let html = site.incident(Audience::Public, &id(of), &known).body;
        assert_eq!(texts(&html, "h1"), [id(of).monitor.as_str()]);
        assert_eq!(texts(&html, "h2"), ["Timeline", "Affected monitors"]);
        for hidden in [
            "refused",
            "192.0.2",
            "notified",
            "example.com",
            "east",
            "5432",
            "FATAL",
            "secret-operator",
            "<form",
            "portpulse ",
            "critical",
        ] {
            assert!(!html.contains(hidden), "{hidden} is in {html}");
        }
    }
    let html = site.incident(Audience::Public, &id(OPEN), &known).body;
    let entries = texts(&html, ".timeline li");
    assert_eq!(entries.last().unwrap(), "05:40:00 UTC We are on it.");
}

#[test]
fn incident_of_a_removed_monitor_has_no_forms_and_commands() {
    let mut known = overview();
    known
        .monitors
        .retain(|monitor| monitor.id.as_str() != "orders-db");
    let html = private(&known, OPEN);
    assert_eq!(texts(&html, "h2"), ["Timeline", "Affected monitors"]);
    assert!(!html.contains("<form") && !html.contains("portpulse "), "{html}");
}

#[test]
fn unknown_incident_returns_404_with_the_reason() {
    let mut known = overview();
    let unknown = "orders-db@2026-11-22T05:38:00Z.8";
    let text = |answer: &Response| texts(&answer.body, "main p").join(" ");
    let answer = site().incident(Audience::Private, &id(unknown), &known);
    assert_eq!(
        (answer.status, texts(&answer.body, "h1")),
        (404, vec!["Incident not found".to_owned()])
    );
    assert!(
        text(&answer).contains("or it ended more than 90 days ago."),
        "{}",
        text(&answer)
    );
    known.left_out.incidents = true;
    let answer = site().incident(Audience::Private, &id(unknown), &known);
    assert!(text(&answer).contains("read limit"), "{}", text(&answer));
}

#[test]
fn path_names_an_incident() {
    let of = |path: &str| {
        let request = Request {
            path: path.to_owned(),
            host: Some("localhost".to_owned()),
            ..Request::default()
        };
        site().receive(&request, now())
    };
    let Received::Page(asked) = of(&format!("/incidents/{OPEN}")) else {
        panic!("no page")
    };
    assert_eq!(asked.page, Page::Incident(id(OPEN)));
    let Received::Response(answer) = of("/incidents/orders-db") else {
        panic!("no response")
    };
    assert_eq!(answer.status, 404);
}

#[test]
fn duration_of_a_closed_incident_does_not_grow() {
    let mut known = overview();
    known.at += SignedDuration::from_hours(5);
    assert!(private(&known, CLOSED).contains("for 1 h 35 min"));
    assert!(private(&known, OPEN).contains("for 5 h 4 min so far"));
}

#[test]
fn unknown_layer_is_named_by_the_sentence_only() {
    for (layer, expected) in [
        (Layer::Port, "port: The host answers; the port refuses."),
        (Layer::Unknown, "The host answers; the port refuses."),
    ] {
        let mut known = overview();
        change(&mut known, OPEN, |incident| {
            let mut found = diagnosis(None).unwrap();
            found.diagnosis.layer = layer;
            incident.inside.as_mut().unwrap().diagnosis = Some(found);
        });
        assert_eq!(texts(&private(&known, OPEN), ".layer"), [expected]);
    }
}

#[test]
fn only_an_open_incident_of_a_flapping_monitor_flaps() {
    let mut known = overview();
    for monitor in &mut known.monitors {
        monitor.is_flapping = true;
    }
    let page = private(&known, OPEN);
    assert_eq!(texts(&page, ".title .badge"), ["flapping"]);
    assert_eq!(
        texts(&page, ".diagnosis.flapping strong")
            .first()
            .map(String::as_str),
        Some("flapping")
    );
    assert_eq!(texts(&private(&known, CLOSED), ".title .badge"), ["down"]);
    let slow = known.open[1].id.to_string();
    assert_eq!(texts(&private(&known, &slow), ".title .badge"), ["degraded"]);
}
