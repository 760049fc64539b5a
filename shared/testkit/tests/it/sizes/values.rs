//! The largest values within all limits.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use portpulse_core::by_phase::ByPhase;
use portpulse_core::control::{Acknowledgement, Control, MAX_TEXT_LENGTH, Note, Silence};
use portpulse_core::definition::{DefinitionFile, MAX_DEFINITION_BYTES, NetworkAccess};
use portpulse_core::diagnosis::FailurePoint;
use portpulse_core::group::{GroupId, MAX_LOCATIONS, MAX_MONITORS_PER_GROUP};
use portpulse_core::group_state::{
    Cause, CauseChange, ClosedIncident, Ending, Entry, Finding, Health, Impairment, Incident, LocationState,
    MAX_CAUSE_CHANGES, Notified, Stability, Status, Streak, Streaks, Track, Urgency,
};
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::observation::{Remark, Seen};
use portpulse_core::other_phases::OtherPhases;
use portpulse_core::outcome::{Detail, DnsFailure, FailureClass, Phase};
use portpulse_core::period::Period;
use portpulse_core::phase_times::{Bucket, PhaseTimes};
use portpulse_core::rollup::Tally;
use portpulse_core::time::Tick;
use serde_json::{Map, Value, json};

pub(super) fn group() -> GroupId {
    format!("1m#{}", u32::MAX).parse().unwrap()
}

pub(super) fn location(number: usize) -> Location {
    format!("{number:0>32}").parse().unwrap()
}

pub(super) fn monitor(number: usize) -> MonitorId {
    format!("{number:0>64}").parse().unwrap()
}

pub(super) fn of_all<V>(each: impl Fn(usize) -> V) -> BTreeMap<MonitorId, V> {
    (0..MAX_MONITORS_PER_GROUP)
        .map(|number| (monitor(number), each(number)))
        .collect()
}

pub(super) fn tick() -> Tick {
    "2026-11-22T05:41:00Z".parse().unwrap()
}

/// A time with the maximum number of digits.
pub(super) fn time() -> Timestamp {
    "2026-11-22T05:41:07.123456789Z".parse().unwrap()
}

pub(super) fn detail() -> Option<Detail> {
    let detail = Detail::new(&"x".repeat(1_000));
    assert_eq!(detail.as_ref().unwrap().as_str().len(), Detail::MAX_BYTES);
    detail
}

fn finding() -> Option<Finding> {
    let detail = detail();
    let cause = Cause::Failed("dns_server_failure".parse().unwrap());
    Some(Finding { cause, detail })
}

const CLASSES: [&str; 17] = [
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
    "service_error",
    "no_backend",
    "wrong_service",
    "wrong_answer",
];

pub(super) fn seen_of_max_length() -> Seen {
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
pub(super) fn failing_tally(checks: u32) -> Tally {
    let causes = CLASSES.map(|code| (Cause::Failed(code.parse::<FailureClass>().unwrap()), 1));
    let good = checks - u32::try_from(causes.len()).unwrap() - 1;
    Tally {
        good,
        retried: good,
        failing: causes.into(),
        no_data: 1,
        total: wide(good),
        phases: ByPhase::default(),
    }
}

/// A tally of `checks` good checks, with times of each phase.
pub(super) fn good_tally(checks: u32) -> Tally {
    Tally {
        good: checks,
        retried: checks,
        total: wide(checks),
        phases: ByPhase::<()>::default().map(|()| wide(checks)),
        ..Tally::default()
    }
}

pub(super) fn hour() -> Period {
    "2026-11-22T05".parse().unwrap()
}

pub(super) fn day() -> Period {
    "2026-11-22".parse().unwrap()
}

fn note() -> Note {
    let text = "x".repeat(MAX_TEXT_LENGTH);
    Note::new(&text, time(), Some(&text)).unwrap()
}

fn incident() -> Incident {
    let change = CauseChange {
        at: tick(),
        before: Cause::Failed(FailureClass::Dns(DnsFailure::ServerFailure)),
    };
    Incident {
        cluster: None,
        cause_changes: vec![change; MAX_CAUSE_CHANGES],
        flapped_until: Some(tick()),
        diagnosis: None,
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

pub(super) fn closed_incident() -> ClosedIncident {
    ClosedIncident {
        monitor: monitor(0),
        track: Track::Quality,
        incident: incident(),
        closed: tick(),
        ending: Ending::Recovered,
    }
}

pub(super) fn control() -> Control {
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
pub(super) fn definition() -> Map<String, Value> {
    let plain = json!({ "host": "192.0.2.1", "port": 7, "interval": "30m" });
    let mut monitors: Map<_, _> = (1..=50)
        .map(|number| (monitor(number).to_string(), plain.clone()))
        .collect();
    let parents: Vec<_> = monitors.keys().cloned().collect();
    let mut own = json!({
        "host": "192.0.2.1",
        "port": 7,
        "tags": (0..50).map(|number| format!("{number:0>64}")).collect::<Vec<_>>(),
        "locations": (0..MAX_LOCATIONS).map(location).collect::<Vec<_>>(),
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
        let file = json!({
            "agents": (0..MAX_LOCATIONS).map(location).collect::<Vec<_>>(),
            "monitors": monitors,
            "maintenance": vec![window.clone(); 100],
        });
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

pub(super) fn location_state() -> LocationState {
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
            point: Some(FailurePoint {
                phase: Phase::Connect,
                address: Some([0xffff; 8].into()),
            }),
        })
    };
    LocationState {
        tick: tick(),
        entries: of_all(entry),
    }
}
