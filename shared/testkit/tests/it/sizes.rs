//! The largest items and messages within all limits, built by production code, compared with the limits of DynamoDB and
//! SNS.

mod values;

use std::sync::Mutex;

use portpulse_alert::{Message, messages};
use portpulse_core::banners::{Banner, Banners};
use portpulse_core::decide::{LocationView, Notification, View};
use portpulse_core::group::{MAX_LOCATIONS, MAX_MONITORS_PER_GROUP};
use portpulse_core::group_state::{Cause, Finding, Status};
use portpulse_core::observation::Observation;
use portpulse_core::outbox::{Kind, Subject};
use portpulse_core::outcome::Detail;
use portpulse_core::page_url::PageUrl;
use portpulse_core::rollup::{Rollup, phase_rollup};
use portpulse_core::round::{MAX_BROKEN_ID_BYTES, Observations};
use portpulse_store::keys::{Key, PK, SK};
use portpulse_store::packed::unpack;
use portpulse_store::size;
use portpulse_store::store::Store;
use portpulse_store::table::{Condition, Item, Put, Read, Table, TableError};
use portpulse_testkit::sizes::{Largest, assert_documented, documented};

use values::{
    closed_incident, control, day, definition, detail, failing_tally, good_tally, group, hour, location,
    location_state, monitor, of_all, seen_of_max_length, tick, time,
};

/// DynamoDB's limit of an item in bytes.
const MAX_ITEM_BYTES: usize = 400 * 1024;
/// SNS's limit of a message in bytes, attributes included.
const MAX_MESSAGE_BYTES: usize = 256 * 1024;

/// A table that accepts all puts and records the sizes of the items.
#[derive(Default)]
struct MeasuringTable(Mutex<Vec<(String, usize)>>);

impl MeasuringTable {
    /// The keys and sizes of all items since the last call.
    fn take_sizes(&self) -> Vec<(String, usize)> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Table for MeasuringTable {
    async fn query(&self, _: &str, _: Read) -> Result<Vec<Item>, TableError> {
        Ok(Vec::new())
    }

    async fn get(&self, _: &str, _: &str, _: Read) -> Result<Option<Item>, TableError> {
        Ok(None)
    }

    async fn get_many(&self, _: &[Key], _: Read) -> Result<Vec<Item>, TableError> {
        Ok(Vec::new())
    }

    async fn put(&self, item: Item, _: Condition) -> Result<Put, TableError> {
        let text = |name: &str| item[name].as_s().unwrap().clone();
        let key = format!("{}/{}", text(PK), text(SK));
        // Random values would not be smaller when packed.
        let plain = unpack(&item).unwrap();
        self.0.lock().unwrap().push((key, size::item(&plain)));
        Ok(Put::Done)
    }
}

/// The largest item of a kind, and the number of its parts.
fn largest(kind: &'static str, sizes: &[(String, usize)]) -> Largest {
    Largest {
        kind,
        bytes: sizes.iter().map(|(_, bytes)| *bytes).max().unwrap(),
        limit: MAX_ITEM_BYTES,
        parts: sizes.len(),
    }
}

async fn largest_items() -> Vec<Largest> {
    let store = Store::new(MeasuringTable::default());
    let (group, location) = (group(), location(0));
    let mut all = Vec::new();
    let mut record = |kind: &'static str| {
        let sizes = store.table().take_sizes();
        all.push(largest(kind, &sizes));
    };

    store
        .put_definition(group, monitor(0).as_str(), &definition())
        .await
        .unwrap();
    record("definition");
    store.list_agent(group, &location).await.unwrap();
    record("expected location");
    store
        .put_location_state(group, &location, None, &location_state())
        .await
        .unwrap();
    record("location state");
    let observation = Observation {
        seen: seen_of_max_length(),
        retries: 10,
        detail: detail(),
        point: None,
    };
    let seen: Observations = of_all(|_| observation.clone());
    store.put_results(group, tick(), &location, &seen).await.unwrap();
    record("results");
    for (kind, phases, period, checks) in [
        ("hour", "phases of an hour", hour(), 60),
        ("day", "phases of a day", day(), 1_440),
    ] {
        let rollup: Rollup = of_all(|_| failing_tally(checks));
        store
            .put_summary(group, period, &location, &rollup)
            .await
            .unwrap();
        record(kind);
        let others = phase_rollup(&of_all(|_| good_tally(checks)));
        store
            .put_summary(group, period, &location, &others)
            .await
            .unwrap();
        record(phases);
    }
    let banner = Banner {
        text: detail().unwrap(),
        at: "2026-11-22T04:41:00Z".parse().unwrap(),
    };
    let banners = Banners {
        tick: tick(),
        by_monitor: of_all(|_| banner.clone()),
    };
    store.put_banners(group, &location, None, &banners).await.unwrap();
    record("banners");
    store.put_control(&monitor(0), &control(), time()).await.unwrap();
    record("control");
    store.file_incident(&closed_incident()).await.unwrap();
    record("closed incident");
    all
}

/// A notification with texts of the maximum length, which consist of `text`.
fn notification(number: usize, locations: usize, text: &str) -> Notification {
    let long = text.repeat(600);
    let finding = Some(Finding {
        cause: Cause::Open,
        detail: Detail::new(&long),
    });
    let view = LocationView {
        view: View::Failing,
        ticks: u32::MAX,
        since: Some(tick()),
        finding: finding.clone(),
    };
    let page = format!("https://h/{}", "x".repeat(PageUrl::MAX_BYTES - 10))
        .parse()
        .unwrap();
    Notification {
        id: format!(
            "{}@{}.{}.quality/certificate_expiring",
            monitor(number),
            tick(),
            u64::MAX
        ),
        kind: Kind::CertificateExpiring,
        subject: Subject::Monitor(monitor(number)),
        check_group: Some(group()),
        group: Some(long.clone()),
        status: Status::Degraded,
        finding,
        target: Some(long.clone()),
        tags: (0..50).map(|tag| format!("{tag:0>2}{long}")).collect(),
        runbook: Some(long),
        locations: (0..locations)
            .map(|number| (location(number), view.clone()))
            .collect(),
        ..Notification::test(None, time())
    }
    .with_page(Some(&page))
}

/// A broken definition with a key of DynamoDB's maximum length, in characters that JSON escapes with six bytes.
fn broken_definition() -> Notification {
    let id = "\u{1}".repeat(MAX_BROKEN_ID_BYTES);
    Notification {
        id: format!("{id}@{}.{}/broken_definition", group(), u64::MAX),
        kind: Kind::BrokenDefinition,
        subject: Subject::Definition(id),
        diagnostics: vec!["\"".repeat(1_000); 50],
        ..notification(0, MAX_LOCATIONS, "\"")
    }
}

fn assert_accepted(messages: &[Message], notifications: &[Notification]) {
    let notified: Vec<_> = messages.iter().flat_map(|message| &message.ids).collect();
    assert_eq!(
        notified,
        notifications.iter().map(|each| &each.id).collect::<Vec<_>>()
    );
    for message in messages {
        assert!(message.bytes() <= MAX_MESSAGE_BYTES, "{}", message.bytes());
        assert!(message.attributes.len() <= 10, "{:?}", message.attributes.keys());
    }
}

fn largest_messages() -> Vec<Largest> {
    let of = |kind, notifications: &[Notification]| {
        let messages = messages(notifications);
        assert_accepted(&messages, notifications);
        Largest {
            kind,
            bytes: messages.iter().map(Message::bytes).max().unwrap(),
            limit: MAX_MESSAGE_BYTES,
            parts: messages.len(),
        }
    };
    let together: Vec<_> = (0..MAX_MONITORS_PER_GROUP)
        .map(|number| notification(number, 3, "\""))
        .collect();
    vec![
        of("notification", &[notification(0, MAX_LOCATIONS, "\"")]),
        of("notification of a broken definition", &[broken_definition()]),
        of("notifications together", &together),
    ]
}

#[tokio::test]
async fn largest_items_and_messages_fit_and_match_readme() {
    let mut all = largest_items().await;
    // Decision states and fleet states are limited to the maximum.
    all.extend(["decision state", "fleet state"].map(|kind| Largest {
        kind,
        bytes: size::MAX_BYTES,
        limit: MAX_ITEM_BYTES,
        parts: 1,
    }));
    assert!(
        all.iter().all(|largest| largest.bytes <= size::MAX_BYTES),
        "{all:?}"
    );
    all.extend(largest_messages());
    assert!(
        all.iter().all(|largest| largest.bytes <= largest.limit),
        "{all:?}"
    );
    assert_documented(&all);
    let mut kinds = documented();
    // Tested in the relay's crate.
    kinds.remove("relay's ledger");
    let computed = all.iter().map(|largest| largest.kind).collect();
    assert_eq!(kinds, computed, "rows of the table without a computed size");
}

#[test]
fn notifications_of_all_sizes_are_split_into_valid_messages() {
    for text in ["x", "\"", "ü", "\u{1f525}", "\u{1}"] {
        let sizes = (0..30).map(|number| notification(number, number % 6 * 10, text));
        let notifications: Vec<_> = sizes.collect();
        assert_accepted(&messages(&notifications), &notifications);
    }
}
