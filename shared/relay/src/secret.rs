//! The secrets of the destinations: each is read once, and removed from texts.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

pub use portpulse_secrets::{LocalSecrets, ReadSecret, Secret, SecretError, SecretName};

/// The minimum length of a part of a URL that is redacted, in bytes.
const MIN_PART_LENGTH: usize = 8;

/// A cache of secrets: each is read once, and again after [`forget`](Self::forget).
pub(crate) struct SecretCache<S> {
    reader: S,
    cached: Mutex<HashMap<SecretName, Secret>>,
}

impl<S> SecretCache<S> {
    pub(crate) fn new(reader: S) -> Self {
        Self {
            reader,
            cached: Mutex::default(),
        }
    }

    /// Removes the secrets, so that they are read again: a destination refused them.
    pub(crate) fn forget(&self, names: &[&SecretName]) {
        self.cached().retain(|name, _| !names.contains(&name));
    }

    /// `text` without secrets: complete secrets, and the parts of secret URLs, are replaced by `…`.
    pub(crate) fn redact(&self, text: &str) -> String {
        let cached = self.cached();
        let parts = cached.values().flat_map(|secret| {
            let parts = secret.expose().split(['/', '?', '&', '=', ':']);
            std::iter::once(secret.expose()).chain(parts.filter(|part| part.len() >= MIN_PART_LENGTH))
        });
        parts.fold(text.to_owned(), |text, part| text.replace(part, "…"))
    }

    fn cached(&self) -> std::sync::MutexGuard<'_, HashMap<SecretName, Secret>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: ReadSecret> ReadSecret for SecretCache<S> {
    async fn read(&self, name: &SecretName) -> Result<Secret, SecretError> {
        if let Some(secret) = self.cached().get(name) {
            return Ok(secret.clone());
        }
        let secret = self.reader.read(name).await?;
        self.cached().insert(name.clone(), secret.clone());
        Ok(secret)
    }
}
