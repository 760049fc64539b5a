//! The checker: loads a group, checks its monitors, commits the results, decides, publishes and rolls up.
//!
//! `portpulse-core` makes all decisions. External resources are parameters: [`Probe`], [`Clock`], a table and a topic. So the
//! same handler runs as a Lambda function, on one machine, and in simulations.

mod check;
mod checker;
mod commit;
mod deadline;
mod decide_and_publish;
mod deliver;
mod elsewhere;
mod error;
mod event;
mod load;
mod metrics;
mod probe;
mod report;
mod retry;
mod roll_up;
mod run;
mod settings;
mod standby;
mod store_banners;
mod tick;

pub use checker::{Checker, Invocation, Standby};
pub use deadline::MAX_TICK_TIME;
pub use error::Error;
pub use event::{InvalidEvent, TickEvent};
pub use metrics::{Metrics, emf};
pub use portpulse_store::chain;
pub use probe::{Clock, Probe, SystemClock};
pub use report::{TickOutcome, TickReport};
pub use settings::{Settings, StandbySettings};
