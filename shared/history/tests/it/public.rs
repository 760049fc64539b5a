//! Public views hide upcoming maintenance, the status `exposed`, and locations.

use portpulse_core::group_state::{ClosedIncident, DecisionState, Ending, LocationKind, Status, Track};
use portpulse_history::view::{Audience, UpcomingMaintenance};
use portpulse_history::{api, atom, badge, prometheus};
use portpulse_store::Store;
use serde_json::json;

use crate::assembled::table;
use crate::fleet::{GROUP, file, incident, last_day, now, reader};

#[tokio::test]
async fn upcoming_maintenance_is_private_unless_announced() {
    let on = "2026-11-22T12:00:00Z 2026-11-22T13:00:00Z None";
    let ahead = "2026-11-24T10:00:00Z 2026-11-24T11:00:00Z None";
    let ahead_and_why = "2026-11-24T10:00:00Z 2026-11-24T11:00:00Z Some(\"secret-reason\")";
    for (audience, announced, windows) in [
        (Audience::Public, UpcomingMaintenance::Withheld, &[on][..]),
        (Audience::Public, UpcomingMaintenance::Announced, &[on, ahead]),
        (
            Audience::Private,
            UpcomingMaintenance::Withheld,
            &[on, ahead_and_why],
        ),
    ] {
        let reader = reader(table().await, 400).announcing(announced);
        let overview = reader.overview(audience, now()).await.unwrap();
        let id = "c-down".parse().unwrap();
        let page = reader.monitor(audience, &id, last_day(), now());
        let page = page.await.unwrap().unwrap();
        for monitor in [&overview.monitors[0], &page.monitor] {
            let shown = monitor.maintenance.iter();
            let shown: Vec<_> = shown
                .map(|window| format!("{} {} {:?}", window.from, window.until, window.why))
                .collect();
            assert_eq!(shown, windows, "{audience:?} {announced:?}");
            assert!(monitor.in_maintenance);
        }
    }
}

#[tokio::test]
async fn exposed_is_shown_as_down_in_all_public_answers() {
    let table = table().await;
    let store = Store::new(table.clone());
    let mut exposed = incident("2026-11-22T12:20:00Z");
    exposed.status = Status::Exposed;
    let row = DecisionState {
        revision: 2,
        incidents: [(("c-down".parse().unwrap(), Track::Health), exposed.clone())].into(),
        ..DecisionState::default()
    };
    store.put_decision(GROUP, &row).await.unwrap();
    let closed = ClosedIncident {
        monitor: "b-up".parse().unwrap(),
        track: Track::Health,
        incident: exposed,
        closed: "2026-11-22T12:25:00Z".parse().unwrap(),
        ending: Ending::Recovered,
    };
    store.file_incident(&closed).await.unwrap();
    let reader = reader(table, 400);
    for (audience, is_exposed_shown) in [(Audience::Private, true), (Audience::Public, false)] {
        let overview = reader.overview(audience, now()).await.unwrap();
        let id = "c-down".parse().unwrap();
        let page = reader.monitor(audience, &id, last_day(), now()).await;
        let page = page.unwrap().unwrap();
        let incidents = reader.incidents(audience, now()).await.unwrap();
        let status = if is_exposed_shown {
            Status::Exposed
        } else {
            Status::Down
        };
        assert_eq!(overview.monitors[0].status, status);
        let badge = badge::svg(badge::BadgeKind::Status, &page.monitor).unwrap();
        let answers = [
            format!("{overview:?}").to_lowercase(),
            format!("{page:?}").to_lowercase(),
            format!("{incidents:?}").to_lowercase(),
            api::monitors(&overview).to_string(),
            api::monitor(&page).to_string(),
            api::incidents(&incidents).to_string(),
            atom::feed(&incidents),
            badge,
        ];
        for answer in answers {
            assert_eq!(
                answer.contains("exposed"),
                is_exposed_shown,
                "{audience:?}: {answer}"
            );
            assert!(is_exposed_shown || answer.contains("down"), "{answer}");
        }
        // Metrics contain a sample for every status.
        let metrics = prometheus::text(&overview);
        let sample = "portpulse_status{monitor=\"c-down\",status=\"exposed\"} ";
        let expected = format!("{sample}{}", u8::from(is_exposed_shown));
        assert!(metrics.lines().any(|line| line == expected), "{metrics}");
    }
}

#[tokio::test]
async fn internal_monitor_is_on_no_public_page() {
    let table = table().await;
    let fields = json!({
        "host": "secret-host.example.com", "port": 1, "interval": "1m", "public": false, "name": "Vault",
        "description": "the secrets", "group": "Safe",
    });
    let id = "b-up".parse().unwrap();
    let fields = fields.as_object().unwrap();
    let store = Store::new(table.clone());
    store.put_definition(GROUP, "b-up", fields).await.unwrap();
    let reader = reader(table, 400);
    for (audience, expected) in [
        (Audience::Public, None),
        (
            Audience::Private,
            Some(("Vault", Some("the secrets"), Some("Safe"))),
        ),
    ] {
        let overview = reader.overview(audience, now()).await.unwrap();
        let view = overview.monitors.iter().find(|monitor| monitor.id == id);
        let about = view.map(|view| {
            (
                view.title(),
                view.about.description.as_deref(),
                view.about.group.as_deref(),
            )
        });
        assert_eq!(about, expected);
        let page = reader.monitor(audience, &id, last_day(), now()).await.unwrap();
        assert_eq!(page.is_some(), expected.is_some());
        let incidents = reader.incidents(audience, now()).await.unwrap();
        let of_it = incidents
            .closed
            .iter()
            .filter(|incident| incident.id.monitor == id);
        assert_eq!(of_it.count() > 0, expected.is_some());
    }
}

#[tokio::test]
async fn incidents_of_monitors_that_are_not_defined_are_private() {
    let table = table().await;
    let store = Store::new(table.clone());
    // The definition of one monitor was removed, and that of another one is invalid.
    let row = DecisionState {
        revision: 2,
        incidents: [(
            ("removed".parse().unwrap(), Track::Health),
            incident("2026-11-22T12:20:00Z"),
        )]
        .into(),
        ..DecisionState::default()
    };
    store.put_decision(GROUP, &row).await.unwrap();
    file(&store, "removed", "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z").await;
    file(&store, "invalid", "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z").await;
    let invalid = json!({ "host": "secret-host.example.com", "port": "?", "public": false });
    let invalid = invalid.as_object().unwrap();
    store.put_definition(GROUP, "invalid", invalid).await.unwrap();
    let reader = reader(table, 400);
    for (audience, expected) in [(Audience::Public, 0), (Audience::Private, 3)] {
        let page = reader.incidents(audience, now()).await.unwrap();
        let overview = reader.overview(audience, now()).await.unwrap();
        for (open, closed) in [(page.open, page.closed), (overview.open, overview.closed)] {
            let ids = open
                .iter()
                .chain(&closed)
                .map(|incident| incident.id.monitor.as_str());
            let hidden = ids.filter(|id| ["removed", "invalid"].contains(id)).count();
            assert_eq!(hidden, expected, "{audience:?}");
        }
    }
}

#[tokio::test]
async fn locations_and_their_kinds_are_private() {
    let table = table().await;
    let store = Store::new(table.clone());
    for location in crate::fleet::locations() {
        store.list_location(GROUP, &location).await.unwrap();
    }
    let [region, agent] = ["eu-west-1", "office-berlin"].map(|name| name.parse().unwrap());
    store.list_agent(GROUP, &agent).await.unwrap();
    let fields = json!({
        "host": "10.0.0.1", "port": 1, "interval": "1m", "locations": [region.as_str(), agent.as_str()],
    });
    let fields = fields.as_object().unwrap();
    store.put_definition(GROUP, "b-up", fields).await.unwrap();
    let reader = reader(table, 400);
    let id = "b-up".parse().unwrap();
    for (audience, is_shown) in [(Audience::Private, true), (Audience::Public, false)] {
        let overview = reader.overview(audience, now()).await.unwrap();
        let page = reader.monitor(audience, &id, last_day(), now()).await;
        let page = page.unwrap().unwrap();
        let incidents = reader.incidents(audience, now()).await.unwrap();
        if let Some(inside) = &page.monitor.inside {
            let kinds = [&region, &agent].map(|location| inside.locations[location].kind);
            assert_eq!(kinds, [Some(LocationKind::Region), Some(LocationKind::Agent)]);
        }
        let sentence = overview
            .inside
            .as_ref()
            .and_then(|inside| inside.kinds.sentence());
        let listed = "Regions: ap-northeast-1, eu-west-1, us-east-1. Agents: office-berlin.";
        assert_eq!(sentence.is_some_and(|found| found.starts_with(listed)), is_shown);
        for (answer, is_by_location) in [
            (format!("{overview:?}"), true),
            (format!("{page:?}"), true),
            (format!("{incidents:?}"), false),
            (api::monitors(&overview).to_string(), true),
            (api::monitor(&page).to_string(), true),
            (api::incidents(&incidents).to_string(), false),
            (atom::feed(&incidents), false),
            (prometheus::text(&overview), true),
            (
                badge::svg(badge::BadgeKind::Status, &page.monitor).unwrap(),
                false,
            ),
        ] {
            let answer = answer.to_lowercase();
            let named = ["eu-west-1", "office-berlin"].map(|name| answer.contains(name));
            let expected = is_shown && is_by_location;
            assert_eq!(named, [expected, expected], "{audience:?}: {answer}");
            assert!(is_shown || !answer.contains("agent"), "{answer}");
        }
    }
}
