//! Reads the token of a private page from AWS Systems Manager Parameter Store.

use aws_sdk_ssm::Client;
use aws_sdk_ssm::operation::get_parameter::GetParameterError;
use portpulse_status::{ShortToken, Token, Transport};

use crate::settings::ParameterName;

/// Error: the token is not available. Messages do not contain the token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The parameter does not exist.
    #[error("the parameter `{name}` is missing: create it with the token as its value")]
    Missing {
        /// The name of the parameter.
        name: String,
    },
    /// Reading the parameter failed.
    #[error("failed to read the parameter `{name}`")]
    Unreadable {
        /// The name of the parameter.
        name: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The value is not a valid token.
    #[error("the parameter `{name}` contains no valid token")]
    InvalidValue {
        /// The name of the parameter.
        name: String,
        /// The cause.
        source: ShortToken,
    },
}

/// Reads the token from a parameter.
///
/// # Errors
/// If the parameter is missing, cannot be read, or contains a token that is too short.
pub async fn read_token(client: &Client, parameter: &ParameterName) -> Result<Token, TokenError> {
    let name = || parameter.as_str().to_owned();
    let request = client
        .get_parameter()
        .name(parameter.as_str())
        .with_decryption(true);
    let output = Box::pin(request.send()).await.map_err(|error| {
        match error
            .as_service_error()
            .is_some_and(GetParameterError::is_parameter_not_found)
        {
            true => TokenError::Missing { name: name() },
            false => TokenError::Unreadable {
                name: name(),
                source: Box::new(error),
            },
        }
    })?;
    let value = output.parameter.and_then(|parameter| parameter.value);
    let value = value.ok_or_else(|| TokenError::Missing { name: name() })?;
    Token::new(&value, Transport::Tls).map_err(|source| TokenError::InvalidValue { name: name(), source })
}
