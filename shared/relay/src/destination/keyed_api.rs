//! An API that identifies its customer by a secret key.

use super::Post;
use crate::address::Server;
use crate::destination_fields::DestinationFields;
use crate::secret::SecretName;

/// The server of a pager and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedApi {
    server: Server,
    key: SecretName,
}

impl KeyedApi {
    /// Reads the fields `key` and `server`; `what` describes the key.
    pub(crate) fn read(
        fields: &mut DestinationFields<'_>,
        what: &str,
        default_server: &'static str,
    ) -> Option<Self> {
        let key = fields.secret("key", what);
        let server = fields.server("server", default_server);
        Some(Self {
            server: server?,
            key: key?,
        })
    }

    pub(crate) fn key(&self) -> &SecretName {
        &self.key
    }

    /// The URL of a post.
    pub(crate) fn url(&self, post: &Post) -> String {
        format!("{}{}", self.server.as_str(), post.path)
    }
}
