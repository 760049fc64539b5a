//! Memory use of the program as Lambda runs it, including the AWS client, for 1,000 monitors.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use portpulse_core::choice::Expect;
use portpulse_core::group::GroupId;
use portpulse_core::group_state::LocationState;
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::observation::{Remark, Seen};
use portpulse_core::other_phases::OtherPhases;
use portpulse_core::period::{Grain, Period};
use portpulse_core::rollup::{Rollup, Tally};
use portpulse_core::time::{Interval, Tick};
use portpulse_store::Store;
use portpulse_testkit::embedded::EmbeddedDynamo;
use serde_json::json;

use crate::{Serving, UNREACHABLE_URL, body, overview};

const SHARDS: u32 = 3;
const MONITORS: u32 = 1_000;
const LOCATIONS: [&str; 3] = ["ap-northeast-1", "eu-west-1", "us-east-1"];

fn group(shard: u32) -> GroupId {
    GroupId {
        interval: Interval::OneMinute,
        shard,
    }
}

/// A tally of good checks with connect times of 10 to 40 ms.
fn tally(checks: u64) -> Tally {
    let mut tally = Tally::default();
    for number in 0..checks {
        let seen = Seen::Open {
            connect: Duration::from_micros(10_000 + number * 7_919 % 30_000),
            others: OtherPhases::default(),
            remark: Remark::None,
        };
        tally.count(Expect::Open, seen);
    }
    tally
}

/// Writes 1,000 monitors with 90 days of history from three locations.
async fn fleet(dynamo: &EmbeddedDynamo) {
    let store = Store::new(dynamo.table());
    let now = Timestamp::now();
    let definition = json!({ "host": "db.example.com", "port": 5432, "interval": "1m", "tags": ["shop"] });
    for shard in 0..SHARDS {
        let group = group(shard);
        let numbers = (0..MONITORS).filter(|number| number % SHARDS == shard);
        let ids: Vec<MonitorId> = numbers
            .map(|number| {
                format!("{:x<64}", format!("orders-{number:04}-"))
                    .parse()
                    .unwrap()
            })
            .collect();
        for id in &ids {
            let put = store.put_definition(group, id.as_str(), definition.as_object().unwrap());
            put.await.unwrap();
        }
        let row = LocationState {
            tick: Tick::containing(now, Interval::OneMinute),
            entries: BTreeMap::new(),
        };
        for location in LOCATIONS {
            let location = location.parse().unwrap();
            store
                .put_location_state(group, &location, None, &row)
                .await
                .unwrap();
        }
        for (grain, count, checks) in [(Grain::Hour, 23, 60), (Grain::Day, 89, 1_440)] {
            let tally = tally(checks);
            let rollup: Rollup = ids.iter().map(|id| (id.clone(), tally.clone())).collect();
            let running = Period::containing(now, grain);
            for location in LOCATIONS {
                let location: Location = location.parse().unwrap();
                for back in 1..=count {
                    let put = store.put_summary(group, running.later(-back), &location, &rollup);
                    put.await.unwrap();
                }
            }
        }
    }
}

#[tokio::test]
#[ignore = "writes seventy megabytes of history: .ci/run runs it"]
async fn thousand_monitors_fit_128_mb() {
    let dynamo = EmbeddedDynamo::start().await.unwrap();
    fleet(&dynamo).await;
    for access in ["public", "private"] {
        let environment = [
            ("PORTPULSE_STATUS_ACCESS", access),
            ("PORTPULSE_GROUPS", "1m#0,1m#1,1m#2"),
            ("PORTPULSE_LOCATIONS", "ap-northeast-1,eu-west-1,us-east-1"),
        ];
        let mut function = Serving::start(&dynamo.endpoint_url(), UNREACHABLE_URL, &environment).await;
        for path in ["/", "/incidents", "/api/monitors", "/metrics"] {
            let mut event = match access {
                "private" => portpulse_testkit::event::sample("status-signed.json"),
                _ => overview(),
            };
            event["rawPath"] = path.into();
            event["rawQueryString"] = "".into();
            let answer = function.invoke(&event).await;
            assert_eq!(answer["statusCode"], 200, "{path}");
            assert!(!body(&answer).is_empty());
        }
        let peak = function.0.peak_memory().unwrap();
        assert!(peak < 110_000_000, "{access}: {peak} bytes");
    }
}
