//! Exchanges over real sockets: against scripted peers, and against real servers.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod authority;
mod conformance;
mod dns_over_udp;
mod exchange_results;
mod handshakes;
mod hostile;
mod peer;
mod redirects;
mod tls_options;
