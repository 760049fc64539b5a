//! An incoming webhook: an address that is a secret from end to end.

use http::Request;

use super::{AddressError, Post, request};
use crate::fields::Fields;
use crate::secret::{ReadSecret, SecretCache, SecretName};

/// Where a chat takes messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingWebhook {
    url: SecretName,
}

impl IncomingWebhook {
    /// Reads the field `url`; `what` says what the secret holds.
    pub(crate) fn read(fields: &mut Fields<'_>, what: &str) -> Option<Self> {
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
    ) -> Result<Request<String>, AddressError> {
        let url = secrets.get(&self.url).await?;
        request(url.expose(), &self.url, &[], post.body.to_string())
    }
}
