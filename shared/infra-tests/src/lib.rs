//! Runs Terraform and AWS emulators, to test `infra/` and to compare its rules with the Rust code.
//!
//! Most tests are ignored by default, because they require programs that `cargo` does not install. `.ci/infra` installs these
//! programs or names the missing ones, and runs the tests.

pub mod aws;
pub mod terraform;
