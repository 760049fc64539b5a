//! The current status of a monitor: status, start and advisory.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use portpulse_core::control::{Control, Note, Silence};
use portpulse_core::definition::Monitor;
use portpulse_core::diagnosis::{Diagnosis, Evidence, HostEvidence, Layer};
use portpulse_core::group_state::{
    Advisory, ClosedIncident, Ending, Entry, GroupState, Health, Incident, LocationReporting, Notified,
    Stability, Status, Track,
};
use portpulse_core::id::MonitorId;
use portpulse_core::never_notified::NeverNotified;
use portpulse_core::observation::Observation;
use portpulse_core::withheld::Withheld;
use portpulse_history::snapshot::{GroupSnapshot, Snapshot};
use portpulse_history::view::{AdvisoryView, Audience, UpcomingMaintenance, VisibilityState};
use portpulse_history::{api, assemble};
use portpulse_store::Store;
use portpulse_testkit::memory_table::MemoryTable;
use serde_json::{Value, json};

use crate::assembled::{read_overview, table};
use crate::fleet::{GROUP, define, incident, now, reader, rows, run, seen, tick};

/// The status of `c-down`, its start, and the advisory.
type StatusView = (Status, Option<String>, Option<AdvisoryView>);

#[tokio::test]
async fn shown_status_matches_decision() {
    let groups = BTreeSet::from([GROUP]);
    let snapshot = reader(table().await, 400).snapshot(&groups, now()).await.unwrap();
    let id: MonitorId = "c-down".parse().unwrap();
    let shown = |change: &dyn Fn(&mut GroupState)| -> StatusView {
        let mut snapshot = snapshot.clone();
        change(&mut snapshot.groups.get_mut(&GROUP).unwrap().group_state);
        let page = assemble::monitor(
            &snapshot,
            &id,
            Audience::Private,
            UpcomingMaintenance::Withheld,
            now(),
        )
        .unwrap();
        let view = page.monitor;
        let since = view.since.map(|since| since.to_string());
        (view.status, since, view.inside.unwrap().advisory)
    };
    let since = |text: &str| Some(text.to_owned());
    let down = (Status::Down, since("2026-11-22T12:20:00Z"), None);
    assert_eq!(shown(&|_| {}), down);

    let is_flapping = |stability| {
        let mut snapshot = snapshot.clone();
        let group_state = &mut snapshot.groups.get_mut(&GROUP).unwrap().group_state;
        let key = (id.clone(), Track::Health);
        group_state.decision.incidents.get_mut(&key).unwrap().stability = stability;
        let overview = assemble::overview(&snapshot, Audience::Public, UpcomingMaintenance::Withheld, now());
        let view = overview.monitors.into_iter().find(|view| view.id == id);
        view.unwrap().is_flapping
    };
    let flapping = Stability::Flapping {
        state: Health::Good,
        notified: None,
    };
    assert!(is_flapping(flapping) && !is_flapping(Stability::Steady));

    let one_suspect = |group_state: &mut GroupState| {
        group_state
            .locations
            .retain(|location, _| location.as_str() == "eu-west-1");
        let location = "eu-west-1".parse().unwrap();
        let locations = &mut group_state.decision.locations;
        locations.insert(location, LocationReporting::Suspect(now()));
    };
    assert_eq!(shown(&one_suspect), (Status::Unknown, None, None));

    let no_data = |group_state: &mut GroupState| {
        let since = tick("2026-11-22T12:25:00Z");
        for row in group_state.locations.values_mut() {
            row.entries.insert(id.clone(), Entry::NoData { since });
        }
    };
    assert_eq!(shown(&no_data), (Status::Unknown, None, None));
    let no_data_with_incident = |group_state: &mut GroupState| {
        no_data(group_state);
        let no_data = incident("2026-11-22T12:25:00Z");
        group_state
            .decision
            .incidents
            .insert((id.clone(), Track::Visibility), no_data);
    };
    let unknown = (Status::Unknown, since("2026-11-22T12:25:00Z"), None);
    assert_eq!(shown(&no_data_with_incident), unknown);

    let with_advisory = |group_state: &mut GroupState| {
        let advisory = Advisory {
            opened: tick("2026-11-22T12:15:00Z"),
            revision: 1,
            notified: Notified::NotYet,
            first: None,
            ended: BTreeSet::new(),
        };
        group_state.decision.advisories.insert(id.clone(), advisory);
    };
    assert_eq!(shown(&with_advisory), down, "the advisory became an outage");
    let only_advisory = |group_state: &mut GroupState| {
        with_advisory(group_state);
        group_state.decision.incidents.clear();
    };
    let in_maintenance = Some(AdvisoryView {
        is_notified: false,
        withheld: Some(Withheld::Maintenance),
    });
    assert_eq!(shown(&only_advisory), (Status::Up, None, in_maintenance));
}

#[tokio::test]
async fn open_incident_names_why_it_is_not_notified() {
    let groups = BTreeSet::from([GROUP]);
    let mut snapshot = reader(table().await, 400).snapshot(&groups, now()).await.unwrap();
    let define = |snapshot: &mut Snapshot, fields: &Value| {
        let monitor = Monitor::from_attributes("c-down", fields).unwrap();
        let own = snapshot.groups.get_mut(&GROUP).unwrap();
        own.definitions.monitors.insert(monitor.id().clone(), monitor);
    };
    // The sample is in maintenance.
    define(
        &mut snapshot,
        &json!({ "host": "c.example.com", "port": 1, "interval": "1m" }),
    );
    let id: MonitorId = "c-down".parse().unwrap();
    let shown = |change: &dyn Fn(&mut Snapshot, &mut Incident)| {
        let (mut snapshot, key) = (snapshot.clone(), (id.clone(), Track::Health));
        let incidents = &mut snapshot
            .groups
            .get_mut(&GROUP)
            .unwrap()
            .group_state
            .decision
            .incidents;
        let mut incident = incidents.remove(&key).unwrap();
        change(&mut snapshot, &mut incident);
        let known = snapshot.groups.get_mut(&GROUP).unwrap();
        known.group_state.decision.incidents.insert(key, incident);
        let mut open = assemble::incidents(&snapshot, Audience::Private, now()).open;
        open.retain(|incident| incident.id.monitor == id);
        open.remove(0).inside.unwrap().withheld
    };
    let not_yet = |incident: &mut Incident| incident.notified = Notified::NotYet;
    assert_eq!(shown(&|_, incident| not_yet(incident)), None);
    let until = now() + SignedDuration::from_hours(1);
    let silenced = |snapshot: &mut Snapshot, incident: &mut Incident| {
        not_yet(incident);
        let silence = Silence::new(until, Note::new("ann", now(), None).unwrap()).unwrap();
        let control = Control::default().silenced(silence);
        snapshot.controls.insert("c-down".parse().unwrap(), control);
    };
    assert_eq!(shown(&silenced), Some(Withheld::Silenced(until)));
    // The parent is of a group that was not read: the diagnosis names it.
    let behind = |_: &mut Snapshot, incident: &mut Incident| {
        not_yet(incident);
        incident.diagnosis = Some(Diagnosis {
            layer: Layer::Dependency,
            evidence: Some(Evidence {
                failing: 2,
                good: 0,
                pending: 0,
                host: HostEvidence::Unchecked,
                parent: Some("far".parse().unwrap()),
            }),
        });
    };
    assert_eq!(shown(&behind), Some(Withheld::Dependency("far".parse().unwrap())));
    // If it was read and is up, it explains nothing.
    let other = |snapshot: &mut Snapshot, incident: &mut Incident| {
        behind(snapshot, incident);
        let fields = json!({ "host": "far.example.com", "port": 1, "interval": "5m" });
        let far = Monitor::from_attributes("far", &fields).unwrap();
        let mut group = GroupSnapshot::default();
        group.definitions.monitors.insert(far.id().clone(), far);
        snapshot.groups.insert("5m#0".parse().unwrap(), group);
    };
    assert_eq!(shown(&other), None);
    let both_down = |snapshot: &mut Snapshot, incident: &mut Incident| {
        other(snapshot, incident);
        let child = json!({
            "host": "c.example.com", "port": 1, "interval": "1m",
            "depends_on": ["far"], "depends_on_groups": { "far": "5m#0" },
        });
        define(snapshot, &child);
        let far = snapshot.groups.get_mut(&"5m#0".parse().unwrap()).unwrap();
        let down = (
            ("far".parse().unwrap(), Track::Health),
            self::incident("2026-11-22T12:20:00Z"),
        );
        far.group_state.decision.incidents.extend([down]);
    };
    assert_eq!(
        shown(&both_down),
        Some(Withheld::Dependency("far".parse().unwrap()))
    );
}

#[tokio::test]
async fn closed_incident_names_why_it_was_never_notified() {
    let groups = BTreeSet::from([GROUP]);
    let mut snapshot = reader(table().await, 400).snapshot(&groups, now()).await.unwrap();
    let id: MonitorId = "c-down".parse().unwrap();
    let mut closed = |notified: Notified, silenced: bool| {
        let opened = incident("2026-11-22T12:20:00Z");
        let from = opened.opened.timestamp();
        snapshot.closed = vec![ClosedIncident {
            monitor: id.clone(),
            track: Track::Health,
            incident: Incident { notified, ..opened },
            closed: tick("2026-11-22T12:25:00Z"),
            ending: Ending::Recovered,
        }];
        let silence = Silence::new(now(), Note::new("ann", from, None).unwrap()).unwrap();
        snapshot.controls.clear();
        if silenced {
            let control = Control::default().silenced(silence);
            snapshot.controls.insert(id.clone(), control);
        }
        // The sample is in maintenance.
        snapshot
            .groups
            .get_mut(&GROUP)
            .unwrap()
            .definitions
            .monitors
            .remove(&id);
        let mut page = assemble::incidents(&snapshot, Audience::Private, now());
        page.closed.retain(|incident| incident.id.monitor == id);
        let json = api::incidents(&page)["closed"][0]["withheld"]["reason"].clone();
        let shown = page.closed.remove(0).inside.unwrap();
        assert_eq!(shown.withheld, None);
        (shown.never_notified, json)
    };
    let at = Notified::At {
        first: now(),
        last: now(),
        reminders: 0,
    };
    assert_eq!(closed(at, true), (None, Value::Null));
    let silenced = NeverNotified::Silenced(now());
    assert_eq!(
        closed(Notified::NotYet, true),
        (Some(silenced), json!("silenced"))
    );
    let unknown = (Some(NeverNotified::NotRecorded), json!("not_recorded"));
    assert_eq!(closed(Notified::NotYet, false), unknown);
}

/// A location state lists a monitor that was never checked as little as a nominal one. The results show the difference.
#[tokio::test]
async fn monitor_is_unknown_until_its_first_check() {
    use VisibilityState::{Good, NoData};
    let table = MemoryTable::new();
    let store = Store::new(table.clone());
    for id in ["added", "db"] {
        define(&store, id).await;
    }
    run(&store, &["db".to_owned()], 30).await;
    rows(&store, &[]).await;
    let db = (Status::Up, 1_800, [Good; 3]);
    let first_check = tick("2026-11-22T12:30:00Z");
    for (checked_by, expected) in [
        (None, (Status::Unknown, 0, [NoData; 3])),
        (Some("eu-west-1"), (Status::Up, 60, [NoData, Good, NoData])),
    ] {
        if let Some(location) = checked_by {
            let results = [("added".parse().unwrap(), Observation::from(seen(0)))].into();
            let location = location.parse().unwrap();
            let put = store.put_results(GROUP, first_check, &location, &results);
            put.await.unwrap();
        }
        let overview = read_overview(table.clone(), 400).await;
        let shown = |id: &str| {
            let mut monitors = overview.monitors.iter();
            let view = monitors.find(|view| view.id.as_str() == id).unwrap();
            let locations = view.inside.as_ref().unwrap().locations.values();
            let states: Vec<_> = locations.map(|location| location.state).collect();
            let states: [_; 3] = states.try_into().unwrap();
            (view.status, view.uptime.day.unwrap().seconds(), states)
        };
        assert_eq!(
            (shown("added"), shown("db")),
            (expected, db),
            "checked by {checked_by:?}"
        );
    }
    // Without the ticks it is not known.
    let overview = read_overview(table, 10).await;
    assert!(overview.left_out.hour);
    assert!(overview.monitors.iter().all(|view| view.status == Status::Up));
}
