//! An incoming webhook: its whole URL is a secret.

use http::Request;

use super::{Post, RequestError, request};
use crate::destination_fields::DestinationFields;
use crate::secret::{ReadSecret, SecretCache, SecretName};

/// The incoming webhook of a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingWebhook {
    url: SecretName,
}

impl IncomingWebhook {
    /// Reads the field `url`; `what` describes the value of the secret.
    pub(crate) fn read(fields: &mut DestinationFields<'_>, what: &str) -> Option<Self> {
        let url = fields.secret("url", what)?;
        Some(Self { url })
    }

    pub(crate) fn url(&self) -> &SecretName {
        &self.url
    }

    pub(crate) async fn request<S: ReadSecret>(
        &self,
        post: &Post,
        secrets: &SecretCache<S>,
    ) -> Result<Request<String>, RequestError> {
        let url = secrets.get(&self.url).await?;
        request(url.expose(), &self.url, &[], post.body.to_string())
    }
}
