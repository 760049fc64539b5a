//! What a tick delivers, and how often it reads for that.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use portpulse_checker::{Checker, TickEvent, TickReport};
use portpulse_store::Store;
use portpulse_testkit::memory_table::{Fault, MemoryTable};

use crate::rig::{
    GROUP, ProbeResult, RecordingTopic, ScriptedProbe, SkewedClock, TestTime, assert_counted, define,
    invocation, location, locations, run,
};

/// Runs a tick of the first of `count` locations, which links to a status page.
fn tick(
    table: &MemoryTable,
    topic: &RecordingTopic,
    tick: i64,
    result: ProbeResult,
    count: usize,
) -> TickReport {
    let time = TestTime::default();
    time.set(tick * 60_000 + 5_000);
    let checker = Checker::new(
        Store::new(table.clone()),
        ScriptedProbe(vec![result]),
        topic.clone(),
        SkewedClock::exact(time),
        location(0),
        locations(count),
    );
    let checker = checker.with_page(Some("https://status.example/".parse().unwrap()));
    let event = TickEvent::new(TestTime::of_tick(tick), GROUP);
    let report = run(checker.handle(&event, &invocation(format!("tick-{tick}"))));
    assert_counted(&report);
    assert!(report.errors.is_empty(), "{report:?}");
    report
}

/// Counts the reads of each partition from now on.
fn count_reads(table: &MemoryTable) -> Arc<Mutex<BTreeMap<String, usize>>> {
    let reads = Arc::new(Mutex::new(BTreeMap::new()));
    let counted = Arc::clone(&reads);
    table.set_faults(move |call| {
        if call.read.is_some() {
            *counted.lock().unwrap().entry(call.pk.to_owned()).or_insert(0) += 1;
        }
        Fault::None
    });
    reads
}

#[test]
fn notification_links_to_the_status_page_and_is_removed_without_a_further_read() {
    let (table, topic) = (MemoryTable::new(), RecordingTopic::default());
    define(&table, 0, &BTreeMap::from([("failures_to_open", 1.into())]));
    let reads = count_reads(&table);
    let report = tick(&table, &topic, 0, ProbeResult::Failing, 1);
    let links: Vec<_> = report
        .published
        .iter()
        .map(|notification| notification.page.as_deref())
        .collect();
    assert_eq!(links, [Some("https://status.example/monitors/m0")]);
    // For the checks, and for the decision.
    assert_eq!(reads.lock().unwrap()["group#1m#0"], 2);
}

#[test]
fn notification_of_a_silent_location_is_removed_without_a_further_read() {
    let (table, topic) = (MemoryTable::new(), RecordingTopic::default());
    define(&table, 0, &BTreeMap::new());
    // The other location never reports.
    let (reads, report) = (0..10)
        .map(|number| {
            (
                count_reads(&table),
                tick(&table, &topic, number, ProbeResult::Good, 2),
            )
        })
        .find(|(_, report)| !report.published.is_empty())
        .unwrap();
    let ids: Vec<_> = report
        .published
        .iter()
        .map(|notification| notification.id.as_str())
        .collect();
    assert_eq!(ids, ["b.1/location_silent"]);
    let reads = reads.lock().unwrap();
    assert_eq!((reads["group#1m#0"], reads["fleet"]), (2, 1), "{reads:?}");
}
