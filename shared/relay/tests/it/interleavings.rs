//! Several calls about one incident, in every order of events: the end is the last word, and all is told once.

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
use portpulse_relay::{Client, Relay, Report, RetryPolicy};
use portpulse_store::keys::Key;
use portpulse_store::table::{Condition, Item, Put, Read, Table, TableError};
use portpulse_testkit::memory_table::MemoryTable;
use portpulse_testkit::notification;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};
use tokio::task::LocalSet;

use crate::order::{PAIRS, SHORT, outcome};
use crate::rig::{LONG, Secrets, config};

/// Lets callers go on one at a time: each when its turn comes.
#[derive(Clone, Default)]
struct Turns {
    waiting: Arc<Mutex<BTreeMap<usize, oneshot::Sender<()>>>>,
    changed: Arc<Notify>,
}

impl Turns {
    /// Whether the turn came; else whoever waited for it is gone.
    async fn take(&self, who: usize) -> bool {
        let (turn, comes) = oneshot::channel();
        self.waiting.lock().unwrap().insert(who, turn);
        self.changed.notify_one();
        comes.await.is_ok()
    }

    /// Who waits for a turn, once that is everybody.
    async fn waiting(&self, running: impl Fn() -> usize) -> Vec<usize> {
        loop {
            let waiting: Vec<_> = self.waiting.lock().unwrap().keys().copied().collect();
            if waiting.len() == running() {
                return waiting;
            }
            self.changed.notified().await;
        }
    }

    fn give(&self, who: usize) {
        let turn = self.waiting.lock().unwrap().remove(&who);
        turn.unwrap().send(()).unwrap();
    }
}

/// The table as one caller sees it: it works when it is the caller's turn.
#[derive(Clone)]
struct Paced {
    table: MemoryTable,
    who: usize,
    turns: Turns,
}

impl Table for Paced {
    async fn query(&self, pk: &str, read: Read) -> Result<Vec<Item>, TableError> {
        self.turns.take(self.who).await;
        self.table.query(pk, read).await
    }

    async fn get(&self, pk: &str, sk: &str, read: Read) -> Result<Option<Item>, TableError> {
        self.turns.take(self.who).await;
        self.table.get(pk, sk, read).await
    }

    async fn get_many(&self, keys: &[Key], read: Read) -> Result<Vec<Item>, TableError> {
        self.turns.take(self.who).await;
        self.table.get_many(keys, read).await
    }

    async fn put(&self, item: Item, condition: Condition) -> Result<Put, TableError> {
        self.turns.take(self.who).await;
        self.table.put(item, condition).await
    }
}

/// A destination that several callers reach, each by a door of its own.
struct World {
    turns: Turns,
    /// The ids that it took, in that order.
    taken: Arc<Mutex<Vec<String>>>,
    doors: Vec<String>,
    client: Client,
}

impl World {
    async fn new(callers: usize) -> Self {
        let (turns, taken) = (Turns::default(), Arc::<Mutex<Vec<String>>>::default());
        let mut doors = Vec::new();
        for who in 0..callers {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            doors.push(format!("http://{}/hook", listener.local_addr().unwrap()));
            let (turns, taken) = (turns.clone(), Arc::clone(&taken));
            let door = async move |body: Bytes| {
                if !turns.take(who).await {
                    return;
                }
                let body: Value = serde_json::from_slice(&body).unwrap();
                let id = body["id"].as_str().unwrap().to_owned();
                taken.lock().unwrap().push(id);
                // It has taken it, and the caller does not know yet.
                turns.take(who).await;
            };
            let router = axum::Router::new().fallback(door);
            tokio::spawn(async move { axum::serve(listener, router).await });
        }
        Self {
            turns,
            taken,
            doors,
            client: Client::new().unwrap(),
        }
    }

    fn relay(&self, table: &MemoryTable, who: usize) -> Relay<Paced, Secrets> {
        let secrets = Secrets::default();
        secrets.set("ssm:/key", "secret-signing-key");
        let hook = json!({ "kind": "webhook", "url": self.doors[who], "key": "ssm:/key" });
        let table = Paced {
            table: table.clone(),
            who,
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

    /// Each caller tells the notification that is its own, in the order of events that is chosen; the caller `killed`
    /// ends when it would take its turn of that number. What was reported, in the order of the callers.
    async fn play(
        &self,
        table: &MemoryTable,
        calls: &[(Notification, Duration)],
        choose: &mut dyn FnMut(usize) -> usize,
        killed: Option<(usize, usize)>,
    ) -> Vec<Option<Report>> {
        let running = Rc::new(Cell::new(calls.len()));
        let local = LocalSet::new();
        let run = async {
            let mut callers: Vec<_> = calls
                .iter()
                .enumerate()
                .map(|(who, (notification, remaining))| {
                    let (relay, notification, remaining) =
                        (self.relay(table, who), notification.clone(), *remaining);
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
                let who = waiting[if waiting.len() > 1 {
                    choose(waiting.len())
                } else {
                    0
                }];
                if killed == Some((who, turns[who])) {
                    // Its request ends with it.
                    let caller = callers[who].take().unwrap();
                    caller.abort();
                    assert!(caller.await.unwrap_err().is_cancelled());
                    self.turns.waiting.lock().unwrap().remove(&who);
                    running.set(running.get() - 1);
                    continue;
                }
                turns[who] += 1;
                self.turns.give(who);
            }
            let reports = callers
                .into_iter()
                .map(async |caller| Some(caller?.await.unwrap()));
            join_all(reports).await
        };
        local.run_until(run).await
    }

    fn take_taken(&self) -> Vec<String> {
        std::mem::take(&mut self.taken.lock().unwrap())
    }
}

/// What is chosen in a run: what is planned, and after that everybody in turn.
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

    /// The plan of so many choices that follows on the one that was played, until there is none.
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

/// That all was told or is overtaken, once, and an end last.
fn is_in_order(
    calls: &[(Notification, Duration)],
    reports: &[Option<Report>],
    taken: &[String],
    notified: &str,
) {
    let mut sorted = taken.to_vec();
    sorted.sort();
    sorted.dedup();
    assert_eq!(sorted.len(), taken.len(), "told twice: {notified}");
    for (call, report) in calls.iter().zip(reports) {
        let [delivered, repeated, overtaken, waited] = outcome(report.as_ref().unwrap());
        assert_eq!((delivered + repeated + overtaken, waited), (1, 0), "{notified}");
        assert_eq!(taken.contains(&call.0.id), overtaken == 0, "{notified}");
    }
    let end = calls
        .iter()
        .find(|(call, _)| call.kind.stage() == Stage::Over)
        .unwrap();
    assert_eq!(taken.last(), Some(&end.0.id), "{notified}");
}

#[test]
fn in_every_order_of_two_calls_the_end_is_the_last_word() {
    const DEPTH: usize = 8;
    runtime().block_on(async {
        let world = World::new(2).await;
        let calls = [Kind::Down, Kind::Recovered].map(|kind| (notification::of(kind), LONG));
        let (mut overtaken, mut runs) = (0, 0);
        let mut next = Some(Choices::planned(vec![0; DEPTH]));
        while let Some(mut choices) = next {
            let choose = &mut |of| choices.choose(of);
            let reports = world.play(&MemoryTable::new(), &calls, choose, None).await;
            let made = format!("{:?}", choices.made);
            is_in_order(&calls, &reports, &world.take_taken(), &made);
            overtaken += outcome(reports[0].as_ref().unwrap())[2];
            runs += 1;
            next = choices.next(DEPTH);
        }
        assert!(
            0 < overtaken && overtaken < runs && runs > 100,
            "{overtaken} of {runs}"
        );
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn so_it_is_with_several_that_are_delivered_twice(
        order in prop::collection::vec(0usize..12, 0..60),
        more in prop::sample::subsequence(vec![Kind::Down, Kind::Down, Kind::Escalated, Kind::Reminder, Kind::Recovered], 1..5),
    ) {
        runtime().block_on(async {
            let kinds = more.into_iter().chain([Kind::Recovered]);
            let calls: Vec<_> = kinds.map(|kind| (notification::of(kind), LONG)).collect();
            let mut choices = Choices::planned(order);
            let world = World::new(calls.len()).await;
            let reports = world.play(&MemoryTable::new(), &calls, &mut |of| choices.choose(of), None).await;
            is_in_order(&calls, &reports, &world.take_taken(), "");
        });
    }
}

/// Makes all claims end now, as they would in a minute.
fn let_claims_end(table: &MemoryTable, until: std::ops::RangeInclusive<Timestamp>) {
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
fn a_relay_that_was_killed_holds_up_nobody_for_longer_than_it_had() {
    runtime().block_on(async {
        let world = World::new(2).await;
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
                let reports = world.play(&table, &calls[..1], in_turn, Some((0, at))).await;
                assert!(reports[0].is_none(), "{beginning} {at}");
                let had = began + LONG..=Timestamp::now() + LONG + Duration::from_secs(10);
                // Once it is claimed, the end waits; it is told when Lambda tries again.
                let reports = world.play(&table, &calls[1..], in_turn, None).await;
                let is_left = outcome(reports[0].as_ref().unwrap())[3];
                waited += is_left;
                assert_eq!(is_left, usize::from(at >= 2), "{beginning} {at}");
                let_claims_end(&table, had);
                for who in [retried_first, 1 - retried_first] {
                    let reports = world.play(&table, &calls[who..=who], in_turn, None).await;
                    assert_eq!(outcome(reports[0].as_ref().unwrap())[3], 0, "{beginning} {at}");
                }
                let taken = world.take_taken();
                let ids = calls.each_ref().map(|(call, _)| &call.id);
                assert_eq!(taken.last(), Some(ids[1]), "{beginning} {at}");
                assert_eq!(taken.iter().filter(|id| *id == ids[1]).count(), 1);
            }
        }
        assert!(waited > 0);
    });
}
