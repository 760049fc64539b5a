//! Drives Terraform and stand-ins of AWS, to check `infra/` against the code.
//!
//! The tests need programs that `cargo` does not install, so they are ignored unless asked for; `.ci/infra` finds
//! what they need, and says what is missing.

pub mod aws;
pub mod terraform;
