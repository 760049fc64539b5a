//! Strategies for items of every kind, for property tests.

mod incidents;
mod parts;

use std::collections::BTreeMap;
use std::time::Duration;

use portpulse_core::banners::{Banner, Banners};
use portpulse_core::choice::Expect;
use portpulse_core::control::{Acknowledgement, Control, Note, Silence};
use portpulse_core::observation::{Observation, Remark, Seen};
use portpulse_core::other_phases::OtherPhases;
use portpulse_core::outcome::{Detail, NoData};
use portpulse_core::rollup::{Rollup, Tally};
use portpulse_core::round::Observations;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

pub(super) use incidents::{
    closed_incident, decision_state, fleet_state, home_failures, home_loss, location_state,
};
use parts::{class, monitor, tick, time};

/// A quarter of a day at most, so that the total of four phases can be decoded.
fn length() -> impl Strategy<Value = Duration> {
    (0u64..2_160_000_000).prop_map(|hundredths| Duration::from_micros(hundredths * 10))
}

fn others() -> impl Strategy<Value = OtherPhases<Option<Duration>>> {
    let phase = || option::of(length());
    (phase(), phase(), phase()).prop_map(|(dns, tls, ready)| OtherPhases { dns, tls, ready })
}

fn seen() -> impl Strategy<Value = Seen> {
    let remarks = select(vec![
        Remark::None,
        Remark::Retransmitted,
        Remark::Starved,
        Remark::Warning,
        Remark::Certificate,
    ]);
    let reasons = select(vec![
        NoData::OutOfTime,
        NoData::OutOfResources,
        NoData::NoRoute,
        NoData::ResolverDown,
        NoData::OwnAddress,
        NoData::SecretUnreadable,
        NoData::NotPermitted,
        NoData::Internal,
    ]);
    prop_oneof![
        (length(), others(), remarks).prop_map(|(connect, others, remark)| Seen::Open {
            connect,
            others,
            remark
        }),
        class().prop_map(Seen::Failed),
        reasons.prop_map(Seen::NoData),
    ]
}

fn observation() -> impl Strategy<Value = Observation> {
    (seen(), 0u32..12).prop_map(|(seen, retries)| Observation {
        retries,
        ..Observation::from(seen)
    })
}

pub(super) fn observations() -> impl Strategy<Value = Observations> {
    btree_map(monitor(), observation(), 0..20)
}

pub(super) fn rollup() -> impl Strategy<Value = Rollup> {
    let tally = (vec(observation(), 0..60), select(Expect::ALL));
    let tally = tally.prop_map(|(all, expect)| {
        let mut tally = Tally::default();
        for observation in all {
            tally.count_observation(expect, &observation);
        }
        tally
    });
    btree_map(monitor(), tally, 0..10)
}

pub(super) fn banners() -> impl Strategy<Value = Banners> {
    let text = ".{0,80}".prop_filter_map("blank", |text| Detail::new(&text));
    let banner = (text, option::of(tick()));
    (tick(), btree_map(monitor(), banner, 0..10)).prop_map(|(tick, banners)| {
        let banners = banners.into_iter().map(|(id, (text, at))| {
            let at = at.unwrap_or(tick);
            (id, Banner { text, at })
        });
        Banners {
            tick,
            by_monitor: banners.collect(),
        }
    })
}

pub(super) fn control() -> impl Strategy<Value = Control> {
    let silence = (time(), note()).prop_map(|(until, note)| Silence { until, note });
    let incidents = btree_set(".{0,40}", 0..4);
    let ack = (incidents, note()).prop_map(|(incidents, note)| Acknowledgement { incidents, note });
    let parts = (any::<u64>(), option::of(silence), option::of(ack));
    parts.prop_map(|(revision, silence, acknowledgement)| Control {
        revision,
        silence,
        acknowledgement,
    })
}

fn note() -> impl Strategy<Value = Note> {
    let text = "[^\\p{C}\\p{Zl}\\p{Zp}]{0,20}x[^\\p{C}\\p{Zl}\\p{Zp}]{0,20}";
    (text, time(), option::of(text)).prop_map(|(by, at, why)| Note::new(&by, at, why.as_deref()).unwrap())
}

/// Attributes of valid definitions, as a user may write them.
pub(super) fn attributes() -> impl Strategy<Value = BTreeMap<&'static str, serde_json::Value>> {
    use serde_json::json;
    let optional = |name: &'static str, values: Vec<serde_json::Value>| {
        option::of(select(values)).prop_map(move |value| value.map(|value| (name, value)))
    };
    let parts = (
        1u16..,
        optional("tags", vec![json!([]), json!(["prod", "eu"])]),
        optional("timeout", vec![json!("500ms"), json!("5s")]),
        optional("enabled", vec![json!(true), json!(false)]),
        optional("runbook", vec![json!("https://wiki.example.com/db")]),
    );
    parts.prop_map(|(port, tags, timeout, enabled, runbook)| {
        let own = [
            ("host", json!("db.example.com")),
            ("port", json!(port)),
            ("interval", json!("1m")),
        ];
        let others = [tags, timeout, enabled, runbook].into_iter().flatten();
        own.into_iter().chain(others).collect()
    })
}
