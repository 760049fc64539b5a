//! A group of two regions and an agent: votes, silence while AWS cannot be reached, and an agent that is killed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use portpulse_checker::{TickOutcome, TickReport};
use portpulse_store::Store;
use portpulse_testkit::memory_table::{Fault, MemoryTable, poll};
use serde_json::json;

use crate::rig::{
    GROUP, ProbeResult, RecordingTopic, ScriptedProbe, TopicFault, assert_counted, define, group_state,
    handle, invocation, location, run,
};
use ProbeResult::{Failing, Good};

/// The number of the agent's location.
const AGENT: usize = 2;

/// The regions a and b and the agent c. Monitor 0 names all three, monitor 1 names no locations, monitor 2 names the agent.
struct Deployment {
    table: MemoryTable,
    topic: RecordingTopic,
}

impl Deployment {
    fn new() -> Self {
        let (table, topic) = (MemoryTable::new(), RecordingTopic::default());
        let quick = [("failures_to_open", json!(1)), ("successes_to_close", json!(1))];
        for (n, locations) in [
            (0, Some(json!(["a", "b", "c"]))),
            (1, None),
            (2, Some(json!(["c"]))),
        ] {
            let mut fields = BTreeMap::from(quick.clone());
            fields.extend(locations.map(|locations| ("locations", locations)));
            define(&table, n, &fields);
        }
        let store = Store::new(table.clone());
        for region in [0, 1] {
            run(store.list_location(GROUP, &location(region))).unwrap();
        }
        run(store.list_agent(GROUP, &location(AGENT))).unwrap();
        Self { table, topic }
    }

    /// Runs a tick of one location with the result of each monitor.
    fn tick(&self, tick: i64, at: usize, results: impl AsRef<[ProbeResult]>) -> TickReport {
        self.tick_until(tick, at, results, usize::MAX).unwrap()
    }

    /// The same, killed after `polls` polls; `None` if that was before its end.
    fn tick_until(
        &self,
        tick: i64,
        at: usize,
        results: impl AsRef<[ProbeResult]>,
        polls: usize,
    ) -> Option<TickReport> {
        let probe = ScriptedProbe(results.as_ref().to_vec());
        let store = Store::new(self.table.clone());
        let invocation = invocation(format!("{tick}/{at}/{polls}"));
        let fallback = [location(at)].into();
        let handled = handle(store, probe, &self.topic, (tick, at), fallback, &invocation);
        poll(handled, polls)
    }

    /// The notifications since the last call: `down m0`.
    fn notified(&self) -> Vec<String> {
        let sent = std::mem::take(&mut *self.topic.sent.borrow_mut());
        let text = |id: String| {
            let (subject, kind) = id.rsplit_once('/').unwrap();
            let subject = subject.split(['@', '.']).next().unwrap();
            format!("{kind} {subject}")
        };
        sent.into_iter().map(text).collect()
    }
}

#[test]
fn agent_votes_with_regions_on_monitors_that_name_it() {
    let deployment = Deployment::new();
    let seen = |report: TickReport| match &report.outcome {
        TickOutcome::Counted(outcomes) => outcomes.keys().map(ToString::to_string).collect::<Vec<_>>(),
        TickOutcome::Conflict | TickOutcome::Repeated | TickOutcome::Failed => panic!("{report:?}"),
    };
    for at in 0..3 {
        let expected = [&["m0", "m1"][..], &["m0", "m1"], &["m0", "m2"]][at];
        assert_eq!(seen(deployment.tick(1, at, [Good; 3])), expected, "{at}");
    }
    // The agent alone is fewer than the quorum for m0, and the quorum of m2.
    for (at, results) in [(0, [Good; 3]), (1, [Good; 3]), (AGENT, [Failing, Good, Failing])] {
        deployment.tick(2, at, results);
    }
    assert_eq!(deployment.notified(), ["down m2", "advisory m0"]);
    // With a region, it is a majority of three. For m1, one region is half of two.
    for (at, results) in [
        (0, [Failing, Failing, Good]),
        (1, [Good; 3]),
        (AGENT, [Failing, Good, Good]),
    ] {
        deployment.tick(3, at, results);
    }
    let mut notified = deployment.notified();
    notified.sort();
    assert_eq!(
        notified,
        ["advisory m1", "advisory_over m0", "down m0", "recovered m2"]
    );
}

#[test]
fn agent_that_sees_most_monitors_fail_is_suspect_and_has_no_vote() {
    const MORE: usize = 12;
    let deployment = Deployment::new();
    for n in 3..3 + MORE {
        let fields = [
            ("failures_to_open", json!(1)),
            ("quorum", json!(1)),
            ("locations", json!(["a", "b", "c"])),
        ];
        define(&deployment.table, n, &fields.into());
    }
    let all_good = [Good; 3 + MORE];
    let mut at_agent = [Failing; 3 + MORE];
    at_agent[AGENT] = Good;
    for tick in 1..6 {
        let results = if (2..5).contains(&tick) {
            at_agent
        } else {
            all_good
        };
        deployment.tick(tick, 0, all_good);
        deployment.tick(tick, 1, all_good);
        deployment.tick(tick, AGENT, results);
        let expected: &[&str] = match tick {
            2 => &["location_suspect c"],
            5 => &["location_trusted c"],
            _ => &[],
        };
        assert_eq!(deployment.notified(), expected, "{tick}");
    }
}

#[test]
fn notification_that_an_agent_cannot_publish_is_published_by_a_region() {
    let deployment = Deployment::new();
    for at in 0..3 {
        deployment.tick(1, at, [Good; 3]);
    }
    *deployment.topic.faults.borrow_mut() = Some(Box::new(|| TopicFault::Before));
    let report = deployment.tick(2, AGENT, [Good, Good, Failing]);
    assert!(!report.errors.is_empty(), "{report:?}");
    *deployment.topic.faults.borrow_mut() = None;
    assert_eq!(deployment.notified(), [""; 0]);
    for tick in 3..5 {
        deployment.tick(tick, 0, [Good; 3]);
        deployment.tick(tick, 1, [Good; 3]);
    }
    assert_eq!(deployment.notified(), ["down m2"]);
}

#[test]
fn agent_without_aws_for_an_hour_is_silent_once_and_fails_nothing() {
    let deployment = Deployment::new();
    for at in 0..3 {
        deployment.tick(1, at, [Good; 3]);
    }
    let items = |deployment: &Deployment| {
        let items = deployment.table.snapshot().into_keys();
        items.filter(|(_, sk)| sk.ends_with("#c")).count()
    };
    let before = items(&deployment);
    for tick in 2..62 {
        for at in 0..2 {
            assert_counted(&deployment.tick(tick, at, [Good; 3]));
        }
        // Each read fails: nothing is checked, although every monitor would fail too, as in a site without a network.
        deployment.table.set_faults(|_| Fault::Before);
        let report = deployment.tick(tick, AGENT, [Failing; 3]);
        deployment.table.clear_faults();
        assert_eq!(report.outcome, TickOutcome::Failed, "{tick}");
    }
    assert_eq!(deployment.notified(), ["location_silent c"]);
    assert_eq!(items(&deployment), before, "no results are stored for that time");
    for tick in 62..66 {
        for at in 0..3 {
            assert_counted(&deployment.tick(tick, at, [Good; 3]));
        }
    }
    assert_eq!(deployment.notified(), ["location_back c"]);
    assert!(
        group_state(&deployment.table)
            .group_state
            .decision
            .incidents
            .is_empty()
    );
}

#[test]
fn agent_killed_at_any_point_notifies_once() {
    let mut points = 0;
    for polls in 1.. {
        let deployment = Deployment::new();
        for at in 0..3 {
            deployment.tick(1, at, [Good; 3]);
        }
        deployment.tick(2, 0, [Failing, Good, Good]);
        let killed = deployment.tick_until(2, AGENT, [Failing, Good, Good], polls);
        deployment.tick(2, 1, [Failing, Good, Good]);
        for tick in 3..8 {
            for at in 0..3 {
                deployment.tick(tick, at, [Good; 3]);
            }
        }
        let mut notified = deployment.notified();
        let sent = notified.len();
        notified.sort();
        notified.dedup();
        assert_eq!(
            notified,
            ["down m0", "recovered m0"],
            "killed after {polls} polls"
        );
        assert!(sent <= 3, "killed after {polls} polls: {sent} messages");
        let left = group_state(&deployment.table).group_state.decision;
        assert!(left.outbox.is_empty() && left.incidents.is_empty(), "{left:?}");
        if killed.is_some() {
            break;
        }
        points += 1;
    }
    assert!(points > 15, "only {points} points were visited");
}

#[test]
fn two_agents_of_one_location_count_a_tick_once_at_any_interleaving() {
    for polls in 1.. {
        let deployment = Deployment::new();
        for at in 0..3 {
            deployment.tick(1, at, [Good; 3]);
        }
        let results = [Failing, Good, Failing];
        let (store, probe) = (
            Store::new(deployment.table.clone()),
            ScriptedProbe(results.to_vec()),
        );
        let invocation = invocation("the first agent");
        let first = handle(
            store,
            probe,
            &deployment.topic,
            (2, AGENT),
            [location(AGENT)].into(),
            &invocation,
        );
        // The second agent handles the tick while the first one waits after `polls` polls.
        let (first, second) = interrupted(first, polls, || deployment.tick(2, AGENT, results));
        let reports = [Some(&first), second.as_ref()];
        let counted = |report: &&TickReport| matches!(report.outcome, TickOutcome::Counted(_));
        let counted = reports.into_iter().flatten().filter(counted).count();
        assert_eq!(counted, 1, "after {polls} polls");
        for at in 0..2 {
            deployment.tick(2, at, [Good; 3]);
        }
        let mut notified = deployment.notified();
        notified.sort();
        assert_eq!(notified, ["advisory m0", "down m2"], "after {polls} polls");
        if second.is_none() {
            return;
        }
    }
}

/// The partition keys of an agent's policy, in which `GROUP` stands for each of its groups.
const POLICY_KEYS: &str = include_str!("../../../../infra/modules/agent/keys.json");

/// Whether a key matches a pattern of the policy, which may end with `*`.
fn is_allowed(patterns: &[String], key: &str) -> bool {
    patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(start) => key.starts_with(start),
        None => key == pattern,
    })
}

#[test]
fn policy_allows_each_request_of_an_agent_and_no_other_write() {
    let keys: BTreeMap<String, Vec<String>> = serde_json::from_str(POLICY_KEYS).unwrap();
    let keys = |access: &str| -> Vec<String> {
        let patterns = keys[access].iter();
        patterns
            .map(|pattern| pattern.replace("GROUP", &GROUP.to_string()))
            .collect()
    };
    let deployment = Deployment::new();
    let requests = Arc::new(Mutex::new(BTreeSet::new()));
    // Across the end of a day and the hour after, with an incident that opens and closes, so that everything is written.
    for tick in -63..60 {
        let results = if (-60..-55).contains(&tick) {
            [Failing; 3]
        } else {
            [Good; 3]
        };
        // The regions are silent for some time, so that the agent writes the fleet state.
        if !(-40..-30).contains(&tick) {
            deployment.tick(tick, 0, results);
            deployment.tick(tick, 1, results);
        }
        let recorded = Arc::clone(&requests);
        deployment.table.set_faults(move |call| {
            recorded
                .lock()
                .unwrap()
                .insert((call.read.is_some(), call.pk.to_owned()));
            Fault::None
        });
        assert_counted(&deployment.tick(tick, AGENT, results));
        deployment.table.clear_faults();
    }
    let requests = requests.lock().unwrap();
    for (is_read, pk) in &*requests {
        let patterns = keys(if *is_read { "read" } else { "write" });
        assert!(is_allowed(&patterns, pk), "{pk} is not allowed by {patterns:?}");
    }
    for pattern in keys("write") {
        // Summaries of other phases are written for services with such phases only.
        let is_used = requests
            .iter()
            .any(|(is_read, pk)| !is_read && is_allowed(std::slice::from_ref(&pattern), pk));
        assert!(
            is_used || pattern.ends_with("#phases") || pattern.starts_with("banners#"),
            "{pattern} is never needed"
        );
    }
    for pk in [
        "monitors#1m#0",
        "controls",
        "group#1m#1",
        "group#1m#01",
        "results#5m#0#2026-11-22",
        "hourly#1m#01",
        "relayed#pager",
    ] {
        assert!(!is_allowed(&keys("write"), pk), "{pk} must not be written");
    }
}

/// Polls a future, runs `meanwhile` after `polls` polls unless the future is complete, and completes the future.
fn interrupted<R, S>(
    future: impl Future<Output = R>,
    polls: usize,
    meanwhile: impl FnOnce() -> S,
) -> (R, Option<S>) {
    let mut future = std::pin::pin!(future);
    match poll(future.as_mut(), polls) {
        Some(result) => (result, None),
        None => {
            let meanwhile = meanwhile();
            (run(future), Some(meanwhile))
        }
    }
}
