//! The HTTP client: one POST, one bounded answer, no redirects.

use std::sync::Arc;
use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};

/// The most bytes of an answer that are read: what it says of a refusal.
const MAX_ANSWER_BYTES: usize = 16 * 1024;
/// How long a connection waits for the next message of the same burst.
const IDLE: Duration = Duration::from_secs(5);

/// Posts over HTTP/1.1, with TLS wherever the address says https. A clone shares its connections.
#[derive(Debug, Clone)]
pub struct Client(legacy::Client<HttpsConnector<HttpConnector>, Full<bytes::Bytes>>);

/// TLS could not be set up on this machine.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// There is nobody to trust.
    #[error("this machine has no certificates of authorities: install its package `ca-certificates`")]
    NoAuthorities,
    /// The cryptography is not what TLS needs.
    #[error("the cryptography of this program does not fit TLS")]
    InvalidValue(#[source] rustls::Error),
}

/// An answer, as far as it is of use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: String,
}

/// No answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There was none in time.
    #[error("no answer within {after:?}")]
    Timeout {
        /// How long was waited.
        after: Duration,
    },
    /// The connection could not be made, or broke.
    #[error("the request failed")]
    Request(#[source] legacy::Error),
    /// The answer broke off.
    #[error("the answer broke off")]
    Answer(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Client {
    /// A client that trusts whom this machine trusts.
    ///
    /// # Errors
    /// When that is nobody.
    pub fn new() -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if added == 0 {
            return Err(TlsError::NoAuthorities);
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::InvalidValue)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_or_http()
            .enable_http1()
            .build();
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Self(client))
    }

    /// Posts, and waits for the whole answer.
    pub(crate) async fn post(
        &self,
        request: Request<String>,
        timeout: Duration,
    ) -> Result<Answer, ClientError> {
        let exchange = self.exchange(request);
        let answer = tokio::time::timeout(timeout, exchange).await;
        answer.unwrap_or(Err(ClientError::Timeout { after: timeout }))
    }

    async fn exchange(&self, request: Request<String>) -> Result<Answer, ClientError> {
        let request = request.map(|body| Full::new(bytes::Bytes::from(body)));
        let response = self.0.request(request).await.map_err(ClientError::Request)?;
        let (head, body) = response.into_parts();
        let retry_after = head.headers.get(RETRY_AFTER);
        let body = match Limited::new(body, MAX_ANSWER_BYTES).collect().await {
            Ok(body) => String::from_utf8_lossy(&body.to_bytes()).into_owned(),
            // The status has said it all.
            Err(error) if error.is::<LengthLimitError>() => String::new(),
            Err(error) => return Err(ClientError::Answer(error)),
        };
        Ok(Answer {
            status: head.status,
            retry_after: retry_after.and_then(|text| Some(text.to_str().ok()?.to_owned())),
            body,
        })
    }
}
