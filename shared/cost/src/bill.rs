//! Quantities times prices, line by line.

use serde::Serialize;

use crate::capacity::Capacity;
use crate::prices::{Item, Price, Prices};
use crate::quantities::{Architecture, Deployment, Quantities};

/// What one item comes to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// What it is.
    pub item: Item,
    /// What it is, in words.
    pub what: &'static str,
    /// How much of it.
    pub quantity: f64,
    /// Of what.
    pub unit: String,
    /// What `per` units cost, in US dollars.
    pub price: f64,
    /// How many units that buys.
    pub per: f64,
    /// How many units are free a month.
    pub free: f64,
    /// What it costs without them, in US dollars.
    pub usd: f64,
    /// What it costs beyond them, in US dollars.
    pub usd_beyond_free: f64,
}

/// What it all comes to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bill {
    /// Item by item.
    pub lines: Vec<Line>,
    /// The sum without anything free, in US dollars.
    pub usd: f64,
    /// The sum when nothing else in the account uses up what is free, in US dollars.
    pub usd_beyond_free: f64,
}

/// The bill for these quantities, at these prices and `sms_usd` for an SMS.
pub fn bill(deployment: &Deployment<'_>, quantities: &Quantities, prices: &Prices, sms_usd: f64) -> Bill {
    let q = quantities;
    let mut items = Vec::new();
    match deployment.capacity {
        Capacity::OnDemand => items.extend([
            (Item::DynamodbWrites, "DynamoDB, written", q.write_units),
            (Item::DynamodbReads, "DynamoDB, read", q.read_units),
        ]),
        Capacity::AlwaysFree => items.extend([
            (
                Item::DynamodbWriteCapacity,
                "DynamoDB, to write",
                q.capacity_hours,
            ),
            (Item::DynamodbReadCapacity, "DynamoDB, to read", q.capacity_hours),
        ]),
    }
    let time = match deployment.architecture {
        Architecture::Arm64 => (Item::LambdaArm64, "Lambda, time on arm64", q.gb_seconds),
        Architecture::X86 => (Item::LambdaX86, "Lambda, time on x86_64", q.gb_seconds),
    };
    items.extend([
        (Item::DynamodbStorage, "DynamoDB, kept", q.storage_gb),
        (Item::DynamodbRecovery, "DynamoDB, recovery", q.recovery_gb),
        (Item::LambdaRequests, "Lambda, invocations", q.invocations),
        time,
        (Item::ScheduledRules, "EventBridge, schedule", q.ticks),
        (Item::Logs, "CloudWatch, logs", q.log_gb),
        (Item::Alarms, "CloudWatch, alarms", q.alarms),
        (Item::Publishes, "SNS, published", q.publishes),
        (Item::Emails, "SNS, by email", q.emails),
        (Item::HttpsDeliveries, "SNS, by HTTPS", q.https),
        (Item::Transfer, "between regions", q.transfer_gb),
    ]);
    if q.internet_gb > 0.0 {
        items.push((Item::Internet, "to the internet", q.internet_gb));
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
        lines.push(line(Item::Sms, "SNS, by SMS", q.sms, &price));
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
