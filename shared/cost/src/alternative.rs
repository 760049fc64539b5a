//! The same monitors as Route 53 health checks, which check every 30 seconds from many places, and know TCP and HTTP.

use portpulse_core::definition::{Defined, DefinitionFile};
use portpulse_core::target::Service;
use serde::Serialize;

use crate::prices::{Item, Prices};

/// Where the endpoints are, as Route 53 prices them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// In AWS.
    Aws,
    /// Anywhere else.
    Elsewhere,
}

/// What the health checks would cost a month, in US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Alternative {
    /// Where all the endpoints are taken to be.
    pub endpoint: Endpoint,
    /// How many health checks.
    pub checks: u32,
    /// How many options: HTTPS is one.
    pub options: u32,
    /// For all of them.
    pub usd: f64,
    /// Beyond the free ones.
    pub usd_beyond_free: f64,
    /// Beyond the free ones, when each also checks every 10 seconds: one option more for each.
    pub usd_fast: f64,
}

/// What the monitors that are enabled would cost as health checks.
pub fn health_checks(file: &DefinitionFile, endpoint: Endpoint, prices: &Prices) -> Alternative {
    let enabled = || {
        file.monitors()
            .iter()
            .filter(|defined| defined.monitor.is_enabled())
    };
    let count = |of: usize| u32::try_from(of).unwrap_or(u32::MAX);
    let checks = count(enabled().count());
    let options = count(enabled().filter(|defined| is_https(defined)).count());
    let (check, option) = match endpoint {
        Endpoint::Aws => (Item::HealthChecksAws, Item::FeaturesAws),
        Endpoint::Elsewhere => (Item::HealthChecksElsewhere, Item::FeaturesElsewhere),
    };
    let (check, option) = (prices.of(check), prices.of(option));
    let (many, more) = (f64::from(checks), f64::from(options));
    let usd_beyond_free = check.beyond_free(many) + option.beyond_free(more);
    Alternative {
        endpoint,
        checks,
        options,
        usd: check.of(many) + option.of(more),
        usd_beyond_free,
        usd_fast: usd_beyond_free + option.of(many),
    }
}

fn is_https(defined: &Defined) -> bool {
    defined.monitor.service() == Some(Service::Https)
}
