//! Estimates the monthly AWS costs of a definition file: quantities, from the sizes of the items that checkers write,
//! times prices, from `infra/prices.json`.
//!
//! This crate does no I/O and does not call AWS. All assumptions are in [`Assumptions`].

mod alternative;
mod banners;
mod bill;
mod capacity;
mod prices;
mod quantities;
mod relayed;
mod rollup;
mod tick;
mod view;

pub use alternative::{Endpoint, HealthCheckCost, health_checks};
pub use banners::BannersCost;
pub use bill::{Bill, Line, bill};
pub use capacity::{Capacity, Fit, Peak};
pub use prices::{InvalidPrices, Item, Price, Prices};
pub use quantities::{ALARMS_PER_REGION, Architecture, Assumptions, Deployment, HOURS_PER_MONTH, Quantities};
pub use relayed::RelayedCost;
pub use rollup::{RollupCost, Spread};
pub use tick::TickCost;
pub use view::ViewCost;
