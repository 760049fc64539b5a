//! Prices, from the one data file that says where and when each was read.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// What AWS charges for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// DynamoDB on demand: write request units.
    DynamodbWrites,
    /// DynamoDB on demand: read request units.
    DynamodbReads,
    /// DynamoDB provisioned: write capacity unit-hours.
    DynamodbWriteCapacity,
    /// DynamoDB provisioned: read capacity unit-hours.
    DynamodbReadCapacity,
    /// What the table holds.
    DynamodbStorage,
    /// Point-in-time recovery of what the table holds.
    DynamodbRecovery,
    /// Invocations.
    LambdaRequests,
    /// Time on Graviton, by memory.
    LambdaArm64,
    /// Time on x86, by memory.
    #[serde(rename = "lambda_x86_64")]
    LambdaX86,
    /// CloudWatch logs, as they come in.
    Logs,
    /// CloudWatch alarms of standard resolution.
    Alarms,
    /// SNS: what is published.
    Publishes,
    /// SNS: what goes out by email.
    Emails,
    /// SNS: what goes out by HTTPS.
    HttpsDeliveries,
    /// EventBridge: what rules fire on a schedule.
    ScheduledRules,
    /// What goes from one region to another.
    Transfer,
    /// What goes to the internet.
    Internet,
    /// Route 53 health checks of endpoints in AWS.
    HealthChecksAws,
    /// Route 53 health checks of endpoints elsewhere.
    HealthChecksElsewhere,
    /// SNS: what goes out by SMS. Its price is that of a country, and in no file.
    Sms,
    /// Each option (HTTPS, a text, 10 seconds, latency) of a health check of an endpoint in AWS.
    FeaturesAws,
    /// The same elsewhere.
    FeaturesElsewhere,
}

/// What one item costs.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// US dollars for `per` units.
    pub usd: f64,
    /// How many units that buys.
    pub per: f64,
    /// What a unit is.
    pub unit: String,
    /// Units a month that an account never pays for; they are for all that it does.
    pub free: f64,
    /// The region whose price it is, or `global`.
    pub region: String,
    /// Where it was read.
    pub source: String,
}

impl Price {
    /// US dollars for so many units, none of them free.
    pub fn of(&self, quantity: f64) -> f64 {
        quantity / self.per * self.usd
    }

    /// US dollars for so many units, when nothing else in the account uses up the free ones.
    pub fn beyond_free(&self, quantity: f64) -> f64 {
        self.of((quantity - self.free).max(0.0))
    }
}

/// The price of every [`Item`], and when they were read.
#[derive(Debug, Clone, PartialEq)]
pub struct Prices {
    date: String,
    prices: BTreeMap<Item, Price>,
}

/// A file of prices that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPrices {
    /// It has another form.
    #[error("the prices cannot be read")]
    Form(#[source] serde_json::Error),
    /// A price makes no sense.
    #[error("the price of {0:?} makes no sense: `usd` and `free` are not below 0, and `per` is above it")]
    Value(Item),
    /// It is in another currency.
    #[error("the prices are in {0}: write them in USD")]
    Currency(String),
    /// An item has no price.
    #[error("{0:?} has no price: add it")]
    Missing(Item),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPrices {
    date: String,
    currency: String,
    prices: BTreeMap<Item, Price>,
}

#[expect(
    clippy::expect_used,
    reason = "the file is compiled in, and a test reads all of it"
)]
static CURRENT: LazyLock<Prices> = LazyLock::new(|| {
    Prices::parse(include_str!("../../../infra/prices.json")).expect("infra/prices.json is well formed")
});

impl Item {
    /// All that a file of prices prices.
    pub const ALL: [Self; 21] = [
        Self::DynamodbWrites,
        Self::DynamodbReads,
        Self::DynamodbWriteCapacity,
        Self::DynamodbReadCapacity,
        Self::DynamodbStorage,
        Self::DynamodbRecovery,
        Self::LambdaRequests,
        Self::LambdaArm64,
        Self::LambdaX86,
        Self::Logs,
        Self::Alarms,
        Self::Publishes,
        Self::Emails,
        Self::HttpsDeliveries,
        Self::ScheduledRules,
        Self::Transfer,
        Self::Internet,
        Self::HealthChecksAws,
        Self::HealthChecksElsewhere,
        Self::FeaturesAws,
        Self::FeaturesElsewhere,
    ];
}

impl Prices {
    /// Those of `infra/prices.json`.
    pub fn current() -> &'static Self {
        &CURRENT
    }

    /// Reads a file of prices.
    ///
    /// # Errors
    /// When it has another form, a price makes no sense, or an item has none.
    pub fn parse(text: &str) -> Result<Self, InvalidPrices> {
        let raw: RawPrices = serde_json::from_str(text).map_err(InvalidPrices::Form)?;
        if raw.currency != "USD" {
            return Err(InvalidPrices::Currency(raw.currency));
        }
        for item in Item::ALL {
            let price = raw.prices.get(&item).ok_or(InvalidPrices::Missing(item))?;
            if price.usd < 0.0 || price.per <= 0.0 || price.free < 0.0 {
                return Err(InvalidPrices::Value(item));
            }
        }
        let RawPrices { date, prices, .. } = raw;
        Ok(Self { date, prices })
    }

    /// When they were read, as `2026-11-22`.
    pub fn date(&self) -> &str {
        &self.date
    }

    /// What an item costs.
    pub fn of(&self, item: Item) -> &Price {
        // Reading has seen to every item.
        static NOTHING: LazyLock<Price> = LazyLock::new(|| Price {
            usd: 0.0,
            per: 1.0,
            unit: String::new(),
            free: 0.0,
            region: String::new(),
            source: String::new(),
        });
        self.prices.get(&item).unwrap_or(&NOTHING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> serde_json::Value {
        serde_json::from_str(include_str!("../../../infra/prices.json")).unwrap()
    }

    #[test]
    fn the_file_in_the_tree_prices_everything_and_says_where_it_was_read() {
        let prices = Prices::current();
        assert_eq!(file()["prices"].as_object().unwrap().len(), Item::ALL.len());
        for item in Item::ALL {
            let price = prices.of(item);
            assert!(price.source.starts_with("https://aws.amazon.com/"), "{item:?}");
            assert!(!price.region.is_empty() && !price.unit.is_empty(), "{item:?}");
        }
    }

    #[test]
    fn a_file_that_lacks_something_is_refused() {
        let refused = |change: &dyn Fn(&mut serde_json::Value)| {
            let mut file = file();
            change(&mut file);
            Prices::parse(&file.to_string()).unwrap_err().to_string()
        };
        let removed = refused(&|file| drop(file["prices"].as_object_mut().unwrap().remove("logs")));
        assert_eq!(removed, "Logs has no price: add it");
        let foreign = refused(&|file| file["currency"] = "EUR".into());
        assert_eq!(foreign, "the prices are in EUR: write them in USD");
        let negative = refused(&|file| file["prices"]["logs"]["per"] = 0.into());
        assert!(
            negative.starts_with("the price of Logs makes no sense"),
            "{negative}"
        );
        let unknown = refused(&|file| file["prices"]["logs"]["currency"] = "EUR".into());
        assert_eq!(unknown, "the prices cannot be read");
    }

    #[test]
    fn what_is_free_is_taken_off_once() {
        let alarms = Prices::current().of(Item::Alarms);
        for (alarms_in_use, with, without) in [(6.0, 0.0, 0.6), (10.0, 0.0, 1.0), (34.0, 2.4, 3.4)] {
            assert!(
                (alarms.of(alarms_in_use) - without).abs() < 1e-9,
                "{alarms_in_use}"
            );
            assert!(
                (alarms.beyond_free(alarms_in_use) - with).abs() < 1e-9,
                "{alarms_in_use}"
            );
        }
    }
}
