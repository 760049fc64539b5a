//! The targets of a probe.

use std::collections::BTreeMap;

use crate::address::Address;
use crate::note::Note;
use crate::source_fields::{SourceFields, text_of};

/// A target of a probe.
pub(super) struct Target {
    pub(super) name: String,
    pub(super) ip: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) url: Option<String>,
    pub(super) labels: BTreeMap<String, String>,
}

/// The static targets of a probe, `item`: host names and endpoints.
pub(super) fn targets_of(targets: &mut SourceFields, item: &str, notes: &mut Vec<Note>) -> Vec<Target> {
    let mut found = Vec::new();
    for host in targets.text("host_names").unwrap_or_default().split(',') {
        let host = host.trim();
        let Some(address) = Address::parse(host) else {
            continue;
        };
        found.push(Target {
            name: address.shown(host),
            ip: None,
            port: address.port,
            url: host.contains("://").then(|| host.to_owned()),
            labels: BTreeMap::new(),
        });
    }
    for mut endpoint in maps(targets, "endpoint") {
        let url = endpoint.text("url");
        let shown = url.as_ref().and_then(|url| Some(Address::parse(url)?.shown(url)));
        let Some(name) = endpoint.text("name").or(shown) else {
            continue;
        };
        let mut labels = BTreeMap::new();
        for mut label in endpoint.maps("labels") {
            if let (Some(key), Some(value)) = (label.text("key"), label.text("value")) {
                labels.insert(key, value);
            }
            label.note_unused(item, "targets.endpoint.labels.", &[], notes);
        }
        if let Some(map) = endpoint.map("labels") {
            let is_entry = map.has("key") && map.has("value");
            let mut map = map;
            match (is_entry, map.text("key"), map.text("value")) {
                (true, Some(key), Some(value)) => drop(labels.insert(key, value)),
                _ => labels.extend(
                    map.into_entries()
                        .filter_map(|(key, value)| Some((key, text_of(&value)?))),
                ),
            }
        }
        found.push(Target {
            name,
            ip: endpoint.text("ip"),
            port: endpoint.number("port").and_then(port),
            url,
            labels,
        });
        endpoint.note_unused(item, "targets.endpoint.", &[], notes);
    }
    found
}

/// A port as a whole number.
pub(super) fn port(number: f64) -> Option<u16> {
    (1..=u16::MAX).find(|port| (f64::from(*port) - number).abs() < f64::EPSILON)
}

/// A repeated message, which may occur once.
pub(super) fn maps(fields: &mut SourceFields, name: &str) -> Vec<SourceFields> {
    match fields.map(name) {
        Some(single) => vec![single],
        None => fields.maps(name),
    }
}
