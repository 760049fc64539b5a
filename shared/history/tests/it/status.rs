//! The current status of a monitor: status, start and advisory.

use std::collections::BTreeSet;

use portpulse_core::group_state::{
    Advisory, Entry, GroupState, Health, LocationReporting, Notified, Stability, Status, Track,
};
use portpulse_core::id::MonitorId;
use portpulse_history::assemble;
use portpulse_history::view::{Audience, UpcomingMaintenance};

use crate::assembled::table;
use crate::fleet::{GROUP, incident, now, reader, tick};

/// The status of `c-down`, its start, and whether an advisory is open.
type StatusView = (Status, Option<String>, bool);

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
    let down = (Status::Down, since("2026-11-22T12:20:00Z"), false);
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
    assert_eq!(shown(&one_suspect), (Status::Unknown, None, false));

    let no_data = |group_state: &mut GroupState| {
        let since = tick("2026-11-22T12:25:00Z");
        for row in group_state.locations.values_mut() {
            row.entries.insert(id.clone(), Entry::NoData { since });
        }
    };
    assert_eq!(shown(&no_data), (Status::Unknown, None, false));
    let no_data_with_incident = |group_state: &mut GroupState| {
        no_data(group_state);
        let no_data = incident("2026-11-22T12:25:00Z");
        group_state
            .decision
            .incidents
            .insert((id.clone(), Track::Visibility), no_data);
    };
    let unknown = (Status::Unknown, since("2026-11-22T12:25:00Z"), false);
    assert_eq!(shown(&no_data_with_incident), unknown);

    let with_advisory = |group_state: &mut GroupState| {
        let advisory = Advisory {
            opened: tick("2026-11-22T12:15:00Z"),
            revision: 1,
            notified: Notified::NotYet,
            first: None,
        };
        group_state.decision.advisories.insert(id.clone(), advisory);
    };
    assert_eq!(shown(&with_advisory), down, "the advisory became an outage");
    let only_advisory = |group_state: &mut GroupState| {
        with_advisory(group_state);
        group_state.decision.incidents.clear();
    };
    assert_eq!(shown(&only_advisory), (Status::Up, None, true));
}
