//! The exchanges over real sockets: with scripted peers, and with the real servers.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod authority;
mod endings;
mod handshakes;
mod peer;
