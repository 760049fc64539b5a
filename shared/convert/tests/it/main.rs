//! Imports of other formats, exports, and round trips.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod corpus;
mod every_key;
mod golden;
mod hostile;
mod imported;
mod oracle_cloudprober;
mod oracle_gatus;
mod oracle_infrastructure;
mod oracle_prometheus;
mod oracle_upptime;
mod oracle_uptime_flare;
mod oracle_uptime_kuma;
mod pings;
mod round_trip;
mod round_trip_property;
mod secrets;
