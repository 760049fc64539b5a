//! DynamoDB capacity modes, and whether the free tier's capacity is sufficient.

use portpulse_core::time::Interval;
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

/// The peak load of the table: the minute after midnight in which all ticks and the rollups of hours and days, which are spread
/// over the hour, need the most units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Peak {
    /// The maximum write units of a minute, for all groups and locations.
    pub write_units: f64,
    /// The maximum read units of a minute, for all groups and locations.
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
    /// Sufficient, even if all requests of that minute fall into one second.
    EachSecond,
    /// Sufficient with burst capacity: unused units of the five minutes before, which DynamoDB does not guarantee.
    WithBurst,
    /// Insufficient: requests would be throttled.
    No,
}

/// Write and read units by minute, in the hour after midnight.
#[derive(Debug, Clone)]
pub(crate) struct MinuteLoads([(f64, f64); MINUTES]);

const MINUTES: usize = 60;

impl Default for MinuteLoads {
    fn default() -> Self {
        Self([(0.0, 0.0); MINUTES])
    }
}

impl MinuteLoads {
    /// Adds units to one minute.
    pub(crate) fn add(&mut self, minute: i64, write_units: f64, read_units: f64) {
        let minute = usize::try_from(minute)
            .ok()
            .and_then(|minute| self.0.get_mut(minute));
        if let Some((writes, reads)) = minute {
            *writes += write_units;
            *reads += read_units;
        }
    }

    /// Adds units to each minute with ticks of this interval; `write_units` and `read_units` are those of all its ticks.
    pub(crate) fn add_ticks(&mut self, interval: Interval, write_units: f64, read_units: f64) {
        let step = usize::try_from(interval.seconds() / 60).unwrap_or(1).max(1);
        for (writes, reads) in self.0.iter_mut().step_by(step) {
            *writes += write_units;
            *reads += read_units;
        }
    }

    /// The maximum write units and the maximum read units of a minute.
    pub(crate) fn peak(&self) -> (f64, f64) {
        let max = |of: fn(&(f64, f64)) -> f64| self.0.iter().map(of).fold(0.0, f64::max);
        (max(|(writes, _)| *writes), max(|(_, reads)| *reads))
    }
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
