//! The checker: reads a group's definitions and board, checks, commits, decides and delivers.
//!
//! It chooses nothing: what a tick means is decided in `portpulse-core`, and what it may touch is handed in as
//! narrow capabilities ([`Probe`], [`Clock`], a table, a topic). So the same handler runs as a Lambda, on one
//! machine, and in simulations.

mod decide_and_publish;
mod deliver;
mod error;
mod event;
mod keep_banners;
mod metrics;
mod probe;
mod roll_up;
mod settings;
mod tick;

pub use error::Error;
pub use event::{InvalidEvent, TickEvent};
pub use metrics::{InvalidMetrics, Metrics, emf};
pub use portpulse_store::chain;
pub use probe::{Clock, Probe, SystemClock};
pub use settings::{InvalidSettings, Settings};
pub use tick::{Checker, Invocation, TickReport, TickOutcome};
