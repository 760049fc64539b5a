//! Secrets: in the configuration only their names, in memory never in a log, an error or Debug output.

use std::collections::HashMap;
use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use portpulse_core::definition::NetworkAccess;

/// Where a secret is kept: what a configuration may say of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretName {
    /// `ssm:/path`: a parameter of AWS Systems Manager's Parameter Store.
    Parameter(String),
    /// `secretsmanager:name`: the text of a secret in AWS Secrets Manager.
    SecretsManager(String),
    /// `env:NAME`: a variable of the environment. On one machine only.
    Environment(String),
    /// `file:/path`: the text of a file. On one machine only.
    File(PathBuf),
}

impl SecretName {
    /// Reads a name. What is wrong is said without the text: it may be the secret itself.
    pub(crate) fn parse(text: &str, network_access: NetworkAccess) -> Result<Self, InvalidSecretName> {
        let (scheme, rest) = text.split_once(':').unwrap_or_default();
        // Source: https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
        let of_aws = |most: usize, more: &[char]| {
            let fits = |c: char| {
                c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/') || more.contains(&c)
            };
            (1..=most).contains(&rest.len()) && rest.chars().all(fits)
        };
        let here = network_access == NetworkAccess::OwnNetwork;
        match scheme {
            "ssm" if rest.starts_with('/') && of_aws(1_011, &[]) => Ok(Self::Parameter(rest.to_owned())),
            // Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
            "secretsmanager" if of_aws(512, &['+', '=', '@']) => Ok(Self::SecretsManager(rest.to_owned())),
            "env" if here && is_variable(rest) => Ok(Self::Environment(rest.to_owned())),
            "file" if here && !rest.is_empty() && !rest.contains(char::is_control) => {
                Ok(Self::File(PathBuf::from(rest)))
            }
            "env" | "file" if !here => Err(InvalidSecretName::NotInALambda),
            _ => Err(InvalidSecretName::NoName),
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

/// Why a text names no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvalidSecretName {
    NoName,
    NotInALambda,
}

/// A secret. It shows itself to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret; white space around it is not part of it. `None` if nothing is left.
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
    /// There is none of that name.
    #[error("there is no secret `{name}`, or it is empty: put it there")]
    Missing {
        /// Its name.
        name: SecretName,
    },
    /// Whoever keeps it did not hand it out.
    #[error("cannot read the secret `{name}`")]
    Unreadable {
        /// Its name.
        name: SecretName,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It is kept where this program does not look.
    #[error("cannot read the secret `{name}` from here: name one by {instead}")]
    OutOfReach {
        /// Its name.
        name: SecretName,
        /// What can be named.
        instead: &'static str,
    },
}

/// Somewhere to read secrets from.
#[expect(
    async_fn_in_trait,
    reason = "used through generics, where the concrete type tells whether its futures are Send"
)]
pub trait ReadSecret {
    /// Reads a secret.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    async fn read(&self, name: &SecretName) -> Result<Secret, SecretError>;
}

/// The environment and the files of this machine. What a configuration keeps in AWS stands in files of one folder, so
/// that the same configuration serves here: `ssm:/portpulse/slack` in `ssm/portpulse/slack`,
/// `secretsmanager:portpulse/pager` in `secretsmanager/portpulse/pager`.
#[derive(Debug, Clone, Default)]
pub struct ThisMachine {
    folder: Option<PathBuf>,
}

impl ThisMachine {
    /// With a folder for what is kept in AWS, if there is one.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// The file that holds a secret; `None` of one that no file holds, or that is out of reach.
    pub fn path(&self, name: &SecretName) -> Option<PathBuf> {
        match name {
            SecretName::Environment(_) => None,
            SecretName::File(path) => Some(path.clone()),
            SecretName::Parameter(path) => self.file("ssm", path),
            SecretName::SecretsManager(path) => self.file("secretsmanager", path),
        }
    }

    /// The file for a name of AWS's; none without a folder, or where the name leads out of it.
    fn file(&self, scheme: &str, name: &str) -> Option<PathBuf> {
        let name = Path::new(name.trim_start_matches('/'));
        let within = |part: Component<'_>| matches!(part, Component::Normal(_));
        let folder = self.folder.as_ref().filter(|_| name.components().all(within))?;
        Some(folder.join(scheme).join(name))
    }
}

impl ReadSecret for ThisMachine {
    async fn read(&self, name: &SecretName) -> Result<Secret, SecretError> {
        let missing = || SecretError::Missing { name: name.clone() };
        let out_of_reach = || SecretError::OutOfReach {
            name: name.clone(),
            instead: "`env:NAME` or `file:/path`, or give a folder that holds it",
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

/// The fewest bytes of a part of an address that can be a secret.
const MIN_PART_LENGTH: usize = 8;

/// Secrets that were read before, so that one that nobody changed is read once.
pub(crate) struct SecretCache<S> {
    reader: S,
    known: Mutex<HashMap<SecretName, Secret>>,
}

impl<S: ReadSecret> SecretCache<S> {
    pub(crate) fn new(reader: S) -> Self {
        Self {
            reader,
            known: Mutex::default(),
        }
    }

    pub(crate) async fn get(&self, name: &SecretName) -> Result<Secret, SecretError> {
        if let Some(secret) = self.known().get(name) {
            return Ok(secret.clone());
        }
        let secret = self.reader.read(name).await?;
        self.known().insert(name.clone(), secret.clone());
        Ok(secret)
    }

    /// Reads these anew the next time: somebody did not like them.
    pub(crate) fn forget(&self, names: &[&SecretName]) {
        self.known().retain(|name, _| !names.contains(&name));
    }

    /// `text` without what is secret in it: whole secrets, and the parts of those that are addresses.
    pub(crate) fn redact(&self, text: &str) -> String {
        let known = self.known();
        let parts = known.values().flat_map(|secret| {
            let parts = secret.expose().split(['/', '?', '&', '=', ':']);
            std::iter::once(secret.expose()).chain(parts.filter(|part| part.len() >= MIN_PART_LENGTH))
        });
        parts.fold(text.to_owned(), |text, part| text.replace(part, "…"))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<SecretName, Secret>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_named_never_written() {
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
            ("env:SLACK_URL", PlainLambda, Err(InvalidSecretName::NotInALambda)),
            (
                "file:/run/secrets/slack",
                PlainLambda,
                Err(InvalidSecretName::NotInALambda),
            ),
            ("ssm:no-slash", PlainLambda, Err(InvalidSecretName::NoName)),
            ("ssm:/a b", PlainLambda, Err(InvalidSecretName::NoName)),
            (
                "https://hooks.slack.com/services/T0/B0/x",
                OwnNetwork,
                Err(InvalidSecretName::NoName),
            ),
            ("env:1X", OwnNetwork, Err(InvalidSecretName::NoName)),
            ("xoxb-1", OwnNetwork, Err(InvalidSecretName::NoName)),
            ("", OwnNetwork, Err(InvalidSecretName::NoName)),
        ] {
            let parsed = SecretName::parse(text, network_access).map(|name| name.to_string());
            assert_eq!(parsed, name.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn names_of_aws_are_files_of_a_folder_and_lead_nowhere_else() {
        let machine = ThisMachine::new(Some(PathBuf::from("/secrets")));
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
        assert_eq!(ThisMachine::default().file("ssm", "/portpulse/slack"), None);
    }

    #[test]
    fn a_secret_shows_itself_to_nobody() {
        let secret = Secret::new(" hush\n").unwrap();
        assert_eq!(
            (secret.expose(), format!("{secret:?}").as_str()),
            ("hush", "Secret(…)")
        );
        assert_eq!(Secret::new(" \n"), None);
    }
}
