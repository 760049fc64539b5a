//! What an HTTP request carries besides method and path: header fields, a body, and the names of credentials.

use crate::secret::SecretName;

/// A header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<T> {
    /// The name.
    pub name: String,
    /// The value.
    pub value: T,
}

/// The credentials of a request. Only names of secrets; the values are read when the request is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// HTTP Basic authentication (RFC 7617).
    Basic {
        /// The user name.
        username: String,
        /// The name of the password.
        password: SecretName,
    },
    /// A bearer token (RFC 6750).
    Bearer(SecretName),
}

/// The header fields, the body and the credentials of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestContent {
    /// Header fields with literal values.
    pub headers: Vec<Header<String>>,
    /// Header fields whose values are secrets.
    pub secret_headers: Vec<Header<SecretName>>,
    /// The credentials.
    pub credentials: Option<Credentials>,
    /// The body.
    pub body: Option<String>,
}

/// Header fields that the client itself sets: they describe the connection or the length of the body.
const RESERVED: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// Header fields whose values are secrets.
const SECRET: &[&str] = &[
    "api-key",
    "authorization",
    "cookie",
    "proxy-authorization",
    "x-api-key",
    "x-auth-token",
];

/// Why a header field is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHeader {
    /// The name is not a token of RFC 9110, section 5.6.2, or is too long.
    #[error("is not the name of a header field")]
    Name,
    /// The client sets the field.
    #[error("is set by the client")]
    Reserved,
    /// The value is a secret.
    #[error("is a secret, which does not belong in definitions")]
    Secret,
    /// The value is empty, too long or not printable ASCII.
    #[error("is not a value of a header field")]
    Value,
}

impl RequestContent {
    /// The maximum number of header fields of each kind.
    pub const MAX_HEADERS: usize = 20;
    /// The maximum length of the name of a header field, in bytes.
    pub const MAX_NAME_BYTES: usize = 64;
    /// The maximum length of the value of a header field, and of a user name, in bytes.
    pub const MAX_VALUE_BYTES: usize = 1024;
    /// The maximum length of the body, in bytes.
    pub const MAX_BODY_BYTES: usize = 8 * 1024;

    /// Whether a field with a literal value can be sent.
    ///
    /// # Errors
    /// Why not.
    pub fn check_header(name: &str, value: &str) -> Result<(), InvalidHeader> {
        Self::check_name(name)?;
        if SECRET.iter().any(|secret| name.eq_ignore_ascii_case(secret)) {
            return Err(InvalidHeader::Secret);
        }
        let is_printable = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
        let fits = (1..=Self::MAX_VALUE_BYTES).contains(&value.len()) && value == value.trim();
        if !fits || !value.bytes().all(is_printable) {
            return Err(InvalidHeader::Value);
        }
        Ok(())
    }

    /// Whether a field with this name can be sent.
    ///
    /// # Errors
    /// Why not.
    pub fn check_name(name: &str) -> Result<(), InvalidHeader> {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if !(1..=Self::MAX_NAME_BYTES).contains(&name.len()) || !name.bytes().all(is_token) {
            return Err(InvalidHeader::Name);
        }
        if RESERVED
            .iter()
            .any(|reserved| name.eq_ignore_ascii_case(reserved))
        {
            return Err(InvalidHeader::Reserved);
        }
        Ok(())
    }

    /// The names of all secrets.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretName> {
        let credentials = self.credentials.as_ref().map(|credentials| match credentials {
            Credentials::Basic { password, .. } => password,
            Credentials::Bearer(token) => token,
        });
        let headers = self.secret_headers.iter().map(|header| &header.value);
        headers.chain(credentials)
    }

    /// The content for another origin: without secrets.
    #[must_use]
    pub fn without_secrets(&self) -> Self {
        Self {
            headers: self.headers.clone(),
            body: self.body.clone(),
            ..Self::default()
        }
    }

    /// Whether a literal header field has this name.
    pub fn has_header(&self, name: &str) -> bool {
        self.headers
            .iter()
            .any(|header| header.name.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_that_is_reserved_secret_or_malformed_is_refused() {
        use InvalidHeader as E;
        for (name, value, expected) in [
            ("X-Env", "prod", Ok(())),
            ("Host", "shop.example.com", Ok(())),
            ("Accept", "text/html, */*", Ok(())),
            ("content-length", "3", Err(E::Reserved)),
            ("Transfer-Encoding", "chunked", Err(E::Reserved)),
            ("Authorization", "Bearer x", Err(E::Secret)),
            ("COOKIE", "a=b", Err(E::Secret)),
            ("X Env", "prod", Err(E::Name)),
            ("X:", "prod", Err(E::Name)),
            ("", "prod", Err(E::Name)),
            ("X-Env", "a\r\nX-Other: b", Err(E::Value)),
            ("X-Env", "", Err(E::Value)),
            ("X-Env", " prod", Err(E::Value)),
            ("X-Env", "größe", Err(E::Value)),
        ] {
            assert_eq!(
                RequestContent::check_header(name, value),
                expected,
                "{name}: {value}"
            );
        }
    }
}
