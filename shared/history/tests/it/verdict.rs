//! What is shown of a monitor now: the verdict, since when, and whether regions differ.

use std::collections::BTreeSet;

use portpulse_core::board::{Advisory, Board, Entry, RegionState, Told, Track, Verdict};
use portpulse_core::id::MonitorId;
use portpulse_history::assemble;
use portpulse_history::view::{Ahead, Audience};

use crate::assembled::table;
use crate::fleet::{GROUP, incident, now, reader, tick};

/// The verdict on `c-down`, since when, and whether regions differ.
type Shown = (Verdict, Option<String>, bool);

#[tokio::test]
async fn the_verdict_is_the_one_that_a_decision_would_rest_on() {
    let groups = BTreeSet::from([GROUP]);
    let snapshot = reader(table().await, 400).snapshot(&groups, now()).await.unwrap();
    let id: MonitorId = "c-down".parse().unwrap();
    let shown = |change: &dyn Fn(&mut Board)| -> Shown {
        let mut snapshot = snapshot.clone();
        change(&mut snapshot.groups.get_mut(&GROUP).unwrap().board);
        let page = assemble::monitor(&snapshot, &id, Audience::Private, Ahead::Withheld, now()).unwrap();
        let view = page.monitor;
        let since = view.since.map(|since| since.to_string());
        (view.verdict, since, view.inside.unwrap().advisory)
    };
    let since = |text: &str| Some(text.to_owned());
    let down = (Verdict::Down, since("2026-11-22T12:20:00Z"), false);
    assert_eq!(shown(&|_| {}), down);

    let one_suspect = |board: &mut Board| {
        board.rows.retain(|region, _| region.as_str() == "eu-west-1");
        let region = "eu-west-1".parse().unwrap();
        let regions = &mut board.verdict.regions;
        regions.insert(region, RegionState::Suspect(now()));
    };
    assert_eq!(shown(&one_suspect), (Verdict::Unknown, None, false));

    let blind = |board: &mut Board| {
        let since = tick("2026-11-22T12:25:00Z");
        for row in board.rows.values_mut() {
            row.entries.insert(id.clone(), Entry::Unseen { since });
        }
    };
    assert_eq!(shown(&blind), (Verdict::Unknown, None, false));
    let blind_and_told = |board: &mut Board| {
        blind(board);
        let unseen = incident("2026-11-22T12:25:00Z");
        board.verdict.incidents.insert((id.clone(), Track::Sight), unseen);
    };
    let unknown = (Verdict::Unknown, since("2026-11-22T12:25:00Z"), false);
    assert_eq!(shown(&blind_and_told), unknown);

    let differ = |board: &mut Board| {
        let advisory = Advisory {
            opened: tick("2026-11-22T12:15:00Z"),
            revision: 1,
            told: Told::NotYet,
        };
        board.verdict.advisories.insert(id.clone(), advisory);
    };
    assert_eq!(shown(&differ), down, "it became an outage");
    let only_differ = |board: &mut Board| {
        differ(board);
        board.verdict.incidents.clear();
    };
    assert_eq!(shown(&only_differ), (Verdict::Up, None, true));
}
