//! Secrets from AWS Systems Manager Parameter Store, and through it from AWS Secrets Manager: one client for both.
//!
//! The SDK, and not AWS's extension for parameters and secrets: the extension is a layer with an ARN of its own in each
//! region, takes memory of the function's 128 MB and starts with it, while the functions link the SDK's HTTP client anyway.
//!
//! Source: <https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html>

use aws_sdk_ssm::Client;
use aws_sdk_ssm::operation::get_parameter::GetParameterError;
use portpulse_secrets::{ReadSecret, Secret, SecretError, SecretName};

/// The path prefix for secrets of Secrets Manager in Parameter Store.
const SECRETS_MANAGER_PREFIX: &str = "/aws/reference/secretsmanager/";

/// The secrets of one AWS account and region.
#[derive(Debug, Clone)]
pub struct ParameterStore(Client);

impl ParameterStore {
    /// The secrets that `client` can read.
    pub fn new(client: Client) -> Self {
        Self(client)
    }
}

impl ReadSecret for ParameterStore {
    async fn read(&self, name: &SecretName) -> Result<Secret, SecretError> {
        let path = match name {
            SecretName::Parameter(path) => path.clone(),
            SecretName::SecretsManager(secret) => format!("{SECRETS_MANAGER_PREFIX}{secret}"),
            SecretName::Environment(_) | SecretName::File(_) => {
                return Err(SecretError::Unsupported {
                    name: name.clone(),
                    supported: "`ssm:/path` or `secretsmanager:name`",
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
