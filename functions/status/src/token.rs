//! The token of a private page, from AWS Systems Manager's Parameter Store.

use aws_sdk_ssm::Client;
use aws_sdk_ssm::operation::get_parameter::GetParameterError;
use portpulse_status::{ShortToken, Token, Transport};

use crate::settings::ParameterName;

/// Why there is no token. It is not shown.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// There is no such parameter.
    #[error("there is no parameter `{name}`: put the token there")]
    Missing {
        /// Its name.
        name: String,
    },
    /// Parameter Store did not hand it out.
    #[error("cannot read the parameter `{name}`")]
    Unreadable {
        /// Its name.
        name: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It cannot be the token.
    #[error("the parameter `{name}` holds no token")]
    InvalidValue {
        /// Its name.
        name: String,
        /// Why.
        source: ShortToken,
    },
}

/// Reads the token.
///
/// # Errors
/// When there is none, it cannot be read, or it is too short.
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
