//! One notification for one cause.

use portpulse_core::decide::Notification;
use portpulse_core::group_state::MAX_CLUSTERS;
use portpulse_core::id::MonitorId;
use serde_json::{Value, json};

use crate::world::{World, with};

pub(crate) fn fields(host: &str, port: u16) -> Value {
    json!({ "host": host, "port": port, "failures_to_open": 1, "successes_to_close": 1 })
}

/// Plays lines such as `2 xx.: x x .`: a tick, and the symbol of each monitor in all locations, in the order of ids.
/// Returns each notification as `tick kind monitors`, where the first monitor names it.
pub(crate) fn play(world: &mut World, locations: usize, lines: &str) -> Vec<String> {
    let ids: Vec<MonitorId> = world.definitions.monitors.keys().cloned().collect();
    let mut notified = Vec::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (tick, symbols) = line.split_once(' ').unwrap();
        let tick = tick.parse().unwrap();
        let symbol = |id: &MonitorId| {
            let place = ids.iter().position(|known| known == id).unwrap();
            symbols.chars().nth(place).unwrap()
        };
        for location in &["a", "b", "c"][..locations] {
            let sent = world.deliver(tick, location, symbol);
            notified.extend(sent.iter().map(|sent| format!("{tick} {}", text(sent))));
        }
    }
    notified
}

fn text(notification: &Notification) -> String {
    let ids: Vec<_> = notification
        .monitors
        .iter()
        .map(|monitor| monitor.id.as_str())
        .collect();
    let kind = notification.kind;
    match notification.monitor_count as usize {
        count if count == ids.len() => format!("{kind} {}", ids.join(" ")),
        count => format!("{kind} {} of {count}", ids.join(" ")),
    }
}

#[track_caller]
pub(crate) fn check(monitors: &[(&str, Value)], lines: &str, expected: &[&str]) {
    let mut world = World::new(3, monitors);
    assert_eq!(play(&mut world, 3, lines), expected, "{lines}");
}

#[test]
fn monitors_of_one_host_share_a_notification_until_the_last_recovers() {
    let monitors = [
        ("a", fields("h", 1)),
        ("b", fields("h", 2)),
        ("c", fields("g", 3)),
    ];
    check(
        &monitors,
        "1 ...
         2 xx.
         3 x..
         4 ...
         5 ...",
        &["2 down a b", "4 recovered a b"],
    );
    check(
        &monitors,
        "1 ...\n2 xxx\n3 ...",
        &["2 down a b", "2 down c", "3 recovered c", "3 recovered a b"],
    );
}

#[test]
fn notification_has_the_cause_of_each_monitor() {
    let mut world = World::new(1, &[("a", fields("h", 1)), ("b", fields("h", 2))]);
    for (tick, symbols, expected) in [
        (1, "..", ""),
        (2, "xt", "refused timeout"),
        (3, "..", "refused timeout"),
    ] {
        let symbol = |id: &MonitorId| symbols.chars().nth(usize::from(id.as_str() == "b")).unwrap();
        let sent = world.deliver(tick, "a", symbol);
        let monitors = sent.iter().flat_map(|sent| &sent.monitors);
        let causes: Vec<_> = monitors.map(|monitor| monitor.cause.unwrap().code()).collect();
        assert_eq!(causes.join(" "), expected, "tick {tick}");
    }
}

#[test]
fn cluster_keeps_its_id_when_its_first_incident_closes() {
    let mut world = World::new(3, &[("a", fields("h", 1)), ("b", fields("h", 2))]);
    let mut ids = Vec::new();
    for (tick, symbols) in [(1, ".."), (2, "xx"), (3, ".x"), (4, "..")] {
        for location in ["a", "b", "c"] {
            let symbol = |id: &MonitorId| symbols.chars().nth(usize::from(id.as_str() == "b")).unwrap();
            ids.extend(
                world
                    .deliver(tick, location, symbol)
                    .into_iter()
                    .map(|sent| sent.id),
            );
        }
    }
    let [down, recovered] = ids.as_slice() else {
        panic!("{ids:?}")
    };
    let about = down.strip_suffix("/down").unwrap();
    assert_eq!(recovered, &format!("{about}/recovered"));
    let archived = world
        .archive
        .iter()
        .map(|closed| closed.incident.cluster.as_ref().unwrap().to_string());
    assert_eq!(archived.collect::<Vec<_>>(), [about, about]);
}

#[test]
fn monitors_with_a_common_parent_share_a_notification() {
    let child = |host: &str| {
        with(
            fields(host, 1),
            &json!({ "depends_on": ["sw"], "depends_on_groups": { "sw": "1m#0" } }),
        )
    };
    // The parent is up, or fails later: its threshold is higher.
    let parent = with(fields("s", 1), &json!({ "failures_to_open": 3 }));
    check(
        &[("a", child("h")), ("b", child("g")), ("sw", parent)],
        "1 ...\n2 xx.\n3 ...",
        &["2 down a b", "3 recovered a b"],
    );
}

#[test]
fn parent_that_opens_after_its_children_joins_their_notification() {
    let child = |host: &str| {
        with(
            fields(host, 1),
            &json!({ "depends_on": ["sw"], "depends_on_groups": { "sw": "1m#0" } }),
        )
    };
    let parent = with(fields("s", 1), &json!({ "failures_to_open": 2 }));
    check(
        &[("a", child("h")), ("b", child("g")), ("sw", parent.clone())],
        "1 ...\n2 xxx\n3 xxx\n4 ...",
        &["2 down a b", "4 recovered a b sw"],
    );
    // It began to fail later: another cause.
    check(
        &[("a", child("h")), ("b", child("g")), ("sw", parent)],
        "1 ...\n2 xx.\n3 xx.\n4 xxx\n5 xxx",
        &["2 down a b", "5 down sw"],
    );
}

#[test]
fn children_at_any_depth_are_not_notified_while_a_parent_is_down() {
    let on = |host: &str, parent: &str| {
        with(
            fields(host, 1),
            &json!({ "depends_on": [parent], "depends_on_groups": { parent: "1m#0" } }),
        )
    };
    check(
        &[("a", on("h", "b")), ("b", on("g", "c")), ("c", fields("f", 1))],
        "1 ...
         2 xxx
         3 ...",
        &["2 down c", "3 recovered c"],
    );
    // The one between them is up.
    check(
        &[("a", on("h", "b")), ("b", on("g", "c")), ("c", fields("f", 1))],
        "1 ...
         2 x.x
         3 x..
         4 ...",
        &["2 down c", "3 recovered c", "3 down a", "4 recovered a"],
    );
}

#[test]
fn dependencies_of_other_groups_count_at_any_depth() {
    let child = with(
        fields("h", 1),
        &json!({ "depends_on": ["b"], "depends_on_groups": { "b": "5m#0" } }),
    );
    let mut world = World::new(3, &[("a", child)]);
    let id = |id: &str| id.parse::<MonitorId>().unwrap();
    world.elsewhere.parents.insert(id("b"), [id("c")].into());
    world.elsewhere.down.insert(id("c"));
    assert_eq!(play(&mut world, 3, "1 .\n2 x"), [""; 0]);
    world.elsewhere.down.clear();
    assert_eq!(play(&mut world, 3, "3 x\n4 ."), ["3 down a", "4 recovered a"]);
}

#[test]
fn incident_with_the_same_onset_joins_without_a_notification() {
    let slow = with(fields("h", 2), &json!({ "failures_to_open": 3 }));
    check(
        &[("a", fields("h", 1)), ("b", slow)],
        "1 ..
         2 xx
         3 xx
         4 xx
         5 .x
         6 ..",
        &["2 down a", "6 recovered a b"],
    );
}

#[test]
fn later_or_louder_incident_or_other_audience_is_notified_by_itself() {
    let own = ["2 down a", "5 down b"];
    // It began to fail later.
    check(
        &[("a", fields("h", 1)), ("b", fields("h", 2))],
        "1 ..\n2 x.\n3 x.\n4 x.\n5 xx",
        &own,
    );
    let late = |more: Value| with(with(fields("h", 2), &json!({ "failures_to_open": 4 })), &more);
    let lines = "1 ..\n2 xx\n3 xx\n4 xx\n5 xx";
    check(
        &[("a", fields("h", 1)), ("b", late(json!({})))],
        lines,
        &["2 down a"],
    );
    check(
        &[
            ("a", fields("h", 1)),
            ("b", late(json!({ "severity": "critical" }))),
        ],
        lines,
        &own,
    );
    check(
        &[("a", fields("h", 1)), ("b", late(json!({ "tags": ["db"] })))],
        lines,
        &own,
    );
}

#[test]
fn monitors_without_data_in_any_location_share_a_notification() {
    let lines: Vec<_> = (2..8).map(|tick| format!("{tick} ??")).collect();
    check(
        &[("a", fields("h", 1)), ("b", fields("g", 2))],
        &format!("1 ..\n{}\n8 ..", lines.join("\n")),
        &["4 unknown a b", "8 recovered a b"],
    );
}

#[test]
fn failing_name_servers_of_a_domain_are_one_cause() {
    check(
        &[
            ("a", fields("a.example.com", 1)),
            ("b", fields("b.example.com", 2)),
            ("c", fields("c.example.org", 3)),
        ],
        "1 ...\n2 fff",
        &["2 down a b", "2 down c"],
    );
}

#[test]
fn same_failing_address_is_one_cause() {
    let mut world = World::new(3, &[("a", fields("a.example", 1)), ("b", fields("b.example", 2))]);
    for id in ["a", "b"] {
        world.addresses.insert(id.parse().unwrap(), [192, 0, 2, 7].into());
    }
    assert_eq!(play(&mut world, 3, "1 ..\n2 tt"), ["2 down a b"]);
}

#[test]
fn path_that_fails_for_several_hosts_is_one_cause() {
    let mut world = World::new(3, &[("a", fields("h", 1)), ("b", fields("g", 2))]);
    let sent = world.notified("1 ...\n2 tt.");
    let texts: Vec<_> = sent.iter().map(|(_, _, sent)| text(sent)).collect();
    // The third location has not reported yet when the quorum is met, so the notifications cannot wait for the cause.
    assert_eq!(texts, ["down a", "down b"]);
    let quorum = |host: &str| with(fields(host, 1), &json!({ "quorum": 1 }));
    let mut world = World::new(3, &[("a", quorum("h")), ("b", quorum("g"))]);
    let sent = world.notified("1 ...\n2 t..");
    let texts: Vec<_> = sent.iter().map(|(_, _, sent)| text(sent)).collect();
    assert_eq!(texts, ["down a b"]);
}

#[test]
fn advisories_of_the_same_locations_share_a_notification() {
    let mut world = World::new(3, &[("a", fields("h", 1)), ("b", fields("g", 2))]);
    let sent = world.notified("1 ...\n2 x..\n3 x..\n4 ...");
    let texts: Vec<_> = sent
        .iter()
        .map(|(tick, _, sent)| format!("{tick} {}", text(sent)))
        .collect();
    assert_eq!(texts, ["2 advisory a b", "4 advisory_over a b"]);
}

#[test]
fn exposed_and_unavailable_ports_are_different_causes() {
    let closed = with(fields("h", 2), &json!({ "expect": "closed" }));
    check(
        &[("a", fields("h", 1)), ("b", closed)],
        "1 .x\n2 x.",
        &["2 exposed b", "2 down a"],
    );
}

#[test]
fn incidents_beyond_maximum_of_clusters_are_notified_one_by_one() {
    let mut monitors = Vec::new();
    for host in 0..=MAX_CLUSTERS {
        let slow = json!({ "failures_to_open": 2 });
        monitors.push((format!("a{host:02}"), fields(&format!("h{host}"), 1)));
        monitors.push((format!("b{host:02}"), with(fields(&format!("h{host}"), 2), &slow)));
    }
    for port in 1..=2 {
        monitors.push((format!("c{port}"), fields("h", port)));
    }
    let monitors: Vec<_> = monitors
        .iter()
        .map(|(id, fields)| (id.as_str(), fields.clone()))
        .collect();
    let mut world = World::new(1, &monitors);
    let mut sent = Vec::new();
    for tick in 1..=4 {
        let symbol = |id: &MonitorId| {
            let since = if id.as_str().starts_with('c') { 4 } else { 2 };
            if tick < since { '.' } else { 'x' }
        };
        sent.push(
            world
                .deliver(tick, "a", symbol)
                .iter()
                .map(text)
                .collect::<Vec<_>>(),
        );
    }
    // The second monitors of 50 hosts join the first, and that of the last host has no room.
    assert_eq!(
        (sent[1].len(), &sent[2][..]),
        (MAX_CLUSTERS + 1, &["down b50".to_owned()][..])
    );
    assert_eq!(sent[3], ["down c1", "down c2"]);
    assert_eq!(world.group_state.decision.clusters.len(), MAX_CLUSTERS);
}

#[test]
fn advisories_of_other_locations_are_apart_until_the_last_is_over() {
    let ids = ["a", "b", "c", "d"];
    let monitors = ids.map(|id| (id, fields(&format!("{id}.example"), 1)));
    let mut world = World::new(3, &monitors);
    let mut sent = Vec::new();
    for (tick, failing) in [
        (1, ["", ""]),
        (2, ["ab", "cd"]),
        (3, ["b", "cd"]),
        (4, ["", "cd"]),
        (5, ["", ""]),
    ] {
        for (location, failing) in ["a", "b", "c"].iter().zip([failing[0], failing[1], ""]) {
            let symbol = |id: &MonitorId| if failing.contains(id.as_str()) { 'x' } else { '.' };
            let notified = world.deliver(tick, location, symbol);
            sent.extend(notified.iter().map(|sent| format!("{tick} {}", text(sent))));
        }
    }
    assert_eq!(
        sent,
        [
            "2 advisory a b",
            "2 advisory c d",
            "4 advisory_over a b",
            "5 advisory_over c d"
        ]
    );
}

#[test]
fn parent_is_no_cause_of_an_exposed_port() {
    let child = |host: &str| {
        let more = json!({ "expect": "closed", "depends_on": ["sw"], "depends_on_groups": { "sw": "1m#0" } });
        with(fields(host, 1), &more)
    };
    check(
        &[("a", child("h")), ("b", child("g")), ("sw", fields("s", 1))],
        "1 xx.\n2 ...",
        &["2 exposed a", "2 exposed b"],
    );
}
