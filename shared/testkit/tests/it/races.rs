//! Sixteen concurrent writers on DynamoDB: exactly one succeeds.

use std::collections::BTreeMap;

use portpulse_core::group::GroupId;
use portpulse_core::group_state::{DecisionState, FleetState, LocationState};
use portpulse_store::dynamo::DynamoTable;
use portpulse_store::store::{Commit, Recorded, Written};
use portpulse_store::{Error, Store};
use portpulse_testkit::embedded::EmbeddedDynamo;

const WRITERS: usize = 16;

fn group() -> GroupId {
    "1m#0".parse().unwrap()
}

fn row(tick: &str) -> LocationState {
    LocationState {
        tick: tick.parse().unwrap(),
        entries: BTreeMap::new(),
    }
}

/// The results of sixteen concurrent writes.
async fn race<R, F>(dynamo: &EmbeddedDynamo, write: impl Fn(Store<DynamoTable>) -> F) -> Vec<R>
where
    F: Future<Output = Result<R, Error>> + Send + 'static,
    R: Send + 'static,
{
    let tasks: Vec<_> = (0..WRITERS)
        .map(|_| tokio::spawn(write(Store::new(dynamo.table()))))
        .collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap().unwrap());
    }
    outcomes
}

fn count<R: PartialEq>(outcomes: &[R], wanted: &R) -> usize {
    outcomes.iter().filter(|outcome| *outcome == wanted).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_commits_count_tick_once() {
    let dynamo = EmbeddedDynamo::start().await.unwrap();
    let mut before = None;
    for tick in [
        "2026-11-22T05:40:00Z",
        "2026-11-22T05:41:00Z",
        "2026-11-22T05:42:00Z",
    ] {
        let outcomes = race(&dynamo, |store| async move {
            store
                .put_location_state(group(), &"eu-west-1".parse().unwrap(), before, &row(tick))
                .await
        })
        .await;
        assert_eq!(count(&outcomes, &Commit::Done), 1, "{tick}");
        assert_eq!(count(&outcomes, &Commit::Conflict), WRITERS - 1, "{tick}");
        before = Some(row(tick).tick);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_writes_store_revision_once() {
    let dynamo = EmbeddedDynamo::start().await.unwrap();
    for revision in 1..4 {
        let outcomes = race(&dynamo, |store| async move {
            let row = DecisionState {
                revision,
                ..DecisionState::default()
            };
            store.put_decision(group(), &row).await
        })
        .await;
        assert_eq!(count(&outcomes, &Written::Done), 1, "{revision}");
        assert_eq!(count(&outcomes, &Written::Conflict), WRITERS - 1, "{revision}");
        let outcomes = race(&dynamo, |store| async move {
            store
                .put_fleet(&FleetState {
                    revision,
                    ..FleetState::default()
                })
                .await
        })
        .await;
        assert_eq!(count(&outcomes, &Written::Done), 1, "{revision}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_results_keep_the_first() {
    let dynamo = EmbeddedDynamo::start().await.unwrap();
    let outcomes = race(&dynamo, |store| async move {
        let (tick, location) = (
            "2026-11-22T05:40:00Z".parse().unwrap(),
            "eu-west-1".parse().unwrap(),
        );
        store
            .put_results(group(), tick, &location, &BTreeMap::new())
            .await
    })
    .await;
    let written = |recorded: &&Recorded| matches!(recorded, Recorded::Written);
    let there = |recorded: &&Recorded| matches!(recorded, Recorded::AlreadyThere(there) if there.is_empty());
    assert_eq!(outcomes.iter().filter(written).count(), 1);
    assert_eq!(outcomes.iter().filter(there).count(), WRITERS - 1);
}
