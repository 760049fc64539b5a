//! DynamoDB capacity modes, and whether the free tier's capacity is sufficient.

use serde::Serialize;

/// The read units, and the write units, that an account can provision for free.
/// Source: <https://aws.amazon.com/dynamodb/pricing/provisioned/>
pub(crate) const FREE_UNITS: f64 = 25.0;
/// The seconds of unused capacity that DynamoDB retains for bursts.
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html>
const BURST_SECONDS: f64 = 300.0;

/// The capacity mode of the table, as in the variable `capacity` of `infra/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Capacity {
    /// On demand: billed per unit.
    OnDemand,
    /// Provisioned: the capacity of the free tier.
    AlwaysFree,
}

/// The peak load of the table: at midnight all groups have a tick and roll up an hour and a day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Peak {
    /// Write units at midnight, for all groups and locations.
    pub write_units: f64,
    /// Read units at midnight, for all groups and locations.
    pub read_units: f64,
    /// Average write units per second.
    pub write_rate: f64,
    /// Average read units per second.
    pub read_rate: f64,
}

/// Whether the free 25 units per second are sufficient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// Sufficient, even if all ticks at midnight fall into one second.
    EachSecond,
    /// Sufficient with burst capacity at midnight: unused units of the five minutes before, which DynamoDB does not guarantee.
    WithBurst,
    /// Insufficient: requests would be throttled.
    No,
}

impl Peak {
    /// Whether the free capacity is sufficient for this load.
    pub fn fit(&self) -> Fit {
        let most = self.write_units.max(self.read_units);
        let rate = self.write_rate.max(self.read_rate);
        if most <= FREE_UNITS {
            Fit::EachSecond
        } else if rate <= FREE_UNITS && most <= FREE_UNITS * BURST_SECONDS {
            Fit::WithBurst
        } else {
            Fit::No
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_capacity_covers_second_burst_or_neither() {
        for (write_units, read_units, write_rate, fit) in [
            (25.0, 25.0, 1.0, Fit::EachSecond),
            (25.5, 1.0, 1.0, Fit::WithBurst),
            (1.0, 25.5, 1.0, Fit::WithBurst),
            (7_500.0, 1.0, 25.0, Fit::WithBurst),
            (7_501.0, 1.0, 25.0, Fit::No),
            (1_500.0, 1.0, 25.1, Fit::No),
        ] {
            let peak = Peak {
                write_units,
                read_units,
                write_rate,
                read_rate: 1.0,
            };
            assert_eq!(peak.fit(), fit, "{peak:?}");
        }
    }
}
