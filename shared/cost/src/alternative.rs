//! Costs of the same monitors as Route 53 health checks, which check TCP and HTTP every 30 seconds from many locations.

use portpulse_core::definition::{Defined, DefinitionFile};
use portpulse_core::service::Service;
use serde::Serialize;

use crate::prices::{Item, Prices};

/// Where the endpoints are; Route 53 prices depend on this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// In AWS.
    Aws,
    /// Outside AWS.
    Elsewhere,
}

/// The monthly costs of Route 53 health checks, in US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct HealthCheckCost {
    /// The assumed location of all endpoints.
    pub endpoint: Endpoint,
    /// The number of health checks.
    pub checks: u32,
    /// The number of paid options, such as HTTPS.
    pub options: u32,
    /// The costs without the free tier.
    pub usd: f64,
    /// The costs beyond the free tier.
    pub usd_beyond_free: f64,
    /// The costs beyond the free tier with an interval of 10 seconds, which is one more option per health check.
    pub usd_fast: f64,
}

/// The costs of all enabled monitors as health checks.
pub fn health_checks(file: &DefinitionFile, endpoint: Endpoint, prices: &Prices) -> HealthCheckCost {
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
    HealthCheckCost {
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
