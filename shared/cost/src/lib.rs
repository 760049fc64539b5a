//! What a definitions file costs a month: quantities from the layout that the checkers write, times prices from one file.
//!
//! This crate knows nothing of clocks, files and networks, and of AWS only its prices. What it takes for granted is in
//! [`Assumptions`], and each of them is in the words that it hands out with the sums.

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

pub use alternative::{Alternative, Endpoint, health_checks};
pub use banners::BannersCost;
pub use bill::{Bill, Line, bill};
pub use capacity::{Capacity, Fit, Peak};
pub use prices::{InvalidPrices, Item, Price, Prices};
pub use quantities::{ALARMS_PER_REGION, Architecture, Assumptions, Deployment, MONTH, Quantities};
pub use relayed::RelayedCost;
pub use rollup::{RollupCost, Spread};
pub use tick::TickCost;
pub use view::ViewCost;
