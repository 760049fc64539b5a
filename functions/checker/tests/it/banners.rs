//! Banners: stored once an hour, without effect on the tick if that fails.

use std::time::Duration;

use portpulse_checker::{Invocation, Probe, TickReport};
use portpulse_core::outcome::{Detail, FailureClass, Opened, Outcome, Phase, Phases};
use portpulse_core::target::Target;
use portpulse_core::time::Tick;
use portpulse_store::Store;
use portpulse_store::table::Operation;
use portpulse_testkit::memory_table::{Fault, MemoryTable};

use crate::rig::{
    GROUP, RecordingTopic, TestTime, assert_counted, define, failure, handle, invocation, location,
    locations, open, run, texts,
};

/// Returns the banner of each monitor; `None`: the connection is refused.
struct BannerProbe(Vec<Option<&'static str>>);

impl Probe for BannerProbe {
    async fn probe(&self, _: Tick, targets: &[Target], _: Duration) -> Vec<Outcome> {
        let outcome = |target: &Target| match self.0[usize::from(target.port.unwrap()) - 1000] {
            Some(banner) => Outcome::Open(Opened {
                banner: Detail::new(banner),
                ..open(Phases::default())
            }),
            None => Outcome::Failed(failure(FailureClass::Refused, Phase::Connect)),
        };
        targets.iter().map(outcome).collect()
    }
}

/// Runs the tick of `minute`, five seconds late, with `seconds` until the deadline.
fn tick(table: &MemoryTable, minute: i64, seconds: u64, banner: &[Option<&'static str>]) -> TickReport {
    let invocation = Invocation {
        remaining: Duration::from_secs(seconds),
        ..invocation(minute.to_string())
    };
    let (store, probe) = (Store::new(table.clone()), BannerProbe(banner.to_vec()));
    let topic = RecordingTopic::default();
    let report = run(handle(
        store,
        probe,
        &topic,
        (minute, 0),
        locations(1),
        &invocation,
    ));
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
fn first_tick_and_a_tick_of_each_hour_store_banners() {
    let table = table(3);
    let first = [("m0", 7, "one"), ("m1", 7, "two")];
    let second = [("m0", 61, "three"), ("m1", 7, "two"), ("m2", 61, "four")];
    for (minute, banners, expected) in [
        (7, [Some("one"), Some("two"), Some("")], &first[..]),
        (8, [Some("changed"); 3], &first),
        // The last banner of a refused monitor stays.
        (60, [Some("early"); 3], &first),
        (61, [Some("three"), None, Some("four")], &second),
        // No banners.
        (122, [None; 3], &second),
    ] {
        let report = tick(&table, minute, 60, &banners);
        assert!(report.warnings.is_empty(), "{report:?}");
        let expected = expected
            .iter()
            .map(|(id, minute, text)| banner(id, *minute, text));
        assert_eq!(stored(&table), expected.collect::<Vec<_>>(), "{minute}");
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
    let cannot = "cannot store the banners of 1m#0; a tick of the next hour retries: cannot";
    for (failing, warning) in [
        (
            Some(Operation::Get),
            format!("{cannot} get `banners#1m#0/location#a`"),
        ),
        (
            Some(Operation::Put),
            format!("{cannot} put `banners#1m#0/location#a`"),
        ),
        (
            None,
            "no time left to store the banners of 1m#0; a tick of the next hour retries".to_owned(),
        ),
    ] {
        let table = table(1);
        table.set_faults(move |call| {
            let fails = Some(call.operation) == failing && call.pk.starts_with("banners#");
            if fails { Fault::Before } else { Fault::None }
        });
        let seconds = if failing.is_none() { 5 } else { 60 };
        let report = tick(&table, 0, seconds, &[Some("a banner")]);
        assert_counted(&report);
        let warnings = texts(&report.warnings);
        assert!(
            warnings.iter().any(|text| text.starts_with(&warning)),
            "{warning}: {warnings:?}"
        );
        table.clear_faults();
        assert_eq!(stored(&table), []);
        tick(&table, 61, 60, &[Some("a banner")]);
        assert_eq!(stored(&table), [banner("m0", 61, "a banner")]);
    }
}

#[test]
fn unreadable_banners_are_reported_and_kept() {
    let table = table(1);
    tick(&table, 0, 60, &[Some("a banner")]);
    let mut odd = table.peek("banners#1m#0", "location#a").unwrap();
    odd.remove("banners");
    table.overwrite(odd.clone());
    let report = tick(&table, 61, 60, &[Some("another")]);
    let warnings = texts(&report.warnings);
    assert!(
        warnings.len() == 1 && warnings[0].contains("`banners` is missing"),
        "{warnings:?}"
    );
    assert_eq!(table.peek("banners#1m#0", "location#a"), Some(odd));
}
