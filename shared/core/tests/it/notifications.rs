//! The content of a notification, beyond its kind and its monitors.

use portpulse_core::decide::{Explanation, Notification};
use portpulse_core::outbox::Kind;
use serde_json::json;

use crate::world::World;

#[test]
fn notification_has_each_tag_of_its_monitors_once() {
    let fields =
        |port: u16, tags: &[&str]| json!({ "host": "h", "port": port, "failures_to_open": 1, "tags": tags });
    let monitors = [("a", fields(1, &["db", "eu"])), ("b", fields(2, &["db", "web"]))];
    let mut world = World::new(1, &monitors);
    let sent = world.notified("1 .\n2 x");
    let [(_, _, sent)] = sent.as_slice() else {
        panic!("{sent:?}")
    };
    assert_eq!(sent.tags, ["db", "eu", "web"]);
}

#[test]
fn detail_is_that_of_the_monitor() {
    let fields = json!({ "failures_to_open": 1, "slower_than": "100ms" });
    let mut world = World::new(1, &[("m", fields.clone()), ("n", fields)]);
    world.play("1 .");
    let sent = world.deliver(2, "a", |id| if id.as_str() == "m" { 'l' } else { 's' });
    let details: Vec<_> = sent
        .iter()
        .map(|sent| {
            sent.finding
                .as_ref()
                .unwrap()
                .detail
                .as_ref()
                .unwrap()
                .to_string()
        })
        .collect();
    assert_eq!(
        details,
        [
            "201 ms: dns 20 ms, connect 1 ms, ready 180 ms",
            "200 ms: connect 200 ms"
        ]
    );
}

#[test]
fn diagnosis_is_that_of_an_incident_or_an_advisory() {
    let mut world = World::new(
        3,
        &[("m", json!({ "failures_to_open": 1, "successes_to_close": 1 }))],
    );
    let sent = world.notified("1 ...\n2 x..");
    let advisory = world.group_state.decision.advisories.values().next().unwrap();
    assert_eq!(advisory.first, None, "no other monitor names it");
    let more = world.notified("3 ...\n4 xx-");
    let kinds: Vec<_> = sent
        .iter()
        .chain(&more)
        .map(|(_, _, sent)| (sent.kind, sent.diagnosis.is_some()))
        .collect();
    assert_eq!(
        kinds,
        [
            (Kind::Advisory, true),
            (Kind::AdvisoryOver, false),
            (Kind::Down, true)
        ]
    );
    let ((id, _), incident) = world.group_state.decision.incidents.first_key_value().unwrap();
    let monitor = world.definitions.monitors.get(id);
    let explanation = Explanation::of(id, monitor, incident);
    assert_eq!(explanation, more[1].2.diagnosis);
}

#[test]
fn test_message_is_about_one_monitor_or_none() {
    let world = World::new(1, &[("m", json!({}))]);
    let monitor = world.definitions.monitors.values().next();
    let page = "https://status.example.com".parse().unwrap();
    for (monitor, count, link) in [
        (monitor, 1, "https://status.example.com/monitors/m"),
        (None, 0, "https://status.example.com"),
    ] {
        let message = Notification::test(monitor, World::time(0, 0));
        assert_eq!(
            (message.monitor_count as usize, message.monitors.len()),
            (count, count)
        );
        assert_eq!(message.clone().with_page(None).page, None);
        assert_eq!(message.with_page(Some(&page)).page.as_deref(), Some(link));
    }
}
