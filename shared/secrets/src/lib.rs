//! Secrets: read by name at run time, kept only in memory. Logs, errors and Debug output never show their values.

mod cache;

use std::fmt;
use std::path::{Component, Path, PathBuf};

pub use cache::{CACHE_TIME, CachedSecrets};
pub use portpulse_core::secret::{InvalidSecretName, SecretName};

/// The value of a secret. Debug output does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret without surrounding white space; `None` if it is empty.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// The text, for the request that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A secret that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The secret does not exist or is empty.
    #[error("the secret `{name}` is missing or empty: create it")]
    Missing {
        /// The name of the secret.
        name: SecretName,
    },
    /// The store refused to return the secret, or failed.
    #[error("failed to read the secret `{name}`")]
    Unreadable {
        /// The name of the secret.
        name: SecretName,
        /// The error of the store.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// This program does not support the store of the secret.
    #[error("the secret `{name}` is unsupported here: use {supported}")]
    Unsupported {
        /// The name of the secret.
        name: SecretName,
        /// The supported names.
        supported: &'static str,
    },
}

/// A store of secrets.
pub trait ReadSecret: Send + Sync {
    /// Reads a secret.
    ///
    /// # Errors
    /// If the secret does not exist or cannot be read.
    fn read(&self, name: &SecretName) -> impl Future<Output = Result<Secret, SecretError>> + Send;
}

/// Secrets on this machine: environment variables and files. Files in one folder stand for secrets in AWS, so that a
/// configuration for AWS works locally: `ssm/portpulse/slack` for `ssm:/portpulse/slack`, and
/// `secretsmanager/portpulse/pager` for `secretsmanager:portpulse/pager`.
#[derive(Debug, Clone, Default)]
pub struct LocalSecrets {
    folder: Option<PathBuf>,
}

impl LocalSecrets {
    /// Secrets on this machine, with an optional folder for secrets in AWS.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// The file of a secret; `None` for environment variables, and for secrets in AWS without a folder.
    pub fn path(&self, name: &SecretName) -> Option<PathBuf> {
        match name {
            SecretName::Environment(_) => None,
            SecretName::File(path) => Some(path.clone()),
            SecretName::Parameter(path) => self.file("ssm", path),
            SecretName::SecretsManager(path) => self.file("secretsmanager", path),
        }
    }

    /// The file for a secret in AWS; `None` without a folder, or if the path leaves the folder.
    fn file(&self, scheme: &str, name: &str) -> Option<PathBuf> {
        let name = Path::new(name.trim_start_matches('/'));
        let within = |part: Component<'_>| matches!(part, Component::Normal(_));
        let folder = self.folder.as_ref().filter(|_| name.components().all(within))?;
        Some(folder.join(scheme).join(name))
    }
}

impl ReadSecret for LocalSecrets {
    async fn read(&self, name: &SecretName) -> Result<Secret, SecretError> {
        let missing = || SecretError::Missing { name: name.clone() };
        let out_of_reach = || SecretError::Unsupported {
            name: name.clone(),
            supported: "`env:NAME` or `file:/path`, or a folder with the secrets",
        };
        if let SecretName::Environment(variable) = name {
            let text = std::env::var(variable).map_err(|_| missing())?;
            return Secret::new(&text).ok_or_else(missing);
        }
        let path = self.path(name).ok_or_else(out_of_reach)?;
        let text = std::fs::read_to_string(path).map_err(|error| {
            if error.kind() == std::io::ErrorKind::NotFound {
                return missing();
            }
            SecretError::Unreadable {
                name: name.clone(),
                source: Box::new(error),
            }
        })?;
        Secret::new(&text).ok_or_else(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aws_secret_maps_to_file_inside_folder() {
        let machine = LocalSecrets::new(Some(PathBuf::from("/secrets")));
        for (scheme, name, file) in [
            ("ssm", "/portpulse/slack", Some("/secrets/ssm/portpulse/slack")),
            (
                "secretsmanager",
                "portpulse/pager",
                Some("/secrets/secretsmanager/portpulse/pager"),
            ),
            ("ssm", "/../../etc/shadow", None),
            ("ssm", "//etc/shadow", Some("/secrets/ssm/etc/shadow")),
            ("secretsmanager", "..", None),
        ] {
            assert_eq!(machine.file(scheme, name), file.map(PathBuf::from), "{name}");
        }
        assert_eq!(LocalSecrets::default().file("ssm", "/portpulse/slack"), None);
    }

    #[test]
    fn secret_is_hidden_in_debug_output() {
        let secret = Secret::new(" hush\n").unwrap();
        assert_eq!(
            (secret.expose(), format!("{secret:?}").as_str()),
            ("hush", "Secret(…)")
        );
        assert_eq!(Secret::new(" \n"), None);
    }
}
