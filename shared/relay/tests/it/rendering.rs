//! Golden texts of notifications for every destination; limits and escaping for any notification.

use std::fmt::Write;
use std::net::Ipv4Addr;

use futures_util::FutureExt as _;
use jiff::Timestamp;
use portpulse_alert::{messages, to_json};
use portpulse_core::decide::{LocationView, Notification, View};
use portpulse_core::group_state::Status;
use portpulse_core::outbox::{Kind, Stage};
use portpulse_core::outcome::Detail;
use portpulse_relay::{Destination, OutgoingRequest, parse_notification, parse_notifications};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::harness::{config, destination, secrets_of};
use crate::services::{self, Received, kinds};
use portpulse_testkit::notification;

fn with<R>(kind: &str, see: impl FnOnce(&Destination) -> R) -> R {
    let config = config(&json!({ "it": destination(kind, None) }));
    let (_, destination) = config.destinations().next().unwrap();
    assert_eq!(destination.kind(), kind);
    see(destination)
}

fn requests(kind: &str, notifications: &[&Notification]) -> Vec<OutgoingRequest> {
    with(kind, |destination| destination.requests(notifications))
}

#[test]
fn destinations_match_their_snapshots() {
    for channel in kinds() {
        let mut text = String::new();
        for kind in [Kind::Down, Kind::Recovered, Kind::BrokenDefinition, Kind::Test] {
            let requests = requests(channel, &[&notification::of(kind)]);
            write!(text, "## {kind}\n{:#}\n", requests[0].body).unwrap();
        }
        insta::assert_snapshot!(channel, text);
    }
}

#[test]
fn every_kind_names_its_subject() {
    for channel in kinds() {
        for kind in Kind::ALL {
            let requests = requests(channel, &[&notification::of(*kind)]);
            let body = requests.last().unwrap().body.to_string();
            let ends = kind.stage() == Stage::Ended;
            let name = match kind {
                Kind::LocationSilent | Kind::LocationBack | Kind::LocationSuspect | Kind::LocationTrusted => {
                    "eu-west-1"
                }
                Kind::BrokenDefinition => "Orders",
                Kind::Test => "portpulse",
                // Webhooks have no field for it, and a resolve event has the id of the incident only.
                Kind::HomeUnreachable | Kind::HomeReachable => "home",
                Kind::Down
                | Kind::Exposed
                | Kind::Degraded
                | Kind::CertificateExpiring
                | Kind::Unknown
                | Kind::Recovered
                | Kind::Reminder
                | Kind::Flapping
                | Kind::Escalated
                | Kind::Advisory
                | Kind::AdvisoryOver => "orders-db",
            };
            // Discord escapes the hyphen; a resolve event for PagerDuty contains only the incident.
            let body = body.replace("\\\\", "");
            assert!(body.contains(name), "{channel} {kind}: {body}");
            assert!(
                body.contains("resolve") == (channel == "pagerduty" && ends),
                "{channel} {kind}: {body}"
            );
        }
    }
}

#[test]
fn advisory_that_becomes_incident_is_not_green() {
    let ends_in = |channel, status| {
        let end = Notification {
            status,
            ..notification::of(Kind::AdvisoryOver)
        };
        requests(channel, &[&end])[0].body.to_string()
    };
    for (channel, green) in [
        ("slack", "🟢"),
        ("discord", "2792847"),
        ("teams", "🟢"),
        ("google_chat", "🟢"),
        ("telegram", "🟢"),
    ] {
        let (well, down) = (ends_in(channel, Status::Up), ends_in(channel, Status::Down));
        assert!(well.to_lowercase().contains(green), "{channel}: {well}");
        assert!(!down.to_lowercase().contains(green), "{channel}: {down}");
        assert!(down.contains("now down"), "{channel}: {down}");
    }
}

#[test]
fn pagers_open_and_close_the_same_alert() {
    let pairs = [
        (Kind::Down, Kind::Recovered),
        (Kind::Reminder, Kind::Recovered),
        (Kind::Advisory, Kind::AdvisoryOver),
        (Kind::LocationSilent, Kind::LocationBack),
        (Kind::LocationSuspect, Kind::LocationTrusted),
        (Kind::HomeUnreachable, Kind::HomeReachable),
    ];
    for (begins, ends) in pairs {
        let (beginning, end) = (notification::of(begins), notification::of(ends));
        let key = |notification| requests("pagerduty", &[notification])[0].body["dedup_key"].clone();
        assert_eq!(key(&beginning), key(&end), "{begins}");
        let opened = requests("opsgenie", &[&beginning])[0].body["alias"].clone();
        let closed = format!("{:?}", requests("opsgenie", &[&end])[0]);
        let alias = opened
            .as_str()
            .unwrap()
            .replace('@', "%40")
            .replace(':', "%3A")
            .replace('/', "%2F");
        assert!(closed.contains(&format!("/v2/alerts/{alias}/close")), "{closed}");
    }
    let other = notification::down("other");
    let body = &requests("pagerduty", &[&other])[0].body;
    assert_eq!(body["dedup_key"], "other@2026-11-22T05:40:00Z.7");
}

#[test]
fn many_notifications_share_messages_only_in_chats() {
    let many: Vec<_> = (0..25)
        .map(|number| notification::down(&format!("m{number}")))
        .collect();
    for channel in kinds() {
        let is_single = ["pagerduty", "opsgenie", "webhook"].contains(&channel);
        let notified = requests(channel, &many.iter().collect::<Vec<_>>());
        assert_eq!(notified.len(), if is_single { 25 } else { 3 }, "{channel}");
        assert_eq!(
            requests(channel, &many[..3].iter().collect::<Vec<_>>()).len(),
            3,
            "{channel}"
        );
        for request in &notified {
            let body = request.body.to_string();
            for id in &request.ids {
                let monitor = id.split_once('@').unwrap().0;
                // Discord escapes the colon; programs receive fields.
                let names = [
                    format!("DOWN: {monitor} "),
                    format!("DOWN\\\\: {monitor} "),
                    format!("\"monitor\":\"{monitor}\""),
                ];
                assert!(names.iter().any(|name| body.contains(name)), "{channel}: {body}");
            }
        }
    }
    insta::assert_snapshot!(
        "slack_together",
        format!(
            "{:#}",
            requests("slack", &many.iter().collect::<Vec<_>>())[2].body
        )
    );
}

#[test]
fn published_messages_are_parsed_back() {
    let all: Vec<_> = Kind::ALL.iter().map(|kind| notification::of(*kind)).collect();
    for some in [&all[..1], &all[..]] {
        for message in messages(some) {
            let payload: Value = serde_json::from_str(&message.payload()).unwrap();
            let read = parse_notifications(payload["default"].as_str().unwrap());
            let read: Vec<_> = read.into_iter().map(Result::unwrap).collect();
            assert_eq!(read, some);
        }
    }
}

#[test]
fn invalid_notification_does_not_stop_valid_ones() {
    let good = to_json(&notification::of(Kind::Down));
    let mut bad = good.clone();
    bad["kind"] = json!("confused");
    bad["since"] = json!("yesterday");
    let message = json!({ "type": "notifications", "notifications": [bad, good] }).to_string();
    let read = parse_notifications(&message);
    assert!(read[1].is_ok());
    let error = read[0].as_ref().unwrap_err().to_string();
    assert!(
        error.contains("`orders-db@2026-11-22T05:40:00Z.7/down`"),
        "{error}"
    );
    assert!(
        error.contains("`kind`: `confused`") && error.contains("`since`"),
        "{error}"
    );
    for invalid in ["", "{}", "[]", "{\"type\":\"notifications\"}", "null"] {
        let read = parse_notifications(invalid);
        assert!(
            matches!(&read[..], [Err(error)] if error.id.is_none()),
            "{invalid}"
        );
    }
}

#[test]
fn largest_notification_fits_every_destination() {
    for piece in ["a", "\"", "\\", "<", "&", "*", "{{", "ü", "🔥"] {
        // Twice the maximum length of a published text.
        let long = piece.repeat(1_000 / piece.len());
        let mut largest = notification::of(Kind::Down);
        let finding = largest.finding.as_mut().unwrap();
        finding.detail = Detail::new(&long);
        let view = LocationView {
            view: View::Failing,
            ticks: u32::MAX,
            since: largest.locations.values().find_map(|view| view.since),
            finding: largest.finding.clone(),
        };
        largest.locations = (0..60)
            .map(|number| (format!("location-{number:0>23}").parse().unwrap(), view.clone()))
            .collect();
        for runbook in [long.clone(), format!("https://h/{}", "&".repeat(490))] {
            let largest = Notification {
                id: format!("{long}/down"),
                target: Some(long.clone()),
                tags: vec![long.clone(); 60],
                runbook: Some(runbook),
                diagnostics: vec![long.clone(); 60],
                ..largest.clone()
            };
            for channel in kinds() {
                for request in requests(channel, &[&largest]) {
                    assert_eq!(check_request(channel, &request).err(), None, "{channel} {piece}");
                }
                for request in requests(channel, &[&largest; 4]) {
                    assert_eq!(check_request(channel, &request).err(), None, "{channel} {piece}");
                }
            }
        }
    }
}

/// Checks the request as a service receives it, with its secrets.
fn check_request(kind: &str, request: &OutgoingRequest) -> Result<u16, String> {
    let secrets = secrets_of((Ipv4Addr::LOCALHOST, 1).into());
    let complete = with(kind, |destination| {
        let complete = destination.complete(request, &secrets, Timestamp::UNIX_EPOCH);
        complete.now_or_never().unwrap().unwrap()
    });
    let path = complete.uri().path_and_query().unwrap().as_str();
    services::check(
        kind,
        &Received {
            method: complete.method(),
            path,
            headers: complete.headers(),
            body: complete.body(),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_destination_accepts_every_notification(notifications in vec(notification::arbitrary(), 1..7)) {
        let all: Vec<_> = notifications.iter().collect();
        // A webhook receives foreign text as it is, in JSON with escapes.
        for channel in kinds().into_iter().filter(|channel| *channel != "webhook") {
            let requests = requests(channel, &all);
            for request in &requests {
                let accepted = check_request(channel, request);
                prop_assert!(accepted.is_ok(), "{}: {:?}", channel, accepted);
            }
            let notified: Vec<_> = requests.iter().flat_map(|request| &request.ids).collect();
            prop_assert_eq!(notified, notifications.iter().map(|each| &each.id).collect::<Vec<_>>());
        }
    }

    #[test]
    fn parsed_notification_has_the_same_json(one in notification::arbitrary()) {
        let json = to_json(&one);
        let read = parse_notification(&json);
        prop_assert!(read.is_ok(), "{:?}", read);
        prop_assert_eq!(to_json(&read.unwrap()), json);
    }

    #[test]
    fn parser_never_panics(text in ".{0,60}") {
        let _ = parse_notifications(&text);
    }
}
