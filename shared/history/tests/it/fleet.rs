//! Sample data as checkers write it: definitions, group states, rollups and incidents.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use portpulse_core::banners::{Banner, Banners};
use portpulse_core::choice::Expect;
use portpulse_core::diagnosis::{Diagnosis, Layer};
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{
    Cause, ClosedIncident, DecisionState, Ending, Entry, Finding, Health, Incident, LocationState, Streak,
    Streaks, Track,
};
use portpulse_core::id::Location;
use portpulse_core::observation::{Observation, Remark, Seen};
use portpulse_core::other_phases::OtherPhases;
use portpulse_core::outcome::{Detail, FailureClass};
use portpulse_core::period::{Grain, Period};
use portpulse_core::rollup::{Rollup, Tally, phase_rollup};
use portpulse_core::round::Observations;
use portpulse_core::time::{Interval, Tick};
use portpulse_history::{Groups, ReadLimit, Reader, Scope};
use portpulse_store::Store;
use portpulse_store::table::{PagedQuery, Table};
use portpulse_testkit::incident::down_since;
use serde_json::{Value, json};

pub(crate) const GROUP: GroupId = GroupId {
    interval: Interval::OneMinute,
    shard: 0,
};

/// Private data that no public answer may contain.
pub(crate) const SECRETS: [&str; 8] = [
    "secret-host",
    "54321",
    "secret-detail",
    "secret-banner",
    "secret-tag",
    "secret-reason",
    "secret.runbook",
    "eu-west-1",
];

/// The time of the sample.
pub(crate) fn now() -> Timestamp {
    "2026-11-22T12:30:20Z".parse().unwrap()
}

/// The first hour of the last 24 hours.
pub(crate) fn last_day() -> Period {
    Period::containing(now(), Grain::Hour).later(-23)
}

pub(crate) fn tick(text: &str) -> Tick {
    text.parse().unwrap()
}

pub(crate) fn locations() -> BTreeSet<Location> {
    ["ap-northeast-1", "eu-west-1", "us-east-1"]
        .map(|name| name.parse().unwrap())
        .into()
}

pub(crate) fn reader<T: Table + PagedQuery>(table: T, read_limit: u32) -> Reader<T> {
    let scope = Scope {
        groups: Groups::Known(BTreeSet::from([GROUP])),
        expected: locations(),
    };
    Reader::new(table, scope, ReadLimit(read_limit))
}

pub(crate) fn definition(port: usize) -> Value {
    json!({
        "host": "secret-host.example.com", "port": port, "interval": "1m", "tags": ["secret-tag"],
        "runbook": "https://secret.runbook.example.com/",
    })
}

pub(crate) async fn define<T: Table>(store: &Store<T>, id: &str) {
    let fields = definition(54_321);
    store
        .put_definition(GROUP, id, fields.as_object().unwrap())
        .await
        .unwrap();
}

/// A definition with maintenance windows: one past, one current, two upcoming.
pub(crate) async fn define_with_maintenance<T: Table>(store: &Store<T>, id: &str) {
    let mut fields = definition(54_321);
    fields["maintenance"] = json!([
        { "from": "2026-11-24T10:00:00Z", "until": "2026-11-24T11:00:00Z", "why": "secret-reason" },
        { "from": "2026-11-22T12:00:00Z", "until": "2026-11-22T13:00:00Z" },
        { "from": "2026-11-24T10:00:00Z", "until": "2026-11-24T11:00:00Z", "why": "secret-reason" },
        { "from": "2026-11-21T10:00:00Z", "until": "2026-11-21T11:00:00Z" },
    ]);
    store
        .put_definition(GROUP, id, fields.as_object().unwrap())
        .await
        .unwrap();
}

/// A good check with a connect time of 10 to 12 ms and all other phases.
pub(crate) fn seen(number: u64) -> Seen {
    let connect = Duration::from_micros(10_000 + number * 7_919 % 2_000);
    let phases = OtherPhases {
        dns: 1 + number % 2,
        tls: 20 + number * 7 % 5,
        ready: 10 + number * 11 % 3,
    };
    Seen::Open {
        connect,
        others: phases.map(|ms| Some(Duration::from_millis(*ms))),
        remark: Remark::None,
    }
}

/// A tally of good and of refused checks.
pub(crate) fn tally(good: u32, failing: u32) -> Tally {
    let mut tally = Tally::default();
    for number in 0..good.into() {
        tally.count(Expect::Open, seen(number));
    }
    for _ in 0..failing {
        tally.count(Expect::Open, Seen::Failed(FailureClass::Refused));
    }
    tally
}

/// Writes the same rollups for all monitors and locations, for the last complete hours and days.
pub(crate) async fn roll_up<T: Table>(store: &Store<T>, ids: &[String], days: i64) {
    let [of_hour, of_day] = [60, 1_440].map(|checks| {
        let tally = tally(checks, 0);
        let each = ids.iter().map(|id| (id.parse().unwrap(), tally.clone()));
        each.collect::<Rollup>()
    });
    roll_up_as(store, days, |grain| match grain {
        Grain::Hour => of_hour.clone(),
        Grain::Day => of_day.clone(),
    })
    .await;
}

/// Writes the rollup that `rollup` makes, for each of the last complete hours and days in each location.
pub(crate) async fn roll_up_as<T: Table>(
    store: &Store<T>,
    days: i64,
    mut rollup: impl FnMut(Grain) -> Rollup,
) {
    for (grain, count) in [(Grain::Hour, 23), (Grain::Day, days)] {
        let running = Period::containing(now(), grain);
        for back in 1..=count {
            for location in locations() {
                let rollup = rollup(grain);
                let kept = store
                    .put_summary(GROUP, running.later(-back), &location, &rollup)
                    .await;
                assert!(kept.unwrap());
                let others = phase_rollup(&rollup);
                let kept = store
                    .put_summary(GROUP, running.later(-back), &location, &others)
                    .await;
                assert!(kept.unwrap());
            }
        }
    }
}

/// Writes results of the first `minutes` minutes of the current hour, from all locations.
pub(crate) async fn run<T: Table>(store: &Store<T>, ids: &[String], minutes: u32) {
    let first = tick("2026-11-22T12:00:00Z");
    for minute in 0..minutes {
        let all: Observations = ids
            .iter()
            .map(|id| {
                let seen = seen(minute.into());
                (id.parse().unwrap(), Observation::from(seen))
            })
            .collect();
        for location in locations() {
            let tick = first.later(GROUP.interval, minute);
            store.put_results(GROUP, tick, &location, &all).await.unwrap();
        }
    }
}

/// Writes location states of the last tick. The given pairs of location and monitor are failing since 12:20.
pub(crate) async fn rows<T: Table>(store: &Store<T>, failing: &[(&str, &str)]) {
    for location in locations() {
        let own = failing.iter().filter(|(of, _)| *of == location.as_str());
        let entries = own.map(|(_, id)| {
            let streaks = Streaks {
                seen: tick("2026-11-22T12:30:00Z"),
                health: Streak {
                    state: Health::Failing,
                    ticks: 11,
                    since: tick("2026-11-22T12:20:00Z"),
                },
                quality: None,
                finding: finding(),
                point: None,
            };
            (id.parse().unwrap(), Entry::Seen(streaks))
        });
        let row = LocationState {
            tick: tick("2026-11-22T12:30:00Z"),
            entries: entries.collect(),
        };
        store
            .put_location_state(GROUP, &location, None, &row)
            .await
            .unwrap();
    }
}

/// Writes a banner of 12:00 for each monitor and location.
pub(crate) async fn banners<T: Table>(store: &Store<T>, ids: &[String], text: &str) {
    let at = tick("2026-11-22T12:00:00Z");
    let banner = Banner {
        text: Detail::new(text).unwrap(),
        at,
    };
    let banner: BTreeMap<_, _> = ids
        .iter()
        .map(|id| (id.parse().unwrap(), banner.clone()))
        .collect();
    for location in locations() {
        let banners = Banners {
            tick: at,
            by_monitor: banner.clone(),
        };
        assert!(store.put_banners(GROUP, &location, None, &banners).await.unwrap());
    }
}

pub(crate) fn finding() -> Option<Finding> {
    Some(Finding {
        cause: Cause::Failed(FailureClass::Refused),
        detail: Detail::new("secret-detail </svg><script>alert(1)</script> \" ' & ]]>"),
    })
}

pub(crate) fn incident(since: &str) -> Incident {
    Incident {
        diagnosis: Some(Diagnosis {
            layer: Layer::Port,
            evidence: None,
        }),
        finding: finding(),
        ..down_since(tick(since))
    }
}

pub(crate) async fn open<T: Table>(store: &Store<T>, id: &str, track: Track, since: &str) {
    let row = DecisionState {
        revision: 1,
        incidents: BTreeMap::from([((id.parse().unwrap(), track), incident(since))]),
        ..DecisionState::default()
    };
    store.put_decision(GROUP, &row).await.unwrap();
}

pub(crate) async fn file<T: Table>(store: &Store<T>, id: &str, since: &str, closed: &str) {
    let closed = ClosedIncident {
        monitor: id.parse().unwrap(),
        track: Track::Health,
        incident: incident(since),
        closed: tick(closed),
        ending: Ending::Recovered,
    };
    store.file_incident(&closed).await.unwrap();
}
