//! Prices from `infra/prices.json`, which records the date and source of each price.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// A billed item.
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
    /// DynamoDB storage.
    DynamodbStorage,
    /// DynamoDB point-in-time recovery.
    DynamodbRecovery,
    /// Lambda invocations.
    LambdaRequests,
    /// Lambda time on Graviton, by memory.
    LambdaArm64,
    /// Lambda time on x86, by memory.
    #[serde(rename = "lambda_x86_64")]
    LambdaX86,
    /// CloudWatch log ingestion.
    Logs,
    /// CloudWatch alarms of standard resolution.
    Alarms,
    /// SNS publish requests.
    Publishes,
    /// SNS deliveries by email.
    Emails,
    /// SNS deliveries by HTTPS.
    HttpsDeliveries,
    /// EventBridge scheduled events.
    ScheduledRules,
    /// Data transfer between regions.
    Transfer,
    /// Data transfer to the internet.
    Internet,
    /// Route 53 health checks of endpoints in AWS.
    HealthChecksAws,
    /// Route 53 health checks of endpoints outside AWS.
    HealthChecksElsewhere,
    /// SNS deliveries by SMS. The price depends on the country and is not in the price file.
    Sms,
    /// An option (HTTPS, string matching, 10-second interval, latency) of a health check of an endpoint in AWS.
    FeaturesAws,
    /// An option of a health check of an endpoint outside AWS.
    FeaturesElsewhere,
}

/// The price of an item.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// US dollars for `per` units.
    pub usd: f64,
    /// The number of units that `usd` buys.
    pub per: f64,
    /// The unit.
    pub unit: String,
    /// Free units per month, shared by everything in the account.
    pub free: f64,
    /// The region of the price, or `global`.
    pub region: String,
    /// The URL of the price.
    pub source: String,
}

impl Price {
    /// The costs of a quantity without free units, in US dollars.
    pub fn of(&self, quantity: f64) -> f64 {
        quantity / self.per * self.usd
    }

    /// The costs of a quantity beyond the free units, in US dollars, if nothing else in the account uses them.
    pub fn beyond_free(&self, quantity: f64) -> f64 {
        self.of((quantity - self.free).max(0.0))
    }
}

/// The price of every [`Item`], with the date of the prices.
#[derive(Debug, Clone, PartialEq)]
pub struct Prices {
    date: String,
    prices: BTreeMap<Item, Price>,
}

/// Error: the price file is invalid.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPrices {
    /// The file is malformed.
    #[error("the price file is malformed")]
    Form(#[source] serde_json::Error),
    /// A price is out of range.
    #[error("the price of {0:?} is invalid: `usd` and `free` must be at least 0, and `per` greater than 0")]
    Value(Item),
    /// The currency is not USD.
    #[error("the currency {0} is unsupported: use USD")]
    Currency(String),
    /// A price is missing.
    #[error("the price of {0:?} is missing")]
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
    reason = "the file is compiled in, and a test validates it"
)]
static CURRENT: LazyLock<Prices> = LazyLock::new(|| {
    Prices::parse(include_str!("../../../infra/prices.json")).expect("infra/prices.json is valid")
});

impl Item {
    /// All items with a price in the file.
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
    /// The prices in `infra/prices.json`.
    pub fn current() -> &'static Self {
        &CURRENT
    }

    /// Parses a price file.
    ///
    /// # Errors
    /// If the file is malformed, or a price is missing or invalid.
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

    /// The date of the prices, such as `2026-11-22`.
    pub fn date(&self) -> &str {
        &self.date
    }

    /// The price of an item; 0 for items without a price.
    pub fn of(&self, item: Item) -> &Price {
        // `parse` checks that all items except SMS have a price.
        static FREE: LazyLock<Price> = LazyLock::new(|| Price {
            usd: 0.0,
            per: 1.0,
            unit: String::new(),
            free: 0.0,
            region: String::new(),
            source: String::new(),
        });
        self.prices.get(&item).unwrap_or(&FREE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> serde_json::Value {
        serde_json::from_str(include_str!("../../../infra/prices.json")).unwrap()
    }

    #[test]
    fn price_file_has_price_and_source_of_every_item() {
        let prices = Prices::current();
        assert_eq!(file()["prices"].as_object().unwrap().len(), Item::ALL.len());
        for item in Item::ALL {
            let price = prices.of(item);
            assert!(price.source.starts_with("https://aws.amazon.com/"), "{item:?}");
            assert!(!price.region.is_empty() && !price.unit.is_empty(), "{item:?}");
        }
    }

    #[test]
    fn invalid_price_files_are_rejected() {
        let refused = |change: &dyn Fn(&mut serde_json::Value)| {
            let mut file = file();
            change(&mut file);
            Prices::parse(&file.to_string()).unwrap_err().to_string()
        };
        let removed = refused(&|file| drop(file["prices"].as_object_mut().unwrap().remove("logs")));
        assert_eq!(removed, "the price of Logs is missing");
        let foreign = refused(&|file| file["currency"] = "EUR".into());
        assert_eq!(foreign, "the currency EUR is unsupported: use USD");
        let negative = refused(&|file| file["prices"]["logs"]["per"] = 0.into());
        assert!(negative.starts_with("the price of Logs is invalid"), "{negative}");
        let unknown = refused(&|file| file["prices"]["logs"]["currency"] = "EUR".into());
        assert_eq!(unknown, "the price file is malformed");
    }

    #[test]
    fn free_units_are_subtracted_once() {
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
