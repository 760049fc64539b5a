//! Why a prober could not be built.

use hickory_resolver::net::NetError;

/// Why a prober could not be built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting that must be positive is zero.
    #[error("prober setting `{setting}` is zero; give it at least one")]
    ZeroSetting {
        /// The name of the setting.
        setting: &'static str,
    },
    /// The limit of open files leaves no room for connections.
    #[error(
        "only {limit} files may be open (RLIMIT_NOFILE) and {reserved} are kept for name lookups and the rest of \
         the process; raise the limit"
    )]
    TooFewDescriptors {
        /// The soft limit of open files.
        limit: u64,
        /// How many of them the prober leaves alone.
        reserved: u64,
    },
    /// The name resolver could not be set up.
    #[error("cannot set up the name resolver")]
    Resolver {
        /// What the resolver library said.
        #[source]
        source: NetError,
    },
}
