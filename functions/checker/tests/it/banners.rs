//! Banners: stored once an hour, without effect on the tick if that fails.

use std::time::Duration;

use portpulse_checker::{Checker, Invocation, Probe, TickEvent, TickOutcome, TickReport, chain};
use portpulse_core::outbox::Claimant;
use portpulse_core::outcome::{Detail, Failure, FailureClass, Opened, Outcome, Phase, Phases, Trust};
use portpulse_core::target::Target;
use portpulse_store::Store;
use portpulse_store::table::Operation;
use portpulse_testkit::memory_table::{Fault, MemoryTable};

use crate::rig::{GROUP, RecordingTopic, SkewedClock, TestTime, define, location, locations, run};

/// Returns the banner of each monitor; `None`: the connection is refused.
struct BannerProbe(Vec<Option<&'static str>>);

impl Probe for BannerProbe {
    async fn probe(&self, targets: &[Target], _: Duration) -> Vec<Outcome> {
        let outcome = |target: &Target| match self.0[usize::from(target.port) - 1000] {
            Some(banner) => Outcome::Open(Opened {
                address: ([192, 0, 2, 1], target.port).into(),
                phases: Phases::default(),
                trust: Trust::Kernel,
                warning: None,
                banner: Detail::new(banner),
            }),
            None => Outcome::Failed(Failure {
                class: FailureClass::Refused,
                phase: Phase::Connect,
                phases: Phases::default(),
                address: None,
                detail: Detail::new("Connection refused"),
            }),
        };
        targets.iter().map(outcome).collect()
    }
}

/// Runs the tick of `minute`, five seconds late, with `seconds` until the deadline.
fn tick(table: &MemoryTable, minute: i64, seconds: u64, banner: &[Option<&'static str>]) -> TickReport {
    let time = TestTime::default();
    time.set(minute * 60_000 + 5_000);
    let checker = Checker::new(
        Store::new(table.clone()),
        BannerProbe(banner.to_vec()),
        RecordingTopic::default(),
        SkewedClock { time, skew_ms: 0 },
        location(0),
        locations(1),
    );
    let invocation = Invocation {
        claimant: Claimant::new(minute.to_string()),
        remaining: Duration::from_secs(seconds),
    };
    let report = run(checker.handle(&TickEvent::new(TestTime::of_tick(minute), GROUP), &invocation));
    assert!(report.errors.is_empty(), "{report:?}");
    report
}

fn table(monitors: usize) -> MemoryTable {
    let table = MemoryTable::new();
    let fields = [("failures_to_open", 9.into()), ("service", "ssh".into())].into();
    (0..monitors).for_each(|number| define(&table, number, &fields));
    table
}

/// The stored banners: monitor, minute and text.
fn stored(table: &MemoryTable) -> Vec<(String, i64, String)> {
    let banners = run(Store::new(table.clone()).banners_of(GROUP, &location(0))).unwrap();
    let banner = banners.into_iter().flat_map(|banners| banners.by_monitor);
    banner
        .map(|(id, banner)| {
            (
                id.to_string(),
                TestTime::number(banner.at),
                banner.text.to_string(),
            )
        })
        .collect()
}

fn banner(id: &str, minute: i64, text: &str) -> (String, i64, String) {
    (id.to_owned(), minute, text.to_owned())
}

#[test]
fn first_tick_and_first_tick_of_each_hour_store_banners() {
    let table = table(3);
    for (minute, banners, expected) in [
        (
            7,
            [Some("one"), Some("two"), Some("")],
            vec![banner("m0", 7, "one"), banner("m1", 7, "two")],
        ),
        (
            8,
            [Some("changed"), Some("changed"), Some("changed")],
            vec![banner("m0", 7, "one"), banner("m1", 7, "two")],
        ),
        // The last banner of a refused monitor stays.
        (
            60,
            [Some("three"), None, Some("four")],
            vec![
                banner("m0", 60, "three"),
                banner("m1", 7, "two"),
                banner("m2", 60, "four"),
            ],
        ),
        // No banners.
        (
            121,
            [None, None, None],
            vec![
                banner("m0", 60, "three"),
                banner("m1", 7, "two"),
                banner("m2", 60, "four"),
            ],
        ),
    ] {
        let report = tick(&table, minute, 60, &banners);
        assert!(report.warnings.is_empty(), "{report:?}");
        assert_eq!(stored(&table), expected, "{minute}");
    }
}

#[test]
fn tick_without_banners_does_not_access_banners() {
    for (banner, is_accessed) in [(Some("a banner"), true), (Some(""), false)] {
        let table = table(1);
        let seen = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let seen_by_plan = std::sync::Arc::clone(&seen);
        table.set_faults(move |call| {
            if call.pk.starts_with("banners#") {
                seen_by_plan.store(true, std::sync::atomic::Ordering::Relaxed);
            }
            Fault::None
        });
        tick(&table, 0, 60, &[banner]);
        assert_eq!(
            seen.load(std::sync::atomic::Ordering::Relaxed),
            is_accessed,
            "{banner:?}"
        );
    }
}

#[test]
fn failure_to_store_banners_is_a_warning_and_retried_next_hour() {
    for (failing, warning) in [
        (
            Some(Operation::Get),
            "cannot store the banners of 1m#0; the first tick of the next hour retries: cannot get \
             `banners#1m#0/location#a`",
        ),
        (
            Some(Operation::Put),
            "cannot store the banners of 1m#0; the first tick of the next hour retries: cannot put \
             `banners#1m#0/location#a`",
        ),
        (
            None,
            "no time left to store the banners of 1m#0; the first tick of the next hour retries",
        ),
    ] {
        let table = table(1);
        table.set_faults(move |call| {
            let fails = Some(call.operation) == failing && call.pk.starts_with("banners#");
            if fails { Fault::Before } else { Fault::None }
        });
        let seconds = if failing.is_none() { 5 } else { 60 };
        let report = tick(&table, 0, seconds, &[Some("a banner")]);
        assert!(matches!(report.outcome, TickOutcome::Counted(_)), "{report:?}");
        let warnings: Vec<_> = report.warnings.iter().map(|error| chain(error)).collect();
        assert!(
            warnings.iter().any(|text| text.starts_with(warning)),
            "{warning}: {warnings:?}"
        );
        table.clear_faults();
        assert_eq!(stored(&table), []);
        tick(&table, 60, 60, &[Some("a banner")]);
        assert_eq!(stored(&table), [banner("m0", 60, "a banner")]);
    }
}

#[test]
fn unreadable_banners_are_reported_and_kept() {
    let table = table(1);
    tick(&table, 0, 60, &[Some("a banner")]);
    let mut odd = table.peek("banners#1m#0", "location#a").unwrap();
    odd.remove("banners");
    table.overwrite(odd.clone());
    let report = tick(&table, 60, 60, &[Some("another")]);
    let warnings: Vec<_> = report.warnings.iter().map(|error| chain(error)).collect();
    assert!(
        warnings.len() == 1 && warnings[0].contains("`banners` is missing"),
        "{warnings:?}"
    );
    assert_eq!(table.peek("banners#1m#0", "location#a"), Some(odd));
}
