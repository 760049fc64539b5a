//! Secrets from AWS Systems Manager's Parameter Store, and through it from AWS Secrets Manager: one client for both.
//!
//! Source: <https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html>

use aws_sdk_ssm::Client;
use aws_sdk_ssm::operation::get_parameter::GetParameterError;
use portpulse_relay::{ReadSecret, Secret, SecretError, SecretName};

/// The path under which Parameter Store shows the secrets of Secrets Manager.
const OF_SECRETS_MANAGER: &str = "/aws/reference/secretsmanager/";

/// The secrets of one account and region.
#[derive(Debug, Clone)]
pub struct ParameterStore(Client);

impl ParameterStore {
    /// The secrets that this client can read.
    pub fn new(client: Client) -> Self {
        Self(client)
    }
}

impl ReadSecret for ParameterStore {
    async fn read(&self, name: &SecretName) -> Result<Secret, SecretError> {
        let path = match name {
            SecretName::Parameter(path) => path.clone(),
            SecretName::SecretsManager(secret) => format!("{OF_SECRETS_MANAGER}{secret}"),
            SecretName::Environment(_) | SecretName::File(_) => {
                return Err(SecretError::OutOfReach {
                    name: name.clone(),
                    instead: "`ssm:/path` or `secretsmanager:name`",
                });
            }
        };
        let missing = || SecretError::Missing { name: name.clone() };
        let request = self.0.get_parameter().name(path).with_decryption(true).send();
        match Box::pin(request).await {
            Ok(output) => {
                let value = output.parameter.and_then(|parameter| parameter.value);
                value.and_then(|value| Secret::new(&value)).ok_or_else(missing)
            }
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetParameterError::is_parameter_not_found) =>
            {
                Err(missing())
            }
            Err(error) => Err(SecretError::Unreadable {
                name: name.clone(),
                source: Box::new(error),
            }),
        }
    }
}
