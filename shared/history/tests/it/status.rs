//! What is shown of a monitor now: the status, since when, and whether locations differ.

use std::collections::BTreeSet;

use portpulse_core::group_state::{Advisory, Entry, GroupState, LocationReporting, Notified, Status, Track};
use portpulse_core::id::MonitorId;
use portpulse_history::assemble;
use portpulse_history::view::{Ahead, Audience};

use crate::assembled::table;
use crate::fleet::{GROUP, incident, now, reader, tick};

/// The status on `c-down`, since when, and whether locations differ.
type Shown = (Status, Option<String>, bool);

#[tokio::test]
async fn the_status_is_the_one_that_a_decision_would_rest_on() {
    let groups = BTreeSet::from([GROUP]);
    let snapshot = reader(table().await, 400).snapshot(&groups, now()).await.unwrap();
    let id: MonitorId = "c-down".parse().unwrap();
    let shown = |change: &dyn Fn(&mut GroupState)| -> Shown {
        let mut snapshot = snapshot.clone();
        change(&mut snapshot.groups.get_mut(&GROUP).unwrap().group_state);
        let page = assemble::monitor(&snapshot, &id, Audience::Private, Ahead::Withheld, now()).unwrap();
        let view = page.monitor;
        let since = view.since.map(|since| since.to_string());
        (view.status, since, view.inside.unwrap().advisory)
    };
    let since = |text: &str| Some(text.to_owned());
    let down = (Status::Down, since("2026-11-22T12:20:00Z"), false);
    assert_eq!(shown(&|_| {}), down);

    let one_suspect = |group_state: &mut GroupState| {
        group_state
            .rows
            .retain(|location, _| location.as_str() == "eu-west-1");
        let location = "eu-west-1".parse().unwrap();
        let locations = &mut group_state.status.locations;
        locations.insert(location, LocationReporting::Suspect(now()));
    };
    assert_eq!(shown(&one_suspect), (Status::Unknown, None, false));

    let no_data = |group_state: &mut GroupState| {
        let since = tick("2026-11-22T12:25:00Z");
        for row in group_state.rows.values_mut() {
            row.entries.insert(id.clone(), Entry::NoData { since });
        }
    };
    assert_eq!(shown(&no_data), (Status::Unknown, None, false));
    let no_data_and_notified = |group_state: &mut GroupState| {
        no_data(group_state);
        let no_data = incident("2026-11-22T12:25:00Z");
        group_state
            .status
            .incidents
            .insert((id.clone(), Track::Visibility), no_data);
    };
    let unknown = (Status::Unknown, since("2026-11-22T12:25:00Z"), false);
    assert_eq!(shown(&no_data_and_notified), unknown);

    let differ = |group_state: &mut GroupState| {
        let advisory = Advisory {
            opened: tick("2026-11-22T12:15:00Z"),
            revision: 1,
            notified: Notified::NotYet,
        };
        group_state.status.advisories.insert(id.clone(), advisory);
    };
    assert_eq!(shown(&differ), down, "it became an outage");
    let only_differ = |group_state: &mut GroupState| {
        differ(group_state);
        group_state.status.incidents.clear();
    };
    assert_eq!(shown(&only_differ), (Status::Up, None, true));
}
