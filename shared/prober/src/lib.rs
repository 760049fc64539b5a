//! Timed TCP checks of many targets at once.
//!
//! A [`Prober`] is built once and turns targets into outcomes: names are resolved, every address is tried in the
//! order of RFC 8305, and each target gets exactly one [`Outcome`](portpulse_core::outcome::Outcome) before the
//! deadline. Three rules shape it:
//!
//! - A fault of this machine (descriptors, routes, resolver, time) is no data, never a failure of the target.
//! - Time spent in our own queues is never charged to a target.
//! - A connection that the kernel has made is never called a timeout, however late this process looks.
//!
//! It knows nothing of monitors, statuses or storage.

mod check;
mod connect;
mod error;
mod kernel;
mod pacing;
mod prober;
mod resolve;
mod settings;

pub use error::Error;
pub use prober::Prober;
pub use settings::{NameServers, OwnAddresses, Pace, Settings};
