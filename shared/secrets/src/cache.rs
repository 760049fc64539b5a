//! A cache that reads each secret once for a while, however many checks need it at the same time.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::{ReadSecret, Secret, SecretError, SecretName};

/// How long a secret is used before it is read again, so that a rotated secret takes effect.
pub const CACHE_TIME: Duration = Duration::from_secs(300);
/// How long a failure is remembered: monitors that share a missing secret cause one request in a tick.
const FAILURE_TIME: Duration = Duration::from_secs(30);

type Entry = Arc<OnceCell<(Instant, Result<Secret, Arc<SecretError>>)>>;
type BoxedRead<'a> = Pin<Box<dyn Future<Output = Result<Secret, SecretError>> + Send + 'a>>;

/// A store behind a pointer.
trait AnyStore: Send + Sync {
    fn read<'a>(&'a self, name: &'a SecretName) -> BoxedRead<'a>;
}

impl<S: ReadSecret> AnyStore for S {
    fn read<'a>(&'a self, name: &'a SecretName) -> BoxedRead<'a> {
        Box::pin(ReadSecret::read(self, name))
    }
}

/// Secrets of a store, cached for [`CACHE_TIME`].
pub struct CachedSecrets {
    store: Box<dyn AnyStore>,
    entries: Mutex<HashMap<SecretName, Entry>>,
}

impl CachedSecrets {
    /// The secrets of `store`.
    pub fn new(store: impl ReadSecret + 'static) -> Self {
        Self {
            store: Box::new(store),
            entries: Mutex::default(),
        }
    }

    /// Returns a secret, and reads it if it is not cached. Concurrent calls for one name read once.
    ///
    /// # Errors
    /// If the secret does not exist or cannot be read.
    pub async fn get(&self, name: &SecretName) -> Result<Secret, Arc<SecretError>> {
        let entry = self.entry(name);
        let read = async || {
            let secret = self.store.read(name).await.map_err(Arc::new);
            let time = if secret.is_ok() { CACHE_TIME } else { FAILURE_TIME };
            (Instant::now() + time, secret)
        };
        entry.get_or_init(read).await.1.clone()
    }

    /// The entry of a name: empty if it was not read before, or is out of date.
    fn entry(&self, name: &SecretName) -> Entry {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let is_current = |entry: &Entry| entry.get().is_none_or(|(until, _)| Instant::now() < *until);
        match entries.get(name) {
            Some(entry) if is_current(entry) => Arc::clone(entry),
            Some(_) | None => {
                let entry = Entry::default();
                entries.insert(name.clone(), Arc::clone(&entry));
                entry
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Counts reads; only `ssm:/there` exists.
    struct Store(Arc<AtomicUsize>);

    impl ReadSecret for Store {
        async fn read(&self, name: &SecretName) -> Result<Secret, SecretError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_secs(1)).await;
            let secret = (name.to_string() == "ssm:/there").then(|| Secret::new("hush"));
            secret
                .flatten()
                .ok_or_else(|| SecretError::Missing { name: name.clone() })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn secret_is_read_once_until_it_expires() {
        for (path, time) in [("/there", CACHE_TIME), ("/gone", FAILURE_TIME)] {
            let reads = Arc::new(AtomicUsize::new(0));
            let secrets = CachedSecrets::new(Store(Arc::clone(&reads)));
            let name = SecretName::Parameter(path.to_owned());
            let count = || reads.load(Ordering::Relaxed);
            let (first, second) = tokio::join!(secrets.get(&name), secrets.get(&name));
            assert_eq!(
                (first.is_ok(), second.is_ok(), count()),
                (path == "/there", path == "/there", 1)
            );
            tokio::time::sleep(time - Duration::from_secs(1)).await;
            drop(secrets.get(&name).await);
            assert_eq!(count(), 1);
            tokio::time::sleep(Duration::from_secs(2)).await;
            drop(secrets.get(&name).await);
            assert_eq!(count(), 2);
        }
    }
}
