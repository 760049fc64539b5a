//! What services say of themselves: kept once an hour, and never at the cost of a tick.

use std::time::Duration;

use portpulse_checker::{Checker, Invocation, Probe, Report, TickEvent, TickOutcome, chain};
use portpulse_core::outbox::Claimant;
use portpulse_core::outcome::{Detail, Failure, FailureClass, Opened, Outcome, Phase, Phases, Trust};
use portpulse_core::target::Target;
use portpulse_store::Store;
use portpulse_store::table::Operation;
use portpulse_testkit::memory_table::{Fault, MemoryTable};

use crate::rig::{GROUP, Skewed, Time, Topic, define, location, locations, run};

/// What each monitor says when it is open; `None` is refused.
struct Says(Vec<Option<&'static str>>);

impl Probe for Says {
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

/// A tick of this minute, five seconds late, with so many seconds to spend.
fn tick(table: &MemoryTable, minute: i64, seconds: u64, banner: &[Option<&'static str>]) -> Report {
    let time = Time::default();
    time.set(minute * 60_000 + 5_000);
    let checker = Checker::new(
        Store::new(table.clone()),
        Says(banner.to_vec()),
        Topic::default(),
        Skewed { time, skew_ms: 0 },
        location(0),
        locations(1),
    );
    let invocation = Invocation {
        claimant: Claimant::new(minute.to_string()),
        remaining: Duration::from_secs(seconds),
    };
    let report = run(checker.handle(&TickEvent::new(Time::of_tick(minute), GROUP), &invocation));
    assert!(report.errors.is_empty(), "{report:?}");
    report
}

fn table(monitors: usize) -> MemoryTable {
    let table = MemoryTable::new();
    let fields = [("failures_to_open", 9.into()), ("service", "ssh".into())].into();
    (0..monitors).for_each(|number| define(&table, number, &fields));
    table
}

/// What is kept: for each monitor the minute and the text.
fn kept(table: &MemoryTable) -> Vec<(String, i64, String)> {
    let banners = run(Store::new(table.clone()).words_of(GROUP, &location(0))).unwrap();
    let banner = banners.into_iter().flat_map(|banners| banners.banner);
    banner
        .map(|(id, banner)| (id.to_string(), Time::number(banner.at), banner.text.to_string()))
        .collect()
}

fn banner(id: &str, minute: i64, text: &str) -> (String, i64, String) {
    (id.to_owned(), minute, text.to_owned())
}

#[test]
fn the_first_tick_ever_and_the_first_of_each_hour_keep_what_was_said() {
    let table = table(3);
    for (minute, says, expected) in [
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
        // What is refused is remembered by what it said last.
        (
            60,
            [Some("three"), None, Some("four")],
            vec![
                banner("m0", 60, "three"),
                banner("m1", 7, "two"),
                banner("m2", 60, "four"),
            ],
        ),
        // Nothing new.
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
        let report = tick(&table, minute, 60, &says);
        assert!(report.warnings.is_empty(), "{report:?}");
        assert_eq!(kept(&table), expected, "{minute}");
    }
}

#[test]
fn a_tick_in_which_nobody_says_anything_asks_the_table_for_nothing_more() {
    for (says, asked) in [(Some("a banner"), true), (Some(""), false)] {
        let table = table(1);
        let seen = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let noted = std::sync::Arc::clone(&seen);
        table.set_faults(move |call| {
            if call.pk.starts_with("banners#") {
                noted.store(true, std::sync::atomic::Ordering::Relaxed);
            }
            Fault::None
        });
        tick(&table, 0, 60, &[says]);
        assert_eq!(seen.load(std::sync::atomic::Ordering::Relaxed), asked, "{says:?}");
    }
}

#[test]
fn what_fails_or_has_no_time_harms_no_tick_and_the_next_hour_has_words() {
    for (what, banner_of) in [
        (
            Some(Operation::Get),
            "cannot keep what the services of 1m#0 say; the first tick of the next hour tries again: could not get \
             `banners#1m#0/location#a`",
        ),
        (
            Some(Operation::Put),
            "cannot keep what the services of 1m#0 say; the first tick of the next hour tries again: could not put \
             `banners#1m#0/location#a`",
        ),
        (
            None,
            "no time is left to keep what the services of 1m#0 say; the first tick of the next hour tries again",
        ),
    ] {
        let table = table(1);
        table.set_faults(move |call| {
            let fails = Some(call.operation) == what && call.pk.starts_with("banners#");
            if fails { Fault::Before } else { Fault::None }
        });
        let seconds = if what.is_none() { 5 } else { 60 };
        let report = tick(&table, 0, seconds, &[Some("a banner")]);
        assert!(
            matches!(report.outcome_of_tick, TickOutcome::Counted(_)),
            "{report:?}"
        );
        let late: Vec<_> = report.warnings.iter().map(|error| chain(error)).collect();
        assert!(
            late.iter().any(|late| late.starts_with(banner_of)),
            "{banner_of}: {late:?}"
        );
        table.heal();
        assert_eq!(kept(&table), []);
        tick(&table, 60, 60, &[Some("a banner")]);
        assert_eq!(kept(&table), [banner("m0", 60, "a banner")]);
    }
}

/// Words that this version cannot read are left as they are.
#[test]
fn unreadable_words_are_named_and_not_overwritten() {
    let table = table(1);
    tick(&table, 0, 60, &[Some("a banner")]);
    let mut odd = table.peek("banners#1m#0", "location#a").unwrap();
    odd.remove("banners");
    table.overwrite(odd.clone());
    let report = tick(&table, 60, 60, &[Some("another")]);
    let late: Vec<_> = report.warnings.iter().map(|error| chain(error)).collect();
    assert!(
        late.len() == 1 && late[0].contains("`banners` is missing"),
        "{late:?}"
    );
    assert_eq!(table.peek("banners#1m#0", "location#a"), Some(odd));
}
