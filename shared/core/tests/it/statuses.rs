//! Thresholds, quorums, tracks: what opens an incident and what closes it.

use portpulse_core::choice::Severity;
use portpulse_core::group_state::Status;
use portpulse_core::outbox::Kind;
use serde_json::json;

use crate::world::{World, check};

#[test]
fn one_location_tells_after_its_threshold_and_again_when_all_is_well() {
    let fields = json!({ "failures_to_open": 3, "successes_to_close": 2 });
    check(
        1,
        fields,
        "1 .\n2 x\n3 x\n4 x\n5 x\n6 .\n7 .\n8 .",
        "4 a down m\n7 a recovered m",
    );
}

#[test]
fn a_blip_below_the_threshold_is_not_told() {
    check(1, json!({ "failures_to_open": 2 }), "1 .\n2 x\n3 .\n4 x\n5 .", "");
}

#[test]
fn the_kind_of_failure_may_change_within_a_streak() {
    check(1, json!({ "failures_to_open": 2 }), "1 x\n2 t", "2 a down m");
}

#[test]
fn no_data_neither_breaks_nor_lengthens_a_streak() {
    check(1, json!({ "failures_to_open": 2 }), "1 x\n2 ?\n3 x", "3 a down m");
    check(1, json!({ "failures_to_open": 2 }), "1 x\n2 ?\n3 .\n4 x", "");
    let closing = json!({ "failures_to_open": 1, "successes_to_close": 2 });
    check(1, closing, "1 x\n2 .\n3 ?\n4 .", "1 a down m\n4 a recovered m");
}

#[test]
fn a_location_without_data_still_counts_among_the_voters() {
    let fields = json!({ "failures_to_open": 1, "successes_to_close": 1, "quorum": 1 });
    let notified = "2 b down m\n4 b recovered m";
    check(2, fields, "1 ..\n2 x.\n3 .?\n4 ..", notified);
}

#[test]
fn a_recovery_is_interrupted_by_a_failure() {
    let fields = json!({ "failures_to_open": 1, "successes_to_close": 2 });
    check(
        1,
        fields,
        "1 x\n2 .\n3 x\n4 .\n5 .",
        "1 a down m\n5 a recovered m",
    );
}

#[test]
fn a_majority_opens_as_soon_as_it_is_one_and_waits_for_nobody() {
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
fn fewer_than_the_quorum_are_an_advisory_that_ends_with_a_word() {
    let fields = json!({ "failures_to_open": 2 });
    check(
        3,
        fields,
        "1 ...\n2 x..\n3 x..\n4 x..\n5 ...",
        "3 c advisory m\n5 c advisory_over m",
    );
}

#[test]
fn an_outage_does_not_begin_with_an_advisory() {
    // Location a is always the first to report, and each time the others follow within the tick.
    check(
        3,
        json!({ "failures_to_open": 1 }),
        "1 ...\n2 xxx\n3 xxx",
        "2 b down m",
    );
    // Location b is one tick short, and on its way.
    check(
        3,
        json!({ "failures_to_open": 2 }),
        "1 ...\n2 x..\n3 xx.\n4 xx.",
        "4 b down m",
    );
}

#[test]
fn an_advisory_that_becomes_an_outage_ends_in_it() {
    let fields = json!({ "failures_to_open": 1, "successes_to_close": 1 });
    check(
        3,
        fields,
        "1 ...\n2 x..\n3 xx.\n4 ...",
        "2 c advisory m\n3 b down m\n3 b advisory_over m\n4 a recovered m",
    );
}

#[test]
fn the_end_of_an_advisory_says_what_has_come_of_it() {
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
fn two_locations_that_disagree_neither_open_nor_close() {
    let fields = json!({ "failures_to_open": 1, "successes_to_close": 1 });
    check(
        2,
        fields,
        "1 ..\n2 xx\n3 x.\n4 x.\n5 ..",
        "2 b down m\n5 a recovered m",
    );
}

#[test]
fn a_quorum_of_one_opens_once_all_have_reported_and_closes_only_when_none_fails() {
    let fields = json!({ "failures_to_open": 1, "successes_to_close": 1, "quorum": 1 });
    check(
        3,
        fields,
        "1 ...\n2 x..\n3 x..\n4 ...",
        "2 c down m\n4 a recovered m",
    );
}

#[test]
fn a_quorum_above_the_majority_is_waited_for() {
    let fields = json!({ "failures_to_open": 1, "quorum": 3 });
    check(
        3,
        fields,
        "1 ...\n2 xx.\n3 xxx",
        "2 c advisory m\n3 c down m\n3 c advisory_over m",
    );
}

#[test]
fn an_open_port_that_should_be_closed_is_told_at_once_and_from_any_location() {
    let fields = json!({ "expect": "closed", "failures_to_open": 3, "successes_to_close": 1 });
    check(3, fields, "1 xtx\n2 x.x\n3 xxx", "2 b exposed m\n3 b recovered m");
}

#[test]
fn what_should_be_reachable_may_refuse() {
    let fields = json!({ "expect": "reachable", "failures_to_open": 1, "successes_to_close": 1 });
    check(1, fields, "1 x\n2 t\n3 x", "2 a down m\n3 a recovered m");
}

#[test]
fn slow_ticks_have_a_streak_of_their_own() {
    let fields = json!({ "slow_after": "100ms", "failures_to_open": 2, "successes_to_close": 2 });
    check(
        1,
        fields,
        "1 .\n2 s\n3 s\n4 .\n5 .",
        "3 a degraded m\n5 a recovered m",
    );
}

#[test]
fn a_failing_tick_leaves_slowness_as_it_was() {
    let fields = json!({ "slow_after": "100ms", "failures_to_open": 2, "successes_to_close": 1 });
    let notified = "3 a degraded m\n5 a down m\n6 a recovered m\n7 a recovered m";
    check(1, fields, "1 .\n2 s\n3 s\n4 x\n5 x\n6 s\n7 .", notified);
}

#[test]
fn a_warning_degrades_without_a_limit_on_time() {
    check(
        1,
        json!({ "failures_to_open": 2 }),
        "1 .\n2 w\n3 w\n4 .\n5 .",
        "3 a degraded m\n5 a recovered m",
    );
}

#[test]
fn a_certificate_is_told_as_such_and_a_changing_cause_is_not_told_again() {
    let fields = json!({ "failures_to_open": 2, "successes_to_close": 1, "slow_after": "100ms" });
    let expiring = "3 a certificate_expiring m\n5 a recovered m";
    check(1, fields.clone(), "1 .\n2 c\n3 c\n4 w\n5 .", expiring);
    let slow = "3 a degraded m\n6 a recovered m";
    check(1, fields, "1 .\n2 c\n3 s\n4 c\n5 c\n6 .", slow);
}

#[test]
fn a_tick_counts_once_however_often_and_however_late_it_comes() {
    let fields = json!({ "failures_to_open": 3 });
    check(1, fields, "1 x\n1 x\n1 x\n2 x\n1 x\n2 x\n3 x", "3 a down m");
}

#[test]
fn a_monitor_of_which_nobody_can_tell_is_unknown_and_never_down() {
    let fields = json!({ "failures_to_open": 1 });
    let notified = "4 a unknown m\n7 a recovered m";
    check(1, fields, "1 .\n2 ?\n3 ?\n4 ?\n5 ?\n6 ?\n7 .", notified);
}

#[test]
fn an_incident_of_a_removed_monitor_closes_without_a_word() {
    let mut world = World::new(1, &[("m", json!({ "failures_to_open": 1 }))]);
    assert_eq!(world.play("1 x"), "1 a down m");
    world.definitions.monitors.clear();
    assert_eq!(world.play("2 ."), "");
    assert!(world.group_state.status.incidents.is_empty());
    assert_eq!(world.archive.len(), 1);
}

#[test]
fn closed_incidents_are_archived_under_distinct_keys() {
    let fields = json!({ "failures_to_open": 1, "successes_to_close": 1, "quorum": 1 });
    let mut world = World::new(3, &[("m", fields)]);
    world.play("1 ...\n2 x..\n3 ...\n4 ..x\n5 ...");
    let keys: std::collections::BTreeSet<_> = world.archive.iter().map(|closed| closed.key()).collect();
    assert_eq!(keys.len(), 2, "{keys:?}");
}
