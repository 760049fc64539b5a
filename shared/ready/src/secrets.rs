//! The secrets of one request: values by name, and their removal from messages.

use std::collections::BTreeMap;

use portpulse_core::outcome::{Detail, Warning};
use portpulse_core::readiness::Credentials;
use portpulse_core::secret::SecretName;
use portpulse_secrets::Secret;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::report::{ExchangeFailure, ExchangeReport, ExchangeResult};

/// A message may be cut within a secret: this many characters of its start are enough to remove what follows of it.
const MIN_START_CHARACTERS: usize = 6;

/// The values of the secrets that a request needs.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestSecrets(BTreeMap<SecretName, Secret>);

impl RequestSecrets {
    pub(crate) fn new(secrets: BTreeMap<SecretName, Secret>) -> Self {
        Self(secrets)
    }

    /// The value, if it is known and can be part of a header field.
    pub(crate) fn get(&self, name: &SecretName) -> Option<&str> {
        let value = self.0.get(name)?.expose();
        (!value.contains(char::is_control)).then_some(value)
    }

    /// The text of the secret with the client certificate, which has several lines.
    pub(crate) fn certificate(&self, name: &SecretName) -> Option<&str> {
        self.0.get(name).map(Secret::expose)
    }

    /// The value of the `Authorization` field.
    pub(crate) fn authorization(&self, credentials: &Credentials) -> Option<String> {
        Some(match credentials {
            Credentials::Basic { username, password } => {
                let pair = format!("{username}:{}", self.get(password)?);
                format!("Basic {}", STANDARD.encode(pair))
            }
            Credentials::Bearer(token) => format!("Bearer {}", self.get(token)?),
        })
    }

    /// Removes the secrets from a report: a server may repeat what it received.
    pub(crate) fn redact(&self, report: &mut ExchangeReport, credentials: Option<&Credentials>) {
        if self.0.is_empty() {
            return;
        }
        let mut secrets: Vec<String> = self.0.values().map(|secret| secret.expose().to_owned()).collect();
        let authorization = credentials.and_then(|credentials| self.authorization(credentials));
        let encoded = authorization
            .as_deref()
            .and_then(|value| value.strip_prefix("Basic "));
        secrets.extend(encoded.map(str::to_owned));
        let escaped: Vec<_> = secrets
            .iter()
            .map(|secret| secret.escape_debug().to_string())
            .collect();
        secrets.extend(escaped);
        let clean = |detail: &mut Option<Detail>| {
            if let Some(text) = detail {
                *detail = Detail::new(&without(text.as_str(), &secrets));
            }
        };
        match &mut report.result {
            ExchangeResult::Healthy(healthy) => {
                clean(&mut healthy.banner);
                if let Some(Warning::FromService(message)) = &healthy.warning {
                    let mut message = Some(message.clone());
                    clean(&mut message);
                    healthy.warning = message.map(Warning::FromService);
                }
            }
            ExchangeResult::Failed(ExchangeFailure { detail, .. }) => clean(detail),
            ExchangeResult::NoData(_) => {}
        }
    }
}

/// A text in which each secret, and each start of one, is replaced by `…`, also if characters are percent-encoded, as a
/// server does in a `Location`.
fn without(text: &str, secrets: &[String]) -> String {
    let mut text = text.to_owned();
    for secret in secrets {
        let min_bytes: usize = secret
            .chars()
            .take(MIN_START_CHARACTERS)
            .map(char::len_utf8)
            .sum();
        let mut cleaned = String::new();
        let mut rest = text.as_str();
        while let Some(next) = rest.chars().next() {
            let (same, length) = common(secret.as_bytes(), rest);
            // An end within a character of the text is not one of a secret.
            let found = rest.get(length..).filter(|_| same >= min_bytes && length > 0);
            match found {
                Some(after) => {
                    cleaned.push('…');
                    rest = after;
                }
                None => {
                    cleaned.push(next);
                    rest = rest.get(next.len_utf8()..).unwrap_or_default();
                }
            }
        }
        text = cleaned;
    }
    text
}

/// How many bytes of a secret the text begins with, and how many bytes of the text these are: a byte may be
/// percent-encoded, and a space may be a `+` (RFC 3986, section 2.1; WHATWG URL, section 5).
fn common(secret: &[u8], text: &str) -> (usize, usize) {
    let text = text.as_bytes();
    let (mut same, mut length) = (0, 0);
    for byte in secret {
        let rest = text.get(length..).unwrap_or_default();
        length += match rest {
            [first, ..] if first == byte => 1,
            [b'+', ..] if *byte == b' ' => 1,
            [b'%', high, low, ..] if decoded(*high, *low) == Some(*byte) => 3,
            [..] => break,
        };
        same += 1;
    }
    (same, length)
}

/// The byte of two hexadecimal digits.
fn decoded(high: u8, low: u8) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_is_removed_even_if_it_is_cut() {
        let secrets = ["hush-hush-42", "abc", "päßword x"].map(str::to_owned);
        for (text, expected) in [
            ("nothing", "nothing"),
            ("got hush-hush-42 and abc", "got … and …"),
            ("cut: hush-hu", "cut: …"),
            ("hush-h", "…"),
            ("hush", "hush"),
            ("hush-hush-42hush-hush-42!", "……!"),
            ("/?t=hush%2Dhush%2d42&u=1", "/?t=…&u=1"),
            ("%68ush-hu%", "…%"),
            ("hush%2", "hush%2"),
            ("p%C3%A4%C3%9Fword+x", "…"),
            ("päßwor", "…"),
            ("pä", "pä"),
        ] {
            assert_eq!(without(text, &secrets), expected);
        }
    }
}
