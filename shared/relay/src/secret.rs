//! Secrets: configurations contain only their names; logs, errors and Debug output never show their values.

use std::collections::HashMap;
use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use portpulse_core::definition::NetworkAccess;

/// The name of a secret, with the store that holds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretName {
    /// `ssm:/path`: a parameter in AWS Systems Manager Parameter Store.
    Parameter(String),
    /// `secretsmanager:name`: a secret in AWS Secrets Manager.
    SecretsManager(String),
    /// `env:NAME`: an environment variable. Only on one machine.
    Environment(String),
    /// `file:/path`: a file. Only on one machine.
    File(PathBuf),
}

impl SecretName {
    /// Parses a name. The error does not contain the text, because it may be the secret itself.
    pub(crate) fn parse(text: &str, network_access: NetworkAccess) -> Result<Self, InvalidSecretName> {
        let (scheme, rest) = text.split_once(':').unwrap_or_default();
        // Source: https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
        let is_aws_name = |max: usize, more: &[char]| {
            let fits = |c: char| {
                c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/') || more.contains(&c)
            };
            (1..=max).contains(&rest.len()) && rest.chars().all(fits)
        };
        let is_local = network_access == NetworkAccess::OwnNetwork;
        match scheme {
            "ssm" if rest.starts_with('/') && is_aws_name(1_011, &[]) => Ok(Self::Parameter(rest.to_owned())),
            // Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
            "secretsmanager" if is_aws_name(512, &['+', '=', '@']) => {
                Ok(Self::SecretsManager(rest.to_owned()))
            }
            "env" if is_local && is_variable(rest) => Ok(Self::Environment(rest.to_owned())),
            "file" if is_local && !rest.is_empty() && !rest.contains(char::is_control) => {
                Ok(Self::File(PathBuf::from(rest)))
            }
            "env" | "file" if !is_local => Err(InvalidSecretName::LocalOnly),
            _ => Err(InvalidSecretName::NotAName),
        }
    }
}

fn is_variable(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.starts_with(|c: char| fits(c) && !c.is_ascii_digit()) && name.len() <= 128 && name.chars().all(fits)
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameter(path) => write!(f, "ssm:{path}"),
            Self::SecretsManager(name) => write!(f, "secretsmanager:{name}"),
            Self::Environment(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

/// Why a text is not the name of a usable secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvalidSecretName {
    /// The text is not a name.
    NotAName,
    /// The secret is on this machine, and a Lambda cannot read it.
    LocalOnly,
}

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
    pub(crate) fn expose(&self) -> &str {
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
#[expect(
    async_fn_in_trait,
    reason = "used through generics, where the concrete type shows whether its futures are Send"
)]
pub trait ReadSecret {
    /// Reads a secret.
    ///
    /// # Errors
    /// If the secret does not exist or cannot be read.
    async fn read(&self, name: &SecretName) -> Result<Secret, SecretError>;
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

/// The minimum length of a part of a URL that is redacted, in bytes.
const MIN_PART_LENGTH: usize = 8;

/// A cache of secrets: each is read once, and again after [`forget`](Self::forget).
pub(crate) struct SecretCache<S> {
    reader: S,
    cached: Mutex<HashMap<SecretName, Secret>>,
}

impl<S: ReadSecret> SecretCache<S> {
    pub(crate) fn new(reader: S) -> Self {
        Self {
            reader,
            cached: Mutex::default(),
        }
    }

    pub(crate) async fn get(&self, name: &SecretName) -> Result<Secret, SecretError> {
        if let Some(secret) = self.cached().get(name) {
            return Ok(secret.clone());
        }
        let secret = self.reader.read(name).await?;
        self.cached().insert(name.clone(), secret.clone());
        Ok(secret)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_name_requires_known_store() {
        use NetworkAccess::{OwnNetwork, PlainLambda};
        for (text, network_access, name) in [
            ("ssm:/portpulse/slack", PlainLambda, Ok("ssm:/portpulse/slack")),
            (
                "secretsmanager:portpulse/pager",
                PlainLambda,
                Ok("secretsmanager:portpulse/pager"),
            ),
            ("env:SLACK_URL", OwnNetwork, Ok("env:SLACK_URL")),
            (
                "file:/run/secrets/slack",
                OwnNetwork,
                Ok("file:/run/secrets/slack"),
            ),
            ("ssm:/portpulse/slack", OwnNetwork, Ok("ssm:/portpulse/slack")),
            ("env:SLACK_URL", PlainLambda, Err(InvalidSecretName::LocalOnly)),
            (
                "file:/run/secrets/slack",
                PlainLambda,
                Err(InvalidSecretName::LocalOnly),
            ),
            ("ssm:no-slash", PlainLambda, Err(InvalidSecretName::NotAName)),
            ("ssm:/a b", PlainLambda, Err(InvalidSecretName::NotAName)),
            (
                "https://hooks.slack.com/services/T0/B0/x",
                OwnNetwork,
                Err(InvalidSecretName::NotAName),
            ),
            ("env:1X", OwnNetwork, Err(InvalidSecretName::NotAName)),
            ("xoxb-1", OwnNetwork, Err(InvalidSecretName::NotAName)),
            ("", OwnNetwork, Err(InvalidSecretName::NotAName)),
        ] {
            let parsed = SecretName::parse(text, network_access).map(|name| name.to_string());
            assert_eq!(parsed, name.map(str::to_owned), "{text}");
        }
    }

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
