use std::fs;
use std::path::Path;

use serde_json::{Map, json};

use super::*;
use portpulse_core::definition::NetworkAccess;

#[test]
fn alarms_per_region_match_terraform() {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/modules/checker");
    let mut alarms = 0;
    for entry in fs::read_dir(module).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "tf") {
            let text = fs::read_to_string(path).unwrap();
            alarms += text.matches("resource \"aws_cloudwatch_metric_alarm\"").count();
        }
    }
    assert_eq!(u32::try_from(alarms), Ok(ALARMS_PER_REGION));
}

#[test]
fn relay_and_page_match_terraform() {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/modules");
    let read = |name: &str| fs::read_to_string(modules.join(name)).unwrap();
    let relay = read("relay/main.tf");
    assert!(relay.contains(&format!("memory_mb = {RELAY_MEMORY_MB},")));
    let alarms = relay.matches("resource \"aws_cloudwatch_metric_alarm\"").count();
    assert_eq!(f64::from(u32::try_from(alarms).unwrap()), ALARMS_OF_RELAY);
    let page = read("status/variables.tf");
    assert!(page.contains(&format!("optional(number, {PAGE_MEMORY_MB})")));
}

fn quantities(monitors: &Map<String, serde_json::Value>, locations: &[&str], home: &str) -> Quantities {
    with(monitors, locations, home, &Assumptions::default())
}

fn with(
    monitors: &Map<String, serde_json::Value>,
    locations: &[&str],
    home: &str,
    assumptions: &Assumptions,
) -> Quantities {
    let file =
        DefinitionFile::validate(&json!({ "monitors": monitors }), NetworkAccess::PlainLambda).unwrap();
    let deployment = Deployment {
        file: &file,
        home: &home.parse().unwrap(),
        locations: &locations.iter().map(|name| name.parse().unwrap()).collect(),
        capacity: Capacity::OnDemand,
        architecture: Architecture::Arm64,
        memory_mb: 128,
        recovery: true,
    };
    Quantities::of(&deployment, assumptions)
}

fn every(interval: &str, monitors: usize) -> Map<String, serde_json::Value> {
    let monitor = |number| {
        let fields = json!({ "host": "192.0.2.1", "port": 1, "interval": interval });
        (format!("{interval}-{number}"), fields)
    };
    (0..monitors).map(monitor).collect()
}

#[test]
fn ticks_count_every_group_and_location() {
    let mut monitors = every("1m", 3);
    monitors.extend(every("1h", 1));
    let found = quantities(&monitors, &["eu-west-1", "us-east-1"], "eu-west-1");
    assert!((found.ticks - 2.0 * (43_800.0 + 730.0)).abs() < 1e-6, "{found:?}");
    // 128 MB for one second are 1/8 GB-second.
    assert!((found.gb_seconds - found.ticks / 8.0).abs() < 1e-6, "{found:?}");
    assert!(
        (found.peak.write_units - 13.0).abs() < 1e-6,
        "four ticks of two writes, two rollups an hourly group and location, and one of the others: {found:?}"
    );
}

#[test]
fn peak_minute_counts_each_of_its_ticks() {
    let peak = |interval| quantities(&every(interval, 1), &["eu-west-1"], "eu-west-1").peak;
    for (interval, ticks) in [("5m", 1.0), ("1m", 1.0), ("30s", 2.0), ("20s", 3.0), ("15s", 4.0)] {
        let writes = peak(interval).write_units;
        // Two of a tick, and one of the rollup of the hour.
        assert!(
            (writes - (2.0 * ticks + 1.0)).abs() < 1e-6,
            "{interval}: {writes}"
        );
    }
}

#[test]
fn agent_costs_items_and_no_lambda() {
    let of = |with_agent: bool| {
        let mut monitors = every("1m", 2);
        monitors.extend(every("5m", 1));
        if with_agent {
            monitors["1m-0"]["locations"] = json!(["eu-west-1", "office"]);
        }
        let file = json!({ "monitors": monitors, "agents": ["office"] });
        let file = DefinitionFile::validate(&file, NetworkAccess::PlainLambda).unwrap();
        let mut locations = BTreeSet::from(["eu-west-1".parse().unwrap()]);
        locations.extend(with_agent.then(|| "office".parse().unwrap()));
        let deployment = Deployment {
            file: &file,
            home: &"eu-west-1".parse().unwrap(),
            locations: &locations,
            capacity: Capacity::OnDemand,
            architecture: Architecture::Arm64,
            memory_mb: 128,
            recovery: true,
        };
        Quantities::of(&deployment, &Assumptions::default())
    };
    let (regions, both) = (of(false), of(true));
    // Two write units a tick, and rollups; of the group every minute alone.
    assert!((both.ticks - regions.ticks - 43_800.0).abs() < 1e-6, "{both:?}");
    let written = both.write_units - regions.write_units;
    assert!((2.0 * 43_800.0..2.1 * 43_800.0).contains(&written), "{written}");
    assert!(both.read_units > regions.read_units && both.storage_gb > regions.storage_gb);
    let lambda = |found: &Quantities| (found.invocations, found.gb_seconds, found.log_gb, found.alarms);
    assert_eq!(lambda(&both), lambda(&regions));
    assert!(
        both.internet_gb > 0.1 && both.transfer_gb.abs() < 1e-12,
        "{both:?}"
    );
}

#[test]
fn destinations_sms_and_views_add_usage() {
    let monitors = every("1m", 10);
    let with = |assumptions| with(&monitors, &["eu-west-1"], "eu-west-1", &assumptions);
    let defaults = Assumptions::default();
    let bare = with(defaults);
    let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-6, "{found} {expected}");

    let notified = with(Assumptions {
        destinations: 3,
        sms: 2,
        ..defaults
    });
    near(notified.invocations - bare.invocations, 20.0);
    near(notified.alarms - bare.alarms, 2.0);
    near(notified.gb_seconds - bare.gb_seconds, 20.0 / 8.0);
    near(notified.write_units - bare.write_units, 10.0 * 3.0 * 4.0);
    near(notified.read_units - bare.read_units, 10.0 * 3.0 * 2.0);
    near(notified.sms, 40.0);
    near(notified.ticks, bare.ticks);

    let seen = with(Assumptions {
        views: 1_000,
        ..defaults
    });
    near(seen.invocations - bare.invocations, 1_000.0);
    near(seen.gb_seconds - bare.gb_seconds, 125.0);
    near(seen.internet_gb, 1_000.0 * 10.0 * 2_400.0 / BYTES_PER_GB);
    near(seen.write_units, bare.write_units);
    let view = (seen.read_units - bare.read_units) / 1_000.0;
    assert!((5.0..30.0).contains(&view), "{view}");
}

#[test]
fn home_region_has_no_data_transfer() {
    let monitors = every("5m", 2);
    let at_home = quantities(&monitors, &["eu-west-1"], "eu-west-1");
    assert!(at_home.transfer_gb.abs() < 1e-12, "{at_home:?}");
    let in_other_region = quantities(&monitors, &["us-east-1"], "eu-west-1");
    // 8,760 ticks with four requests of 1,500 bytes and one connection of 6,000 bytes, plus items and rollups.
    let least = 8_760.0 * 12_000.0 / BYTES_PER_GB;
    assert!(
        in_other_region.transfer_gb > least && in_other_region.transfer_gb < least * 1.3,
        "{in_other_region:?}"
    );
}

#[test]
fn disabled_or_other_location_monitors_store_no_results() {
    let mut monitors = every("1m", 40);
    let all = quantities(&monitors, &["eu-west-1"], "eu-west-1");
    for (number, (_, fields)) in monitors.iter_mut().enumerate() {
        let fields = fields.as_object_mut().unwrap();
        if number % 2 == 0 {
            fields.insert("enabled".to_owned(), json!(false));
        } else {
            fields.insert("locations".to_owned(), json!(["us-east-1"]));
        }
    }
    let none = quantities(&monitors, &["eu-west-1"], "eu-west-1");
    assert!(none.storage_gb < all.storage_gb / 2.0, "{none:?}");
    assert!(
        (none.ticks - all.ticks).abs() < 1e-9,
        "the groups still have ticks"
    );
    assert!(none.read_units >= all.read_units, "{none:?}");
}
