//! Errors in the creation of a prober.

use hickory_resolver::net::NetError;

/// Why a prober cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting that must be positive is zero.
    #[error("prober setting `{setting}` is zero; the minimum is 1")]
    ZeroSetting {
        /// The name of the setting.
        setting: &'static str,
    },
    /// The limit of open files leaves no descriptor for connections.
    #[error(
        "the limit of open files (RLIMIT_NOFILE) is {limit}, and {reserved} are reserved for name lookups and the rest \
         of the process; raise the limit"
    )]
    TooFewDescriptors {
        /// The soft limit of open files.
        limit: u64,
        /// The number of descriptors that the prober must not use.
        reserved: u64,
    },
    /// The name resolver cannot be set up.
    #[error("cannot set up the name resolver")]
    Resolver {
        /// The error of the resolver library.
        #[source]
        source: NetError,
    },
}
