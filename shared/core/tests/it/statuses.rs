//! Thresholds, quorums and tracks: when incidents open and close.

use portpulse_core::choice::Severity;
use portpulse_core::group_state::{Cause, Status};
use portpulse_core::outbox::Kind;
use serde_json::json;

use crate::world::{World, check};

#[test]
fn single_location_opens_and_closes_at_its_thresholds() {
    let fields = json!({ "failures_to_open": 3, "successes_to_close": 2 });
    check(
        1,
        fields,
        "1 .\n2 x\n3 x\n4 x\n5 x\n6 .\n7 .\n8 .",
        "4 a down m\n7 a recovered m",
    );
}

#[test]
fn failures_below_threshold_are_not_notified() {
    check(1, json!({ "failures_to_open": 2 }), "1 .\n2 x\n3 .\n4 x\n5 .", "");
}

#[test]
fn streak_continues_across_failure_classes() {
    check(1, json!({ "failures_to_open": 2 }), "1 x\n2 t", "2 a down m");
}

#[test]
fn no_data_neither_ends_nor_extends_streak() {
    check(1, json!({ "failures_to_open": 2 }), "1 x\n2 ?\n3 x", "3 a down m");
    check(1, json!({ "failures_to_open": 2 }), "1 x\n2 ?\n3 .\n4 x", "");
    let closing = json!({ "failures_to_open": 1, "successes_to_close": 2 });
    check(1, closing, "1 x\n2 .\n3 ?\n4 .", "1 a down m\n4 a recovered m");
}

#[test]
fn location_without_data_counts_as_voter() {
    let fields = json!({ "failures_to_open": 1, "successes_to_close": 1, "quorum": 1 });
    let notified = "2 b down m\n4 b recovered m";
    check(2, fields, "1 ..\n2 x.\n3 .?\n4 ..", notified);
}

#[test]
fn failure_interrupts_recovery() {
    let fields = json!({ "failures_to_open": 1, "successes_to_close": 2 });
    check(
        1,
        fields,
        "1 x\n2 .\n3 x\n4 .\n5 .",
        "1 a down m\n5 a recovered m",
    );
}

#[test]
fn majority_opens_incident_without_waiting() {
    check(3, json!({ "failures_to_open": 1 }), "1 ...\n2 xx.", "2 b down m");
    check(3, json!({ "failures_to_open": 1 }), "1 ...\n2 .xx", "2 c down m");
}

#[test]
fn each_location_counts_its_own_streak() {
    check(
        3,
        json!({ "failures_to_open": 2 }),
        "1 ...\n2 x..\n3 .x.\n4 ..x",
        "",
    );
    check(
        3,
        json!({ "failures_to_open": 2 }),
        "1 ...\n2 xx.\n3 xx.",
        "3 b down m",
    );
}

#[test]
fn failure_below_quorum_is_advisory_with_notified_end() {
    let fields = json!({ "failures_to_open": 2 });
    check(
        3,
        fields,
        "1 ...\n2 x..\n3 x..\n4 x..\n5 ...",
        "3 c advisory m\n5 c advisory_over m",
    );
}

#[test]
fn outage_does_not_start_with_advisory() {
    // Location `a` always reports first, and the others follow within the tick.
    check(
        3,
        json!({ "failures_to_open": 1 }),
        "1 ...\n2 xxx\n3 xxx",
        "2 b down m",
    );
    // The streak of location `b` is one tick below the threshold.
    check(
        3,
        json!({ "failures_to_open": 2 }),
        "1 ...\n2 x..\n3 xx.\n4 xx.",
        "4 b down m",
    );
}

#[test]
fn advisory_closes_when_incident_opens() {
    let fields = json!({ "failures_to_open": 1, "successes_to_close": 1 });
    check(
        3,
        fields,
        "1 ...\n2 x..\n3 xx.\n4 ...",
        "2 c advisory m\n3 b down m\n3 b advisory_over m\n4 a recovered m",
    );
}

#[test]
fn advisory_end_has_resulting_status() {
    let ends_in = |timeline: &str, status| {
        let fields = json!({ "failures_to_open": 1, "successes_to_close": 1 });
        let notified = World::new(3, &[("m", fields)]).notified(timeline);
        let find = |kind| {
            notified
                .iter()
                .map(|(_, _, notified)| notified)
                .find(|notified| notified.kind == kind)
        };
        let (begins, ends) = (find(Kind::Advisory).unwrap(), find(Kind::AdvisoryOver).unwrap());
        assert_eq!((ends.status, ends.severity), (status, Severity::Info));
        assert_eq!(ends.id, format!("{}_over", begins.id));
        assert_eq!(ends.audience, begins.audience);
    };
    ends_in("1 ...\n2 x..\n3 xx.", Status::Down);
    ends_in("1 ...\n2 x..\n3 ...", Status::Up);
}

#[test]
fn two_disagreeing_locations_neither_open_nor_close() {
    let fields = json!({ "failures_to_open": 1, "successes_to_close": 1 });
    check(
        2,
        fields,
        "1 ..\n2 xx\n3 x.\n4 x.\n5 ..",
        "2 b down m\n5 a recovered m",
    );
}

#[test]
fn quorum_of_one_waits_for_all_reports_and_closes_when_all_good() {
    let fields = json!({ "failures_to_open": 1, "successes_to_close": 1, "quorum": 1 });
    check(
        3,
        fields,
        "1 ...\n2 x..\n3 x..\n4 ...",
        "2 c down m\n4 a recovered m",
    );
}

#[test]
fn quorum_above_majority_is_required() {
    let fields = json!({ "failures_to_open": 1, "quorum": 3 });
    check(
        3,
        fields,
        "1 ...\n2 xx.\n3 xxx",
        "2 c advisory m\n3 c down m\n3 c advisory_over m",
    );
}

#[test]
fn exposed_port_is_notified_at_once_from_any_location() {
    let fields = json!({ "expect": "closed", "failures_to_open": 3, "successes_to_close": 1 });
    check(3, fields, "1 xtx\n2 x.x\n3 xxx", "2 b exposed m\n3 b recovered m");
}

#[test]
fn reachable_monitor_may_refuse_connections() {
    let fields = json!({ "expect": "reachable", "failures_to_open": 1, "successes_to_close": 1 });
    check(1, fields, "1 x\n2 t\n3 x", "2 a down m\n3 a recovered m");
}

#[test]
fn slow_checks_have_their_own_streak() {
    let fields = json!({ "slow_after": "100ms", "failures_to_open": 2, "successes_to_close": 2 });
    check(
        1,
        fields,
        "1 .\n2 s\n3 s\n4 .\n5 .",
        "3 a degraded m\n5 a recovered m",
    );
}

#[test]
fn slow_response_degrades_with_own_cause() {
    let fields = json!({ "slower_than": "200ms", "failures_to_open": 2, "successes_to_close": 2 });
    let mut world = World::new(1, &[("m", fields)]);
    let notified = world.notified("1 .\n2 l\n3 l\n4 .\n5 .");
    let lines: Vec<_> = notified
        .iter()
        .map(|(tick, _, notification)| {
            let finding = notification.finding.as_ref();
            let detail = finding
                .and_then(|finding| finding.detail.as_ref())
                .map(ToString::to_string);
            (
                *tick,
                notification.kind,
                finding.map(|finding| finding.cause),
                detail,
            )
        })
        .collect();
    let detail = "201 ms: dns 20 ms, connect 1 ms, ready 180 ms";
    assert_eq!(
        lines[0],
        (
            3,
            Kind::Degraded,
            Some(Cause::SlowResponse),
            Some(detail.to_owned())
        )
    );
    assert_eq!((lines[1].0, lines[1].1, lines.len()), (5, Kind::Recovered, 2));
    // A limit that the response meets exactly is not exceeded, and `slow_after` is about the connect alone.
    for fields in [
        json!({ "slower_than": "201ms" }),
        json!({ "slow_after": "100ms" }),
    ] {
        check(1, fields, "1 .\n2 l\n3 l\n4 l", "");
    }
}

#[test]
fn failing_check_does_not_change_quality_streak() {
    let fields = json!({ "slow_after": "100ms", "failures_to_open": 2, "successes_to_close": 1 });
    let notified = "3 a degraded m\n5 a down m\n6 a recovered m\n7 a recovered m";
    check(1, fields, "1 .\n2 s\n3 s\n4 x\n5 x\n6 s\n7 .", notified);
}

#[test]
fn warning_degrades_without_slow_after() {
    check(
        1,
        json!({ "failures_to_open": 2 }),
        "1 .\n2 w\n3 w\n4 .\n5 .",
        "3 a degraded m\n5 a recovered m",
    );
}

#[test]
fn certificate_has_own_kind_and_cause_change_is_not_notified() {
    let fields = json!({ "failures_to_open": 2, "successes_to_close": 1, "slow_after": "100ms" });
    let expiring = "3 a certificate_expiring m\n5 a recovered m";
    check(1, fields.clone(), "1 .\n2 c\n3 c\n4 w\n5 .", expiring);
    let slow = "3 a degraded m\n6 a recovered m";
    check(1, fields, "1 .\n2 c\n3 s\n4 c\n5 c\n6 .", slow);
}

#[test]
fn cause_changes_are_kept_up_to_maximum() {
    let fields = json!({ "failures_to_open": 1, "successes_to_close": 1, "slow_after": "100ms" });
    let mut world = World::new(1, &[("m", fields)]);
    // Warning, slow, warning and so on from the second tick; the third is the second warning.
    let ticks = (2..=12).map(|tick| format!("{tick} {}", if tick % 2 == 0 { "w" } else { "s" }));
    world.play(&format!(
        "1 .\n{}\n13 s\n14 .",
        ticks.collect::<Vec<_>>().join("\n")
    ));
    let incident = &world.archive[0].incident;
    let changes: Vec<_> = incident
        .causes()
        .map(|(at, before, after)| (at.timestamp(), before.code(), after.code()))
        .collect();
    assert_eq!(
        changes.len(),
        portpulse_core::group_state::MAX_CAUSE_CHANGES,
        "{changes:?}"
    );
    assert!(changes.is_sorted(), "{changes:?}");
    assert!(
        changes.windows(2).all(|pair| pair[0].2 == pair[1].1),
        "{changes:?}"
    );
    assert_eq!(changes.last().map(|(_, _, after)| *after), Some("slow"));
}

#[test]
fn tick_counts_once_if_repeated_or_late() {
    let fields = json!({ "failures_to_open": 3 });
    check(1, fields, "1 x\n1 x\n1 x\n2 x\n1 x\n2 x\n3 x", "3 a down m");
}

#[test]
fn monitor_without_data_is_unknown_not_down() {
    let fields = json!({ "failures_to_open": 1 });
    let notified = "4 a unknown m\n7 a recovered m";
    check(1, fields, "1 .\n2 ?\n3 ?\n4 ?\n5 ?\n6 ?\n7 .", notified);
}

#[test]
fn incident_of_removed_monitor_closes_without_notification() {
    let mut world = World::new(1, &[("m", json!({ "failures_to_open": 1 }))]);
    assert_eq!(world.play("1 x"), "1 a down m");
    world.definitions.monitors.clear();
    assert_eq!(world.play("2 ."), "");
    assert!(world.group_state.decision.incidents.is_empty());
    assert_eq!(world.archive.len(), 1);
}

#[test]
fn archive_keys_of_closed_incidents_are_distinct() {
    let fields = json!({ "failures_to_open": 1, "successes_to_close": 1, "quorum": 1 });
    let mut world = World::new(3, &[("m", fields)]);
    world.play("1 ...\n2 x..\n3 ...\n4 ..x\n5 ...");
    let keys: std::collections::BTreeSet<_> = world.archive.iter().map(|closed| closed.key()).collect();
    assert_eq!(keys.len(), 2, "{keys:?}");
}

#[test]
fn monitor_is_unknown_only_after_long_time_without_data() {
    let fields = json!({ "failures_to_open": 1 });
    // Without data from the start, and after a check that is three minutes old.
    check(1, fields.clone(), "1 ?\n2 ?\n3 ?\n4 ?\n5 ?", "4 a unknown m");
    let mut world = World::new(1, &[("m", fields.clone())]);
    assert_eq!(world.play("1 .\n2 ?\n3 ?"), "");
    assert_eq!(world.decide_and_publish(World::time(4, 0)), []);
    assert_eq!(world.decide_and_publish(World::time(4, 1))[0].kind, Kind::Unknown);
    // An outage is known.
    check(1, fields.clone(), "1 x\n2 ?\n3 ?\n4 ?\n5 ?", "1 a down m");
    // Locations that do not report are silent.
    let mut world = World::new(1, &[("m", fields)]);
    assert_eq!(world.play("1 ."), "");
    world.decide_and_publish(World::time(20, 0));
    assert!(world.group_state.decision.incidents.is_empty());
}

#[test]
fn advisory_stays_open_without_data() {
    let silence: Vec<_> = (3..8).map(|tick| format!("{tick} ???")).collect();
    check(
        3,
        json!({ "failures_to_open": 1, "successes_to_close": 1 }),
        &format!("1 ...\n2 x..\n{}\n8 ...", silence.join("\n")),
        "2 c advisory m\n5 a unknown m\n8 a recovered m\n8 c advisory_over m",
    );
}

#[test]
fn incident_begins_with_its_quorum() {
    for (timeline, tick, cause) in [
        ("1 ...\n2 .x.\n3 .x.\n4 tx.", 4, "timeout"),
        ("1 ...\n2 .xx\n3 txx", 2, "refused"),
        // The second location reported good at 3, so that the failures of the first were no outage before.
        ("1 ...\n2 x..\n3 x..\n4 x--\n5 x--\n6 x--", 6, "refused"),
        // The first location of the same age.
        ("1 ...\n2 tx.", 2, "timeout"),
    ] {
        let mut world = World::new(3, &[("m", json!({ "failures_to_open": 1 }))]);
        world.play(timeline);
        let incident = world.group_state.decision.incidents.values().next().unwrap();
        let found = incident.finding.as_ref().unwrap().cause.code();
        assert_eq!((incident.since, found), (World::tick(tick), cause), "{timeline}");
    }
}

#[test]
fn incident_opens_at_the_latest_reported_tick() {
    let mut world = World::new(1, &[("m", json!({ "failures_to_open": 2 }))]);
    assert_eq!(world.play("1 .\n2 x"), "");
    world.define("m", &json!({ "failures_to_open": 1 }));
    assert_eq!(world.decide_and_publish(World::time(3, 5)).len(), 1);
    let incident = world.group_state.decision.incidents.values().next().unwrap();
    assert_eq!(incident.opened, World::tick(2));
}
