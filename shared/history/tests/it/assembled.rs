//! Assembled views: statuses, uptime, locations, and no private data in public views.

use portpulse_core::group_state::{Status, Track};
use portpulse_core::period::{Grain, Period};
use portpulse_core::uptime::{ObservedTime, UptimeLevel};
use portpulse_history::view::{
    Audience, IncidentView, MonitorInside, MonitorView, Overview, VisibilityState,
};
use portpulse_history::{ReadLimit, Reader, Scope};
use portpulse_store::Store;
use portpulse_store::table::Read;
use portpulse_testkit::memory_table::MemoryTable;

use crate::fleet::{
    GROUP, SECRETS, banners, define, define_with_maintenance, file, last_day, now, open, reader, roll_up,
    rows,
};

/// Three monitors: one up, one down, and one that fails in a single location.
pub(crate) async fn table() -> MemoryTable {
    let table = MemoryTable::new();
    let store = Store::new(table.clone());
    for id in ["b-up", "a-blip"] {
        define(&store, id).await;
    }
    define_with_maintenance(&store, "c-down").await;
    roll_up(&store, &["a-blip", "b-up", "c-down"].map(str::to_owned), 89).await;
    rows(
        &store,
        &[
            ("eu-west-1", "c-down"),
            ("us-east-1", "c-down"),
            ("ap-northeast-1", "a-blip"),
        ],
    )
    .await;
    banners(&store, &["c-down".to_owned()], "220 secret-banner").await;
    open(&store, "c-down", Track::Health, "2026-11-22T12:20:00Z").await;
    file(&store, "c-down", "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z").await;
    // Opened in a month before the days shown, and closed within them.
    file(&store, "b-up", "2026-08-20T00:00:00Z", "2026-08-25T06:00:00Z").await;
    file(&store, "b-up", "2026-08-01T00:00:00Z", "2026-08-02T00:00:00Z").await;
    table
}

fn ids(incidents: &[IncidentView]) -> Vec<String> {
    incidents.iter().map(|incident| incident.id.to_string()).collect()
}

pub(crate) fn figures(watched: Option<ObservedTime>) -> (i64, i64) {
    let watched = watched.unwrap();
    (watched.seconds(), watched.down_seconds())
}

#[tokio::test]
async fn monitors_are_sorted_by_severity() {
    let overview = read_overview(table().await, 400).await;
    let order: Vec<_> = overview
        .monitors
        .iter()
        .map(|m| (m.id.as_str(), m.status))
        .collect();
    assert_eq!(
        order,
        [
            ("c-down", Status::Down),
            ("a-blip", Status::Up),
            ("b-up", Status::Up)
        ]
    );
    let [down, blip, up] = &overview.monitors[..] else {
        panic!("{order:?}")
    };
    assert_eq!(down.since.unwrap().to_string(), "2026-11-22T12:20:00Z");
    assert_eq!((up.since, blip.since), (None, None));
    let open = ids(&overview.open);
    assert_eq!(open, ["c-down@2026-11-22T12:20:00Z.1"]);
    let closed = ids(&overview.closed);
    assert_eq!(
        closed,
        ["c-down@2026-11-20T10:00:00Z.1", "b-up@2026-08-20T00:00:00Z.1"]
    );

    let states = |monitor: &MonitorView| -> Vec<_> {
        let locations = monitor.inside.as_ref().unwrap().locations.values();
        locations.map(|visibility| visibility.state).collect()
    };
    assert_eq!(
        states(down),
        [
            VisibilityState::Good,
            VisibilityState::Failing,
            VisibilityState::Failing
        ]
    );
    assert_eq!(
        states(blip),
        [
            VisibilityState::Failing,
            VisibilityState::Good,
            VisibilityState::Good
        ]
    );
}

/// The private overview.
pub(crate) async fn read_overview(table: MemoryTable, read_limit: u32) -> Overview {
    let reader = reader(table, read_limit);
    reader.overview(Audience::Private, now()).await.unwrap()
}

/// The private data of a monitor page.
pub(crate) async fn page(table: MemoryTable, id: &str) -> MonitorInside {
    let id = id.parse().unwrap();
    let reader = reader(table, 400);
    let page = reader.monitor(Audience::Private, &id, last_day(), now()).await;
    *page.unwrap().unwrap().monitor.inside.unwrap()
}

#[tokio::test]
async fn uptime_counts_outages_within_observed_time() {
    let overview = read_overview(table().await, 400).await;
    let [down, blip, up] = &overview.monitors[..] else {
        panic!("{overview:?}")
    };
    // 23 hours and 30:20 minutes of the current hour; for `c-down` the current hour is maintenance, as was one yesterday.
    let today = 12 * 3_600 + 1_820;
    assert_eq!(figures(blip.uptime.day), (23 * 3_600 + 1_820, 0));
    assert_eq!(figures(down.uptime.day), (23 * 3_600, 0));
    assert_eq!(down.uptime.day.unwrap().maintenance_seconds(), 1_820);
    assert_eq!(figures(down.uptime.week), (6 * 86_400 + 11 * 3_600, 3_600));
    assert_eq!(figures(up.uptime.quarter), (89 * 86_400 + today, 6 * 3_600));
    assert_eq!(figures(up.uptime.month), (29 * 86_400 + today, 0));
    let shades: Vec<_> = down
        .days
        .iter()
        .rev()
        .take(4)
        .map(|bar| bar.watched.level())
        .collect();
    assert_eq!(
        shades,
        [
            UptimeLevel::Maintenance,
            UptimeLevel::Maintenance,
            UptimeLevel::Partial,
            UptimeLevel::Up
        ]
    );
    assert_eq!((down.hours.len(), down.days.len()), (24, 90));
    assert_eq!(down.days[0].period.to_string(), "2026-08-25");
    let inside = page(table().await, "c-down").await;
    let yesterday = inside.days[88];
    assert_eq!((yesterday.good, yesterday.failing), (3 * 1_440, 0));
    let total = yesterday.total.unwrap();
    // 41 to 50 ms.
    assert!(
        total.p50.as_millis().abs_diff(45) <= 3 && total.max.as_micros() == 49_990,
        "{total:?}"
    );
}

#[tokio::test]
async fn monitor_page_has_only_its_own_incidents() {
    let reader = reader(table().await, 400);
    let id = "c-down".parse().unwrap();
    let page = reader
        .monitor(Audience::Private, &id, last_day(), now())
        .await
        .unwrap()
        .unwrap();
    let incidents = ids(&page.incidents);
    assert_eq!(
        incidents,
        ["c-down@2026-11-22T12:20:00Z.1", "c-down@2026-11-20T10:00:00Z.1"]
    );
    let none = "d".parse().unwrap();
    assert_eq!(
        reader
            .monitor(Audience::Private, &none, last_day(), now())
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn silent_locations_make_status_unknown() {
    let reader = reader(table().await, 400);
    let later = "2026-11-22T15:10:00Z".parse().unwrap();
    let overview = reader.overview(Audience::Private, later).await.unwrap();
    assert!(
        overview
            .monitors
            .iter()
            .all(|monitor| monitor.status == Status::Unknown)
    );
    for monitor in &overview.monitors {
        let hours: Vec<_> = monitor
            .hours
            .iter()
            .rev()
            .take(3)
            .map(|bar| bar.watched.level())
            .collect();
        assert_eq!(hours, [UptimeLevel::NoData; 3]);
        let inside = monitor.inside.as_ref().unwrap();
        assert!(
            inside
                .locations
                .values()
                .all(|visibility| visibility.state == VisibilityState::Silent)
        );
    }
}

#[tokio::test]
async fn public_views_contain_no_private_data() {
    let reader = reader(table().await, 400);
    let id = "c-down".parse().unwrap();
    let shown = |audience| {
        let reader = &reader;
        let id = &id;
        async move {
            let overview = reader.overview(audience, now()).await.unwrap();
            let page = reader
                .monitor(audience, id, last_day(), now())
                .await
                .unwrap()
                .unwrap();
            let incidents = reader.incidents(audience, now()).await.unwrap();
            assert_eq!(overview.monitors[0].uptime.week.unwrap().down_seconds(), 3_600);
            format!("{overview:?} {page:?} {incidents:?}")
        }
    };
    let (public, private) = (shown(Audience::Public).await, shown(Audience::Private).await);
    for secret in SECRETS {
        assert!(private.contains(secret), "{secret}");
        assert!(!public.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn groups_and_locations_are_discovered() {
    let table = table().await;
    let store = Store::new(table.clone());
    let fields = serde_json::json!({ "host": "192.0.2.1", "port": 7, "interval": "1h" });
    for group in ["1h#0", "1h#1", "5m#1"] {
        let group = group.parse().unwrap();
        store
            .put_definition(group, &format!("of-{}", group.shard), fields.as_object().unwrap())
            .await
            .unwrap();
    }
    let reader = Reader::new(table, Scope::default(), ReadLimit::default());
    let overview = reader.overview(Audience::Private, now()).await.unwrap();
    let mut ids: Vec<_> = overview
        .monitors
        .iter()
        .map(|monitor| monitor.id.as_str())
        .collect();
    ids.sort_unstable();
    // `5m#1` is ignored, because there is no `5m#0`.
    assert_eq!(ids, ["a-blip", "b-up", "c-down", "of-0", "of-1"]);
    let locations = overview.inside.unwrap().locations;
    assert!(locations.into_keys().eq(crate::fleet::locations()));
}

#[tokio::test]
async fn locations_in_group_state_override_scope() {
    let table = table().await;
    let store = Store::new(table.clone());
    let mut listed = crate::fleet::locations();
    // One location was removed; another was added and has not reported yet.
    listed.remove(&"us-east-1".parse().unwrap());
    listed.insert("sa-east-1".parse().unwrap());
    for location in &listed {
        store.list_location(GROUP, location).await.unwrap();
    }
    let overview = read_overview(table, 400).await;
    let of_monitor = &overview.monitors[0].inside.as_ref().unwrap().locations;
    assert!(of_monitor.keys().eq(&listed), "{of_monitor:?}");
    assert!(overview.inside.unwrap().locations.into_keys().eq(listed));
}

/// Incidents are shown if they closed within the days shown.
#[tokio::test]
async fn closed_incidents_are_shown_by_closing_time() {
    let id = "b-up".parse().unwrap();
    let november = "2026-11-22T12:30:20Z";
    let new_year = "2027-01-01T00:00:20Z";
    let january = "2027-01-29T00:00:00Z";
    for (at, since, closed, shown) in [
        (november, "2025-09-30T10:00:00Z", "2026-11-22T12:00:00Z", true),
        (november, "2025-12-31T23:59:00Z", "2026-09-01T00:00:00Z", true),
        (november, "2026-06-30T23:59:00Z", "2026-08-25T00:00:00Z", true),
        (november, "2026-06-30T23:59:00Z", "2026-08-24T23:59:00Z", false),
        (november, "2026-06-30T23:59:00Z", "2026-07-31T23:59:00Z", false),
        (new_year, "2026-08-31T10:00:00Z", "2026-12-31T23:59:00Z", true),
        (new_year, "2026-08-31T10:00:00Z", "2027-01-01T00:00:00Z", true),
        (january, "2026-08-31T10:00:00Z", "2026-11-01T00:00:00Z", true),
        (january, "2026-08-31T10:00:00Z", "2026-10-31T23:59:00Z", false),
    ] {
        let table = MemoryTable::new();
        let store = Store::new(table.clone());
        define(&store, "b-up").await;
        file(&store, "b-up", since, closed).await;
        let (now, of) = (at.parse().unwrap(), format!("{since} to {closed}, at {at}"));
        let reader = reader(table, 400);
        let overview = reader.overview(Audience::Public, now).await.unwrap();
        let page = reader.monitor(Audience::Public, &id, last_day(), now).await;
        let incidents = reader.incidents(Audience::Public, now).await.unwrap();
        let found = [
            overview.closed,
            page.unwrap().unwrap().incidents,
            incidents.closed,
        ];
        assert_eq!(found.map(|closed| closed.len()), [usize::from(shown); 3], "{of}");

        let mut snapshot = reader.present(Read::Strong).await.unwrap();
        let first = Period::containing(now, Grain::Day).later(-89).start();
        reader.add_closed(&mut snapshot, first, now).await.unwrap();
        assert_eq!(snapshot.closed.len(), usize::from(shown), "{of}");
    }
}

#[tokio::test]
async fn incident_filed_twice_is_shown_once() {
    let table = table().await;
    let store = Store::new(table.clone());
    for closed in ["2026-10-31T23:59:00Z", "2026-11-01T00:00:00Z"] {
        file(&store, "a-blip", "2026-10-20T00:00:00Z", closed).await;
    }
    let page = reader(table, 400)
        .incidents(Audience::Private, now())
        .await
        .unwrap();
    let of_blip = page
        .closed
        .iter()
        .filter(|incident| incident.id.monitor.as_str() == "a-blip");
    assert_eq!(of_blip.count(), 1);
}
