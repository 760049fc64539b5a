//! The end of a notification of several monitors reaches everybody who was notified, and names only those that are good;
//! follow-ups name only those that are bad.

use portpulse_core::decide::Notification;
use portpulse_core::group_state::MAX_TAGS;
use portpulse_core::id::MonitorId;
use serde_json::{Value, json};

use crate::clusters::fields;
use crate::world::{World, with};

/// A monitor with a tag of its own, of which nobody but its subscribers hears.
fn tagged(id: &str, host: &str, more: &Value) -> Value {
    with(
        with(fields(host, 1), &json!({ "tags": [format!("of-{id}")] })),
        more,
    )
}

/// Writes `4 recovered b, status down, to critical warning, of-a of-b`.
fn text(tick: i64, sent: &Notification) -> String {
    let monitors = sent.monitors.iter().map(|monitor| monitor.id.to_string());
    let mut tags: Vec<_> = sent.tags.iter().map(String::as_str).collect();
    tags.sort_unstable();
    let audience: Vec<_> = sent.audience.iter().map(|severity| severity.as_str()).collect();
    let count = sent.monitor_count as usize;
    assert_eq!(count, sent.monitors.len(), "{sent:?}");
    format!(
        "{tick} {} {}, status {}, to {}, {}",
        sent.kind,
        monitors.collect::<Vec<_>>().join(" "),
        sent.status,
        audience.join(" "),
        tags.join(" ")
    )
}

/// Plays lines such as `2 ab a -`: a tick, and the failing monitors of each location.
#[track_caller]
fn check(monitors: &[(&str, Value)], locations: usize, lines: &str, expected: &str) {
    let mut world = World::new(locations, monitors);
    let mut found = Vec::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (tick, failing) = line.split_once(' ').unwrap();
        let tick = tick.parse().unwrap();
        let failing: Vec<_> = failing.split(' ').collect();
        for (place, location) in ["a", "b", "c"][..locations].iter().enumerate() {
            let here = failing.get(place).or(failing.first()).unwrap();
            let symbol = |id: &MonitorId| if here.contains(id.as_str()) { 'x' } else { '.' };
            let sent = world.deliver(tick, location, symbol);
            found.extend(sent.iter().map(|sent| text(tick, sent)));
        }
    }
    let expected: Vec<_> = expected
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    assert_eq!(found, expected, "{lines}");
}

fn same_host(more: &Value) -> Vec<(&'static str, Value)> {
    vec![
        (
            "a",
            tagged("a", "h", &with(json!({ "severity": "critical" }), more)),
        ),
        (
            "b",
            tagged("b", "h", &with(json!({ "severity": "warning" }), more)),
        ),
    ]
}

#[test]
fn recovery_of_a_cluster_reaches_all_who_were_notified_of_it() {
    check(
        &same_host(&json!({})),
        1,
        "1 -\n2 ab\n3 a\n4 -",
        "2 down a b, status down, to critical warning, of-a of-b
         4 recovered a b, status down, to critical warning, of-a of-b",
    );
}

#[test]
fn recovery_of_a_cluster_does_not_name_a_monitor_that_failed_again() {
    check(
        &same_host(&json!({})),
        1,
        "1 -\n2 ab\n3 b\n5 ab\n7 a\n8 -",
        "2 down a b, status down, to critical warning, of-a of-b
         5 down a, status down, to critical, of-a
         7 recovered b, status down, to critical warning, of-a of-b
         8 recovered a, status down, to critical, of-a",
    );
}

#[test]
fn reminder_of_a_cluster_names_only_open_incidents() {
    check(
        &same_host(&json!({ "remind_every": "5m" })),
        1,
        "1 -\n2 ab\n3 b\n7 b\n8 -",
        "2 down a b, status down, to critical warning, of-a of-b
         7 reminder b, status down, to warning, of-b
         8 recovered a b, status down, to critical warning, of-a of-b",
    );
}

#[test]
fn advisory_over_names_only_good_monitors() {
    let monitors = [
        ("a", tagged("a", "h", &json!({}))),
        ("b", tagged("b", "g", &json!({}))),
    ];
    let opened = "2 advisory a b, status up, to info, of-a of-b\n";
    // `a` recovers, then `b`.
    let over = "4 advisory_over a b, status up, to info, of-a of-b";
    check(
        &monitors,
        3,
        "1 - - -\n2 ab - -\n3 b - -\n4 - - -",
        &format!("{opened}{over}"),
    );
    // `a` goes down, then `b` recovers.
    let over = "3 down a, status down, to warning, of-a
        4 advisory_over b, status up, to info, of-a of-b";
    check(
        &monitors,
        3,
        "1 - - -\n2 ab - -\n3 ab a -\n4 a a -",
        &format!("{opened}{over}"),
    );
    // `a` recovers, then `b` goes down.
    let over = "4 down b, status down, to warning, of-b
        4 advisory_over b, status down, to info, of-a of-b";
    check(
        &monitors,
        3,
        "1 - - -\n2 ab - -\n3 b - -\n4 b b -",
        &format!("{opened}{over}"),
    );
}

#[test]
fn incidents_with_more_tags_than_a_notification_holds_are_notified_apart() {
    let tagged = |monitor: u32, host: &str| {
        let tags: Vec<_> = (0..50).map(|tag| format!("{monitor}-{tag}")).collect();
        with(fields(host, 1), &json!({ "tags": tags }))
    };
    for (host, failing) in [("h", "x"), ("", "x..")] {
        let monitors: Vec<_> = (0..4)
            .map(|monitor| {
                let host = if host.is_empty() {
                    format!("h{monitor}")
                } else {
                    host.to_owned()
                };
                (format!("m{monitor}"), tagged(monitor, &host))
            })
            .collect();
        let monitors: Vec<_> = monitors
            .iter()
            .map(|(id, fields)| (id.as_str(), fields.clone()))
            .collect();
        let mut world = World::new(failing.len(), &monitors);
        let good = failing.replace('x', ".");
        let sent = world.notified(&format!("1 {good}\n2 {failing}\n3 {good}"));
        let mut sent: Vec<_> = sent
            .iter()
            .map(|(_, _, sent)| (sent.monitor_count, sent.tags.len()))
            .collect();
        sent.sort_unstable();
        assert_eq!(
            sent,
            [(1, 50), (1, 50), (3, MAX_TAGS), (3, MAX_TAGS)],
            "{failing}"
        );
    }
}
