//! How DynamoDB is paid for, and whether the units that are always free carry what the checkers ask.

use serde::Serialize;

/// The read units, and the write units, that an account may provision for nothing.
/// Source: <https://aws.amazon.com/dynamodb/pricing/provisioned/>
pub(crate) const FREE_UNITS: f64 = 25.0;
/// How many seconds of unused units DynamoDB keeps for a burst.
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html>
const KEPT_SECONDS: f64 = 300.0;

/// As the variable `capacity` of `infra/` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Capacity {
    /// By the unit.
    OnDemand,
    /// By the hour, as many as are always free.
    AlwaysFree,
}

/// What is asked of the table when every group has its tick, and sums up an hour and a day: at midnight.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Peak {
    /// Write units at midnight, of all groups and regions together.
    pub write_units: f64,
    /// Read units likewise.
    pub read_units: f64,
    /// Write units a second, over the whole time.
    pub write_rate: f64,
    /// Read units a second likewise.
    pub read_rate: f64,
}

/// Whether 25 units a second carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// Even if all ticks of midnight fall into one second.
    EachSecond,
    /// At midnight with units that went unused in the five minutes before, which DynamoDB lends as it can.
    WithBurst,
    /// Not at all: requests would be refused.
    No,
}

impl Peak {
    /// Whether the units that are always free carry it.
    pub fn fit(&self) -> Fit {
        let most = self.write_units.max(self.read_units);
        let rate = self.write_rate.max(self.read_rate);
        if most <= FREE_UNITS {
            Fit::EachSecond
        } else if rate <= FREE_UNITS && most <= FREE_UNITS * KEPT_SECONDS {
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
    fn twenty_five_units_carry_a_second_a_burst_or_nothing() {
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
