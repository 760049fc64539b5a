//! The decision logic of Portpulse, without I/O.
//!
//! Definitions, outcomes, streaks, statuses, incidents and notifications, as plain values and pure functions. This
//! crate has no access to clocks, sockets, the environment, randomness, tokio or AWS: callers pass the time and the
//! state, and receive the next state.

pub mod address;
pub mod assess;
pub mod banners;
pub mod by_phase;
pub mod choice;
mod cluster;
pub mod control;
pub mod decide;
pub mod definition;
pub mod detection;
pub mod diagnosis;
mod finding;
pub mod group;
pub mod group_state;
pub mod home_loss;
mod host;
pub mod id;
mod incident;
pub mod maintenance;
pub mod never_notified;
pub mod observation;
pub mod operator_note;
pub mod other_phases;
pub mod outbox;
pub mod outcome;
pub mod page_url;
pub mod period;
pub mod phase_times;
pub mod preset;
pub mod readiness;
pub mod retry;
pub mod rollup;
pub mod round;
pub mod schedule;
pub mod secret;
pub mod service;
mod streak;
pub mod target;
pub mod text;
pub mod time;
pub mod uptime;
pub mod withheld;
