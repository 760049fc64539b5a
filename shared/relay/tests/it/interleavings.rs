//! Several calls about one incident, in every order of events: the end is delivered last, and nothing is repeated.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use axum::body::Bytes;
use futures_util::future::join_all;
use jiff::Timestamp;
use portpulse_core::decide::Notification;
use portpulse_core::outbox::{Kind, Stage};
use portpulse_relay::{Client, DeliveryReport, Relay, RetryPolicy};
use portpulse_store::keys::Key;
use portpulse_store::table::{Condition, Item, Put, Read, Table, TableError};
use portpulse_testkit::memory_table::MemoryTable;
use portpulse_testkit::notification;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};
use tokio::task::LocalSet;

use crate::harness::{LONG, Secrets, config};
use crate::order::{PAIRS, SHORT, outcome};

/// Runs callers one at a time, each when its turn comes.
#[derive(Clone, Default)]
struct Turns {
    waiting: Arc<Mutex<BTreeMap<usize, oneshot::Sender<()>>>>,
    changed: Arc<Notify>,
}

impl Turns {
    /// Waits for the turn; `false` if the caller was removed.
    async fn take(&self, caller_id: usize) -> bool {
        let (turn, comes) = oneshot::channel();
        self.waiting.lock().unwrap().insert(caller_id, turn);
        self.changed.notify_one();
        comes.await.is_ok()
    }

    /// The callers that wait for a turn, once all running ones do.
    async fn waiting(&self, running: impl Fn() -> usize) -> Vec<usize> {
        loop {
            let waiting: Vec<_> = self.waiting.lock().unwrap().keys().copied().collect();
            if waiting.len() == running() {
                return waiting;
            }
            self.changed.notified().await;
        }
    }

    fn give(&self, caller_id: usize) {
        let turn = self.waiting.lock().unwrap().remove(&caller_id);
        turn.unwrap().send(()).unwrap();
    }
}

/// The table for one caller: each operation waits for the turn of the caller.
#[derive(Clone)]
struct Paced {
    table: MemoryTable,
    caller_id: usize,
    turns: Turns,
}

impl Table for Paced {
    async fn query(&self, pk: &str, read: Read) -> Result<Vec<Item>, TableError> {
        self.turns.take(self.caller_id).await;
        self.table.query(pk, read).await
    }

    async fn get(&self, pk: &str, sk: &str, read: Read) -> Result<Option<Item>, TableError> {
        self.turns.take(self.caller_id).await;
        self.table.get(pk, sk, read).await
    }

    async fn get_many(&self, keys: &[Key], read: Read) -> Result<Vec<Item>, TableError> {
        self.turns.take(self.caller_id).await;
        self.table.get_many(keys, read).await
    }

    async fn put(&self, item: Item, condition: Condition) -> Result<Put, TableError> {
        self.turns.take(self.caller_id).await;
        self.table.put(item, condition).await
    }
}

/// A destination with an endpoint for each caller.
struct SharedDestination {
    turns: Turns,
    /// The accepted ids, in order.
    accepted: Arc<Mutex<Vec<String>>>,
    endpoints: Vec<String>,
    client: Client,
}

impl SharedDestination {
    async fn new(callers: usize) -> Self {
        let (turns, accepted) = (Turns::default(), Arc::<Mutex<Vec<String>>>::default());
        let mut endpoints = Vec::new();
        for caller_id in 0..callers {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            endpoints.push(format!("http://{}/hook", listener.local_addr().unwrap()));
            let (turns, accepted) = (turns.clone(), Arc::clone(&accepted));
            let endpoint = async move |body: Bytes| {
                if !turns.take(caller_id).await {
                    return;
                }
                let body: Value = serde_json::from_slice(&body).unwrap();
                let id = body["id"].as_str().unwrap().to_owned();
                accepted.lock().unwrap().push(id);
                // The request is accepted, but the caller has no answer yet.
                turns.take(caller_id).await;
            };
            let router = axum::Router::new().fallback(endpoint);
            tokio::spawn(async move { axum::serve(listener, router).await });
        }
        Self {
            turns,
            accepted,
            endpoints,
            client: Client::new().unwrap(),
        }
    }

    fn relay(&self, table: &MemoryTable, caller_id: usize) -> Relay<Paced, Secrets> {
        let secrets = Secrets::default();
        secrets.set("ssm:/key", "secret-signing-key");
        let hook = json!({ "kind": "webhook", "url": self.endpoints[caller_id], "key": "ssm:/key" });
        let table = Paced {
            table: table.clone(),
            caller_id,
            turns: self.turns.clone(),
        };
        let ms = Duration::from_millis;
        let retry_policy = RetryPolicy::new(3, ms(1), ms(1)).unwrap();
        Relay::new(
            config(&json!({ "it": hook })),
            table,
            secrets,
            self.client.clone(),
            retry_policy,
        )
    }

    /// Each caller delivers its notification. `choose` selects the next caller; `killed` is a caller and the number of the
    /// turn at which it is killed. Returns the reports in the order of the callers.
    async fn play(
        &self,
        table: &MemoryTable,
        calls: &[(Notification, Duration)],
        choose: &mut dyn FnMut(usize) -> usize,
        killed: Option<(usize, usize)>,
    ) -> Vec<Option<DeliveryReport>> {
        let running = Rc::new(Cell::new(calls.len()));
        let local = LocalSet::new();
        let run = async {
            let mut callers: Vec<_> = calls
                .iter()
                .enumerate()
                .map(|(caller_id, (notification, remaining))| {
                    let (relay, notification, remaining) =
                        (self.relay(table, caller_id), notification.clone(), *remaining);
                    let (running, changed) = (Rc::clone(&running), Arc::clone(&self.turns.changed));
                    Some(tokio::task::spawn_local(async move {
                        let report = relay.deliver(&[notification], remaining).await;
                        running.set(running.get() - 1);
                        changed.notify_one();
                        report
                    }))
                })
                .collect();
            let mut turns = vec![0; calls.len()];
            loop {
                let waiting = self.turns.waiting(|| running.get()).await;
                if waiting.is_empty() {
                    break;
                }
                let caller_id = waiting[if waiting.len() > 1 {
                    choose(waiting.len())
                } else {
                    0
                }];
                if killed == Some((caller_id, turns[caller_id])) {
                    // Its request is cancelled too.
                    let caller = callers[caller_id].take().unwrap();
                    caller.abort();
                    assert!(caller.await.unwrap_err().is_cancelled());
                    self.turns.waiting.lock().unwrap().remove(&caller_id);
                    running.set(running.get() - 1);
                    continue;
                }
                turns[caller_id] += 1;
                self.turns.give(caller_id);
            }
            let reports = callers
                .into_iter()
                .map(async |caller| Some(caller?.await.unwrap()));
            join_all(reports).await
        };
        local.run_until(run).await
    }

    fn take_accepted(&self) -> Vec<String> {
        std::mem::take(&mut self.accepted.lock().unwrap())
    }
}

/// The choices of a run: first the planned ones, then the callers in turn.
struct Choices {
    plan: Vec<usize>,
    made: Vec<(usize, usize)>,
}

impl Choices {
    fn planned(plan: Vec<usize>) -> Self {
        let made = Vec::new();
        Self { plan, made }
    }

    fn choose(&mut self, of: usize) -> usize {
        let number = self.made.len();
        let choice = self.plan.get(number).map_or(number, |choice| *choice) % of;
        self.made.push((choice, of));
        choice
    }

    /// The next plan of `depth` choices in lexicographic order; `None` after the last.
    fn next(mut self, depth: usize) -> Option<Self> {
        self.made.truncate(depth);
        while self.made.pop_if(|(choice, of)| *choice + 1 == *of).is_some() {}
        self.made.last_mut()?.0 += 1;
        let mut plan: Vec<_> = self.made.into_iter().map(|(choice, _)| choice).collect();
        plan.resize(depth, 0);
        Some(Self::planned(plan))
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// Asserts that each notification was delivered once or is superseded, and that the end was delivered last.
fn assert_order(
    calls: &[(Notification, Duration)],
    reports: &[Option<DeliveryReport>],
    accepted: &[String],
    run: &str,
) {
    let mut sorted = accepted.to_vec();
    sorted.sort();
    sorted.dedup();
    assert_eq!(sorted.len(), accepted.len(), "repeated: {run}");
    for (call, report) in calls.iter().zip(reports) {
        let [delivered, duplicates, superseded, waited] = outcome(report.as_ref().unwrap());
        assert_eq!((delivered + duplicates + superseded, waited), (1, 0), "{run}");
        assert_eq!(accepted.contains(&call.0.id), superseded == 0, "{run}");
    }
    let end = calls
        .iter()
        .find(|(call, _)| call.kind.stage() == Stage::Ended)
        .unwrap();
    assert_eq!(accepted.last(), Some(&end.0.id), "{run}");
}

#[test]
fn end_is_delivered_last_in_every_order_of_two_calls() {
    const DEPTH: usize = 8;
    runtime().block_on(async {
        let destination = SharedDestination::new(2).await;
        let calls = [Kind::Down, Kind::Recovered].map(|kind| (notification::of(kind), LONG));
        let (mut superseded, mut runs) = (0, 0);
        let mut next = Some(Choices::planned(vec![0; DEPTH]));
        while let Some(mut choices) = next {
            let choose = &mut |of| choices.choose(of);
            let reports = destination.play(&MemoryTable::new(), &calls, choose, None).await;
            let made = format!("{:?}", choices.made);
            assert_order(&calls, &reports, &destination.take_accepted(), &made);
            superseded += outcome(reports[0].as_ref().unwrap())[2];
            runs += 1;
            next = choices.next(DEPTH);
        }
        assert!(
            0 < superseded && superseded < runs && runs > 100,
            "{superseded} of {runs}"
        );
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn end_is_delivered_last_with_repeated_calls(
        order in prop::collection::vec(0usize..12, 0..60),
        more in prop::sample::subsequence(vec![Kind::Down, Kind::Down, Kind::Escalated, Kind::Reminder, Kind::Recovered], 1..5),
    ) {
        runtime().block_on(async {
            let kinds = more.into_iter().chain([Kind::Recovered]);
            let calls: Vec<_> = kinds.map(|kind| (notification::of(kind), LONG)).collect();
            let mut choices = Choices::planned(order);
            let destination = SharedDestination::new(calls.len()).await;
            let reports = destination.play(&MemoryTable::new(), &calls, &mut |of| choices.choose(of), None).await;
            assert_order(&calls, &reports, &destination.take_accepted(), "");
        });
    }
}

/// Expires all claims, after checking that their expiry is within the range.
fn expire_claims(table: &MemoryTable, until: std::ops::RangeInclusive<Timestamp>) {
    for mut item in table.snapshot().into_values() {
        if let Some(claimed) = item.get("claimed_until") {
            let ends: Timestamp = claimed.as_s().unwrap().parse().unwrap();
            assert!(until.contains(&ends), "{ends} {until:?}");
            let past = AttributeValue::S("2026-11-22T05:40:00Z".to_owned());
            item.insert("claimed_until".to_owned(), past);
            table.overwrite(item);
        }
    }
}

#[test]
fn claim_of_killed_relay_expires_with_its_deadline() {
    runtime().block_on(async {
        let destination = SharedDestination::new(2).await;
        let in_turn = &mut |_: usize| 0;
        let mut waited = 0;
        for ((beginning, end), at) in PAIRS
            .into_iter()
            .flat_map(|pair| (0..5).map(move |at| (pair, at)))
        {
            for retried_first in [0, 1] {
                let table = MemoryTable::new();
                let calls = [
                    (notification::of(beginning), LONG),
                    (notification::of(end), SHORT),
                ];
                let began = Timestamp::now();
                let reports = destination
                    .play(&table, &calls[..1], in_turn, Some((0, at)))
                    .await;
                assert!(reports[0].is_none(), "{beginning} {at}");
                let expiry = began + LONG..=Timestamp::now() + LONG + Duration::from_secs(10);
                // While the incident is claimed, the end waits; it is sent when Lambda retries.
                let reports = destination.play(&table, &calls[1..], in_turn, None).await;
                let is_left = outcome(reports[0].as_ref().unwrap())[3];
                waited += is_left;
                assert_eq!(is_left, usize::from(at >= 2), "{beginning} {at}");
                expire_claims(&table, expiry);
                for caller_id in [retried_first, 1 - retried_first] {
                    let reports = destination
                        .play(&table, &calls[caller_id..=caller_id], in_turn, None)
                        .await;
                    assert_eq!(outcome(reports[0].as_ref().unwrap())[3], 0, "{beginning} {at}");
                }
                let accepted = destination.take_accepted();
                let ids = calls.each_ref().map(|(call, _)| &call.id);
                assert_eq!(accepted.last(), Some(ids[1]), "{beginning} {at}");
                assert_eq!(accepted.iter().filter(|id| *id == ids[1]).count(), 1);
            }
        }
        assert!(waited > 0);
    });
}
