//! The names of secrets. Definitions and configurations contain only names, never values.

use std::fmt;
use std::path::PathBuf;

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
    /// Whether the secret is on this machine, where a Lambda function cannot read it.
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Environment(_) | Self::File(_))
    }

    /// Parses a name.
    ///
    /// # Errors
    /// If the text is not a name. The error does not contain the text, because it may be the secret itself.
    pub fn parse(text: &str) -> Result<Self, InvalidSecretName> {
        let (scheme, rest) = text.split_once(':').unwrap_or_default();
        // Source: https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
        let is_aws_name = |max: usize, more: &[char]| {
            let fits = |c: char| {
                c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/') || more.contains(&c)
            };
            (1..=max).contains(&rest.len()) && rest.chars().all(fits)
        };
        match scheme {
            "ssm" if rest.starts_with('/') && is_aws_name(1_011, &[]) => Ok(Self::Parameter(rest.to_owned())),
            // Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
            "secretsmanager" if is_aws_name(512, &['+', '=', '@']) => {
                Ok(Self::SecretsManager(rest.to_owned()))
            }
            "env" if is_variable(rest) => Ok(Self::Environment(rest.to_owned())),
            "file" if !rest.is_empty() && !rest.contains(char::is_control) => {
                Ok(Self::File(PathBuf::from(rest)))
            }
            _ => Err(InvalidSecretName),
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

/// A text that is not the name of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not the name of a secret")]
pub struct InvalidSecretName;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_name_requires_known_store() {
        for (text, is_local) in [
            ("ssm:/portpulse/slack", Some(false)),
            ("secretsmanager:portpulse/pager", Some(false)),
            ("env:SLACK_URL", Some(true)),
            ("file:/run/secrets/slack", Some(true)),
            ("ssm:no-slash", None),
            ("ssm:/a b", None),
            ("https://hooks.slack.com/services/T0/B0/x", None),
            ("env:1X", None),
            ("xoxb-1", None),
            ("", None),
        ] {
            let parsed = SecretName::parse(text).ok();
            assert_eq!(parsed.as_ref().map(SecretName::is_local), is_local, "{text}");
            assert!(parsed.is_none_or(|name| name.to_string() == text), "{text}");
        }
    }
}
