//! Reads the secrets of a check before its connection is opened.

use std::collections::BTreeMap;
use std::error::Error;

use portpulse_core::outcome::NoData;
use portpulse_core::secret::SecretName;
use portpulse_core::target::{Check, Target};
use portpulse_secrets::{CachedSecrets, Secret};
use tokio::time::{Instant, timeout_at};

/// The secrets that the check of a target needs. The log has the name of a secret that cannot be read, and why.
///
/// # Errors
/// A secret is missing or cannot be read in time. That is never a failure of the target.
pub(crate) async fn read(
    secrets: &CachedSecrets,
    target: &Target,
    deadline: Instant,
) -> Result<BTreeMap<SecretName, Secret>, NoData> {
    let mut read = BTreeMap::new();
    let names = match &target.check {
        Check::Connect(_) | Check::Ping => Vec::new(),
        Check::Ready(readiness) => readiness.secrets(),
    };
    for name in names {
        match timeout_at(deadline, secrets.get(name)).await {
            Ok(Ok(secret)) => drop(read.insert(name.clone(), secret)),
            Ok(Err(error)) => {
                let mut reason = error.to_string();
                let mut source = error.source();
                while let Some(cause) = source {
                    reason = format!("{reason}: {cause}");
                    source = cause.source();
                }
                tracing::warn!("{target} is not checked: {reason}");
                return Err(NoData::SecretUnreadable);
            }
            Err(_) => return Err(NoData::OutOfTime),
        }
    }
    Ok(read)
}
