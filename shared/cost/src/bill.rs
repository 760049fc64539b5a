//! The bill: quantities times prices.

use serde::Serialize;

use crate::capacity::Capacity;
use crate::prices::{Item, Price, Prices};
use crate::quantities::{Architecture, Deployment, Quantities};

/// A line of the bill.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// The item.
    pub item: Item,
    /// The label for people.
    pub what: &'static str,
    /// The quantity.
    pub quantity: f64,
    /// The unit of the quantity.
    pub unit: String,
    /// The price of `per` units, in US dollars.
    pub price: f64,
    /// The number of units that `price` buys.
    pub per: f64,
    /// The free units per month.
    pub free: f64,
    /// The costs without free units, in US dollars.
    pub usd: f64,
    /// The costs beyond the free units, in US dollars.
    pub usd_beyond_free: f64,
}

/// The estimated monthly bill.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bill {
    /// One line per item.
    pub lines: Vec<Line>,
    /// The total without free units, in US dollars.
    pub usd: f64,
    /// The total beyond the free units, in US dollars, if nothing else in the account uses them.
    pub usd_beyond_free: f64,
}

/// Computes the bill. `sms_usd` is the price of an SMS in US dollars.
pub fn bill(deployment: &Deployment<'_>, quantities: &Quantities, prices: &Prices, sms_usd: f64) -> Bill {
    let q = quantities;
    let mut items = Vec::new();
    match deployment.capacity {
        Capacity::OnDemand => items.extend([
            (Item::DynamodbWrites, "DynamoDB writes", q.write_units),
            (Item::DynamodbReads, "DynamoDB reads", q.read_units),
        ]),
        Capacity::AlwaysFree => items.extend([
            (
                Item::DynamodbWriteCapacity,
                "DynamoDB write units",
                q.capacity_hours,
            ),
            (
                Item::DynamodbReadCapacity,
                "DynamoDB read units",
                q.capacity_hours,
            ),
        ]),
    }
    let time = match deployment.architecture {
        Architecture::Arm64 => (Item::LambdaArm64, "Lambda time (arm64)", q.gb_seconds),
        Architecture::X86 => (Item::LambdaX86, "Lambda time (x86_64)", q.gb_seconds),
    };
    items.extend([
        (Item::DynamodbStorage, "DynamoDB storage", q.storage_gb),
        (Item::DynamodbRecovery, "DynamoDB recovery", q.recovery_gb),
        (Item::LambdaRequests, "Lambda invocations", q.invocations),
        time,
        (Item::ScheduledRules, "EventBridge schedules", q.ticks),
        (Item::Logs, "CloudWatch logs", q.log_gb),
        (Item::Alarms, "CloudWatch alarms", q.alarms),
        (Item::Publishes, "SNS publishes", q.publishes),
        (Item::Emails, "SNS email", q.emails),
        (Item::HttpsDeliveries, "SNS HTTPS", q.https),
        (Item::Transfer, "Data between regions", q.transfer_gb),
    ]);
    if q.internet_gb > 0.0 {
        items.push((Item::Internet, "Data to internet", q.internet_gb));
    }
    let mut lines: Vec<_> = items
        .into_iter()
        .map(|(item, what, quantity)| line(item, what, quantity, prices.of(item)))
        .collect();
    if q.sms > 0.0 {
        let price = Price {
            usd: sms_usd,
            per: 1.0,
            unit: "messages".to_owned(),
            free: 0.0,
            region: String::new(),
            source: String::new(),
        };
        lines.push(line(Item::Sms, "SNS SMS", q.sms, &price));
    }
    Bill {
        usd: lines.iter().map(|line| line.usd).sum(),
        usd_beyond_free: lines.iter().map(|line| line.usd_beyond_free).sum(),
        lines,
    }
}

fn line(item: Item, what: &'static str, quantity: f64, price: &Price) -> Line {
    Line {
        item,
        what,
        quantity,
        unit: price.unit.clone(),
        price: price.usd,
        per: price.per,
        free: price.free,
        usd: price.of(quantity),
        usd_beyond_free: price.beyond_free(quantity),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use portpulse_core::definition::{DefinitionFile, NetworkAccess};
    use serde_json::json;

    use super::*;
    use crate::quantities::Assumptions;

    #[test]
    fn capacity_and_architecture_choose_their_items() {
        let monitors = json!({ "monitors": { "db": { "host": "192.0.2.1", "port": 5432 } } });
        let file = DefinitionFile::validate(&monitors, NetworkAccess::PlainLambda).unwrap();
        let home = "eu-west-1".parse().unwrap();
        let items = |capacity, architecture| -> BTreeSet<_> {
            let deployment = Deployment {
                file: &file,
                home: &home,
                locations: &["eu-west-1".parse().unwrap()].into(),
                capacity,
                architecture,
                memory_mb: 128,
                recovery: true,
            };
            let quantities = Quantities::of(&deployment, &Assumptions::default());
            let bill = bill(&deployment, &quantities, Prices::current(), 0.05);
            assert!(bill.lines.iter().any(|line| line.item == Item::DynamodbStorage));
            bill.lines.iter().map(|line| line.item).collect()
        };
        let (base, free) = (Capacity::OnDemand, Capacity::AlwaysFree);
        let of_base = items(base, Architecture::Arm64);
        for (other, without, with) in [
            (
                items(base, Architecture::X86),
                vec![Item::LambdaArm64],
                vec![Item::LambdaX86],
            ),
            (
                items(free, Architecture::Arm64),
                vec![Item::DynamodbWrites, Item::DynamodbReads],
                vec![Item::DynamodbWriteCapacity, Item::DynamodbReadCapacity],
            ),
        ] {
            assert_eq!(of_base.difference(&other).copied().collect::<Vec<_>>(), without);
            assert_eq!(other.difference(&of_base).copied().collect::<Vec<_>>(), with);
        }
    }

    #[test]
    fn time_on_each_architecture_has_its_price() {
        let prices = Prices::current();
        // https://aws.amazon.com/lambda/pricing/: the first tier in us-east-1.
        for (item, usd) in [(Item::LambdaArm64, 13.33), (Item::LambdaX86, 16.67)] {
            assert!((prices.of(item).of(1e6) - usd).abs() < 0.01, "{item:?}");
        }
    }
}
