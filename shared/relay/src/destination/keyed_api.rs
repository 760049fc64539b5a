//! The API of a service that knows by a key whom it serves.

use super::Post;
use crate::address::Server;
use crate::fields::Fields;
use crate::secret::SecretName;

/// Where a pager takes alerts, and the key to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedApi {
    server: Server,
    key: SecretName,
}

impl KeyedApi {
    /// Reads the fields `key` and `server`; `what` says what the key is, `usual` is the server where none is given.
    pub(crate) fn read(fields: &mut Fields<'_>, what: &str, usual: &'static str) -> Option<Self> {
        let key = fields.secret("key", what);
        let server = fields.server("server", usual);
        Some(Self {
            server: server?,
            key: key?,
        })
    }

    pub(crate) fn key(&self) -> &SecretName {
        &self.key
    }

    /// The address that a message goes to.
    pub(crate) fn url(&self, post: &Post) -> String {
        format!("{}{}", self.server.as_str(), post.path)
    }
}
