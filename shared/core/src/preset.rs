//! Presets: the default values of fields, for all monitors, for a tier and for a service.
//!
//! `infra/presets.json` repeats them for Terraform.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::choice::Tier;
use crate::service::Service;

/// Fields of a definition, named as in the file.
pub type Fields = Map<String, Value>;

/// The built-in defaults.
pub fn default() -> &'static Fields {
    static DEFAULT: LazyLock<Fields> = LazyLock::new(|| {
        fields(json!({
            "interval": "5m",
            "timeout": "5s",
            "expect": "open",
            "check": "connect",
            "failures_to_open": 1,
            "successes_to_close": 2,
            // As of `supporting`.
            "retries": 3,
            "retry_interval": "5s",
            "severity": "warning",
            "ip": "any",
            "close": "fin",
            "warn_days": 14,
            "flapping_after": 6,
        }))
    });
    &DEFAULT
}

/// The fields that a tier sets.
///
/// One failed check with its retries is enough for an incident, so that an outage is reported within one interval and a
/// minute. The retries decide what a blip is: `critical` ignores what heals within 4 s (a restarted process, a lost packet
/// with its retransmissions, a failover of a proxy) and still reports within some 65 s; `supporting` ignores 15 s (a
/// restarted database); `background` ignores 30 s (the gap in the service of a machine that restarts) and is a warning.
pub fn tier(tier: Tier) -> &'static Fields {
    static TIERS: LazyLock<[Fields; 3]> = LazyLock::new(|| {
        [
            ("1m", (2, "2s"), 2, "critical"),
            ("5m", (3, "5s"), 2, "warning"),
            ("15m", (3, "10s"), 1, "info"),
        ]
        .map(|(interval, (retries, retry_interval), successes, severity)| {
            fields(json!({
                "interval": interval,
                "failures_to_open": 1,
                "retries": retries,
                "retry_interval": retry_interval,
                "successes_to_close": successes,
                "severity": severity,
            }))
        })
    });
    let [critical, supporting, background] = &*TIERS;
    match tier {
        Tier::Critical => critical,
        Tier::Supporting => supporting,
        Tier::Background => background,
    }
}

/// The fields that a service sets.
pub fn service(service: Service) -> &'static Fields {
    static SERVICES: LazyLock<BTreeMap<Service, Fields>> = LazyLock::new(|| {
        let fields_of = |&service: &Service| {
            let mut preset = fields(json!({
                "port": service.port(),
                "timeout": service.timeout(),
                "check": "ready",
            }));
            if service.begins_with_tls() {
                preset.insert("tls".to_owned(), json!(true));
            }
            (service, preset)
        };
        Service::ALL.iter().map(fields_of).collect()
    });
    static NONE: LazyLock<Fields> = LazyLock::new(Fields::new);
    SERVICES.get(&service).unwrap_or(&NONE)
}

fn fields(value: Value) -> Fields {
    let Value::Object(fields) = value else {
        return Fields::new();
    };
    fields
}
