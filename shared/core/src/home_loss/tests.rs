//! The loss of home: counting, notifications and what a location sees.

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn location(name: &str) -> Location {
    name.parse().unwrap()
}

fn kinds(state: &HomeLoss) -> Vec<String> {
    let pending = state.outbox.pending().iter();
    pending.map(|pending| pending.id.clone()).collect()
}

#[test]
fn three_consecutive_ticks_are_a_loss() {
    let minute: Interval = "1m".parse().unwrap();
    let tick = |number: u32| Tick::containing(at(0), minute).later(minute, number);
    for (ticks, count, is_loss) in [
        (&[0, 1][..], 2, false),
        (&[0, 1, 2], 3, true),
        (&[0, 1, 1, 1], 2, false),
        (&[1, 0, 2], 2, false),
        // The tick between was perhaps counted at home.
        (&[0, 1, 3, 4], 2, false),
        (&[0, 1, 2, 3, 4], 5, true),
    ] {
        let count_one = |before, number: &u32| Some(HomeFailures::count(before, tick(*number), minute));
        let failures = ticks.iter().fold(None, count_one).unwrap();
        assert_eq!(
            (failures.ticks, failures.is_loss()),
            (count, is_loss),
            "{ticks:?}"
        );
    }
}

#[test]
fn standby_region_is_asked_after_missing_ticks_and_once_an_hour() {
    use StandbyRead::{AfterMissingTicks, Hourly};
    let minute: Interval = "1m".parse().unwrap();
    let tick = |number: u32| Tick::containing(at(0), minute).later(minute, number);
    for (before, now, expected) in [
        (None, 5, Some(AfterMissingTicks)),
        (Some(1), 5, Some(AfterMissingTicks)),
        (Some(2), 5, None),
        (Some(4), 5, None),
        (Some(59), 60, Some(Hourly)),
        (Some(60), 61, None),
        (Some(56), 60, Some(AfterMissingTicks)),
    ] {
        let found = StandbyRead::at(before.map(tick), tick(now), minute);
        assert_eq!(found, expected, "{before:?} {now}");
    }
}

#[test]
fn loss_is_notified_once_and_again_for_late_locations() {
    let (a, b, c) = (location("a"), location("b"), location("c"));
    let me = Claimant::new("me");
    let first = HomeLoss::default().unreachable(&a, at(60), at(180), &me).unwrap();
    assert_eq!(kinds(&first), ["home.1/home_unreachable.a.1"]);
    assert_eq!(
        first.unreachable(&a, at(60), at(240), &me),
        None,
        "nothing has changed"
    );

    let published = kinds(&first).into_iter().collect();
    let published = first.acknowledge_published(&me, &published).unwrap();
    let joined = published.unreachable(&b, at(60), at(181), &me).unwrap();
    assert_eq!(kinds(&joined), [""; 0], "the others join");
    let late = joined.unreachable(&c, at(600), at(780), &me).unwrap();
    assert_eq!(kinds(&late), ["home.1/home_unreachable.c.4"]);

    let over = late
        .reachable(&b, StandbyRead::AfterMissingTicks, at(900), &me)
        .unwrap();
    assert_eq!(
        kinds(&over),
        ["home.1/home_unreachable.c.4", "home.1/home_reachable"]
    );
    assert_eq!(over.outbox.pending()[1].since, at(60));
    assert_eq!(
        over.reachable(&a, StandbyRead::AfterMissingTicks, at(901), &me),
        None,
        "the end is notified once"
    );
    let again = over.unreachable(&a, at(60), at(960), &me).unwrap();
    assert_eq!(kinds(&again).last().unwrap(), "home.6/home_unreachable.a.6");
}

#[test]
fn notification_of_a_lost_publisher_is_taken_over() {
    let a = location("a");
    let lost = HomeLoss::default().unreachable(&a, at(60), at(180), &Claimant::new("lost"));
    let lost = lost.unwrap();
    let other = Claimant::new("other");
    assert_eq!(lost.unreachable(&a, at(60), at(240), &other), None);
    let taken = lost.unreachable(&a, at(60), at(300), &other).unwrap();
    assert_eq!(taken.outbox.claimed_by(&other).count(), 1);

    // So is the end, by a location that looks once an hour, which ends nothing.
    let over = lost
        .reachable(
            &a,
            StandbyRead::AfterMissingTicks,
            at(301),
            &Claimant::new("lost too"),
        )
        .unwrap();
    let hourly = over.reachable(&a, StandbyRead::Hourly, at(3600), &other).unwrap();
    assert_eq!(hourly.outbox.claimed_by(&other).count(), 2);
    assert_eq!(lost.reachable(&a, StandbyRead::Hourly, at(181), &other), None);
}

#[test]
fn nothing_is_notified_without_a_loss() {
    assert_eq!(
        HomeLoss::default().reachable(
            &location("a"),
            StandbyRead::AfterMissingTicks,
            at(0),
            &Claimant::new("me")
        ),
        None
    );
}
