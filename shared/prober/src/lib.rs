//! Timed TCP checks of many targets at once.
//!
//! A [`Prober`] is created once and converts targets to outcomes: it resolves names, tries addresses in the order of
//! RFC 8305, and returns exactly one [`Outcome`](portpulse_core::outcome::Outcome) for each target before the deadline.
//! Three rules hold:
//!
//! - A problem of this machine (descriptors, routes, resolver, time) is no data, never a failure of the target.
//! - Time spent in local queues is never charged to a target.
//! - A connection that the kernel has established is never reported as a timeout, however late this process is.
//!
//! The crate does not know monitors, statuses or storage.

mod adaptive_pace;
mod check;
mod connect;
mod error;
mod kernel;
mod pacing;
mod ping;
mod prober;
mod public_hosts;
mod request_secrets;
mod resolve;
mod settings;

pub use error::Error;
pub use prober::Prober;
pub use settings::{NameServers, OwnAddresses, Pace, Settings, SystemFiles};
