//! The largest items and messages within all limits, built by production code, compared with the limits of DynamoDB and
//! SNS.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;
use portpulse_alert::{Message, messages};
use portpulse_core::banners::{Banner, Banners};
use portpulse_core::control::{Acknowledgement, Control, MAX_TEXT_LENGTH, Note, Silence};
use portpulse_core::decide::{LocationView, Notification, View};
use portpulse_core::definition::{DefinitionFile, MAX_DEFINITION_BYTES, NetworkAccess};
use portpulse_core::group::{GroupId, MAX_MONITORS_PER_GROUP};
use portpulse_core::group_state::{
    Cause, ClosedIncident, Ending, Entry, Finding, Health, Impairment, Incident, LocationState, Notified,
    Stability, Status, Streak, Streaks, Track, Urgency,
};
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::observation::{Observation, Remark, Seen};
use portpulse_core::other_phases::OtherPhases;
use portpulse_core::outbox::{Kind, Subject};
use portpulse_core::outcome::{Detail, FailureClass};
use portpulse_core::period::Period;
use portpulse_core::phase_times::{Bucket, PhaseTimes};
use portpulse_core::rollup::{Rollup, Tally, other_times};
use portpulse_core::round::Observations;
use portpulse_core::time::Tick;
use portpulse_store::keys::{Key, PK, SK};
use portpulse_store::size;
use portpulse_store::store::Store;
use portpulse_store::table::{Condition, Item, Put, Read, Table, TableError};
use portpulse_testkit::sizes::{Largest, assert_documented, documented};
use serde_json::{Map, Value, json};

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
        self.0.lock().unwrap().push((key, size::item(&item)));
        Ok(Put::Done)
    }
}

fn group() -> GroupId {
    format!("1m#{}", u32::MAX).parse().unwrap()
}

fn location(number: usize) -> Location {
    format!("{number:0>32}").parse().unwrap()
}

fn monitor(number: usize) -> MonitorId {
    format!("{number:0>64}").parse().unwrap()
}

fn of_all<V>(each: impl Fn(usize) -> V) -> BTreeMap<MonitorId, V> {
    (0..MAX_MONITORS_PER_GROUP)
        .map(|number| (monitor(number), each(number)))
        .collect()
}

fn tick() -> Tick {
    "2026-11-22T05:41:00Z".parse().unwrap()
}

/// A time with the maximum number of digits.
fn time() -> Timestamp {
    "2026-11-22T05:41:07.123456789Z".parse().unwrap()
}

fn detail() -> Option<Detail> {
    let detail = Detail::new(&"x".repeat(1_000));
    assert_eq!(detail.as_ref().unwrap().as_str().len(), Detail::MAX_BYTES);
    detail
}

fn finding() -> Option<Finding> {
    let detail = detail();
    let cause = Cause::Failed("dns_server_failure".parse().unwrap());
    Some(Finding { cause, detail })
}

const CLASSES: [&str; 15] = [
    "refused",
    "timeout",
    "unreachable",
    "reset",
    "dns_not_found",
    "dns_server_failure",
    "dns_timeout",
    "tls",
    "closed",
    "silent",
    "busy",
    "starting",
    "blocked",
    "wrong_service",
    "wrong_answer",
];

fn longest_seen() -> Seen {
    // The maximum timeout in each phase.
    let longest = Duration::from_micros(29_999_990);
    let open = Seen::Open {
        connect: longest,
        others: OtherPhases {
            dns: (),
            tls: (),
            ready: (),
        }
        .map(|()| Some(Duration::from_millis(29_999))),
        remark: Remark::Retransmitted,
    };
    let codes = CLASSES
        .into_iter()
        .chain(["no_data_out_of_resources", "no_data_resolver_down"]);
    let others = codes.map(|code| code.parse().unwrap());
    others
        .chain([open])
        .max_by_key(|seen| seen.to_string().len())
        .unwrap()
}

/// `count` times in the maximum number of buckets, up to the maximum timeout, with the maximum number of digits.
fn wide(count: u32) -> PhaseTimes {
    const BUCKETS: u32 = 160;
    let filled = count.min(BUCKETS);
    // A distance of ten takes one digit more, and so does a count of ten.
    let (mut wide_steps, mut tens) = ((BUCKETS - filled) / 9, (count - filled) / 9);
    let mut bucket = 0;
    let buckets = (0..filled).map(|_| {
        bucket += if wide_steps > 0 { 10 } else { 1 };
        wide_steps = wide_steps.saturating_sub(1);
        let count = if tens > 0 { 10 } else { 1 };
        tens = u32::saturating_sub(tens, 1);
        (Bucket::try_from(bucket).unwrap(), count)
    });
    PhaseTimes::from_buckets(buckets.collect::<Vec<_>>(), Duration::from_micros(29_999_990))
}

/// A tally of `checks` checks: each failure class once, all others good with different times.
fn failing_tally(checks: u32) -> Tally {
    let causes = CLASSES.map(|code| (Cause::Failed(code.parse::<FailureClass>().unwrap()), 1));
    let good = checks - u32::try_from(causes.len()).unwrap() - 1;
    Tally {
        good,
        failing: causes.into(),
        no_data: 1,
        connect: wide(good),
        others: OtherPhases::default(),
    }
}

/// A tally of `checks` good checks, with times of the other phases.
fn good_tally(checks: u32) -> Tally {
    let others = OtherPhases {
        dns: (),
        tls: (),
        ready: (),
    };
    Tally {
        good: checks,
        connect: wide(checks),
        others: others.map(|()| wide(checks)),
        ..Tally::default()
    }
}

fn hour() -> Period {
    "2026-11-22T05".parse().unwrap()
}

fn day() -> Period {
    "2026-11-22".parse().unwrap()
}

fn note() -> Note {
    let text = "x".repeat(MAX_TEXT_LENGTH);
    Note::new(&text, time(), Some(&text)).unwrap()
}

fn incident() -> Incident {
    Incident {
        status: Status::Degraded,
        opened: tick(),
        revision: u64::MAX,
        since: tick(),
        finding: finding(),
        notified: Notified::At {
            first: Timestamp::from_nanosecond(time().as_nanosecond() - 1).unwrap(),
            last: time(),
            reminders: u32::MAX,
        },
        urgency: Urgency::Escalated,
        stability: Stability::Flapping {
            state: Health::Failing,
            notified: Some(time()),
        },
    }
}

fn closed_incident() -> ClosedIncident {
    ClosedIncident {
        monitor: monitor(0),
        track: Track::Quality,
        incident: incident(),
        closed: tick(),
        ending: Ending::Recovered,
    }
}

fn control() -> Control {
    // One incident of each track.
    let incident = |track| format!("{}@{}.{}.{track}", monitor(0), tick(), u64::MAX);
    let incidents = ["health", "quality", "visibility"].map(incident);
    Control {
        revision: u64::MAX,
        silence: Some(Silence {
            until: time(),
            note: note(),
        }),
        acknowledgement: Some(Acknowledgement {
            incidents: incidents.into(),
            note: note(),
        }),
    }
}

/// The largest valid definition, including the attributes that are derived from the rest of the file.
fn definition() -> Map<String, Value> {
    let plain = json!({ "host": "192.0.2.1", "port": 7, "interval": "30m" });
    let mut monitors: Map<_, _> = (1..=50)
        .map(|number| (monitor(number).to_string(), plain.clone()))
        .collect();
    let parents: Vec<_> = monitors.keys().cloned().collect();
    let mut own = json!({
        "host": "192.0.2.1",
        "port": 7,
        "tags": (0..50).map(|number| format!("{number:0>64}")).collect::<Vec<_>>(),
        "locations": (0..50).map(location).collect::<Vec<_>>(),
        "depends_on": parents,
        "script": vec![json!({ "expect": "x".repeat(1024) }); 16],
    });
    let written = own.to_string().len() - "{}".len();
    let rest = MAX_DEFINITION_BYTES - written - r#","timeout":"""#.len();
    own["timeout"] = json!("0".repeat(rest - "5s".len()) + "5s");
    monitors.insert(monitor(0).to_string(), own.clone());
    let padded =
        |text: &str, pad: &str| format!("{}{text}", pad.repeat((MAX_TEXT_LENGTH - text.len()) / pad.len()));
    let window = json!({
        "every": padded("mon 02:00", "mon,"),
        "for": padded("7d", "0"),
        "zone": "America/Argentina/ComodRivadavia",
        "why": "x".repeat(MAX_TEXT_LENGTH),
    });
    let file = |monitors: &Map<String, Value>| {
        let file = json!({ "monitors": monitors, "maintenance": vec![window.clone(); 100] });
        DefinitionFile::validate(&file, NetworkAccess::OwnNetwork)
    };
    let valid = file(&monitors).unwrap();
    // One more byte is invalid.
    own["timeout"] = json!(format!("0{}", own["timeout"].as_str().unwrap()));
    monitors.insert(monitor(0).to_string(), own);
    let diagnostics = file(&monitors).unwrap_err();
    assert!(
        diagnostics.len() == 1 && diagnostics[0].to_string().contains("has 131073 bytes"),
        "{diagnostics:?}"
    );
    valid.monitors()[0].attributes.clone()
}

fn location_state() -> LocationState {
    let entry = |_| {
        Entry::Seen(Streaks {
            seen: tick(),
            health: Streak {
                state: Health::Failing,
                ticks: u32::MAX,
                since: tick(),
            },
            quality: Some(Streak {
                state: Impairment::Impaired,
                ticks: u32::MAX,
                since: tick(),
            }),
            finding: finding(),
        })
    };
    LocationState {
        tick: tick(),
        entries: of_all(entry),
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
    store.list_location(group, &location).await.unwrap();
    record("expected location");
    store
        .put_location_state(group, &location, None, &location_state())
        .await
        .unwrap();
    record("location state");
    let observation = Observation {
        seen: longest_seen(),
        detail: detail(),
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
        let others = other_times(&of_all(|_| good_tally(checks)));
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
    Notification {
        id: format!(
            "{}@{}.{}.quality/certificate_expiring",
            monitor(number),
            tick(),
            u64::MAX
        ),
        kind: Kind::CertificateExpiring,
        subject: Subject::Monitor(monitor(number)),
        group: Some(group()),
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
}

/// A broken definition with a key of DynamoDB's maximum length, in characters that JSON escapes with six bytes.
fn broken_definition() -> Notification {
    let id = "\u{1}".repeat(1_024);
    Notification {
        id: format!("{id}@{}.{}/broken_definition", group(), u64::MAX),
        kind: Kind::BrokenDefinition,
        subject: Subject::Definition(id),
        diagnostics: vec!["\"".repeat(1_000); 50],
        ..notification(0, 50, "\"")
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
        of("notification", &[notification(0, 50, "\"")]),
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
