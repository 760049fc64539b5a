//! The HTTP client: one request, one answer of bounded size, no redirects.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use http::header::RETRY_AFTER;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};

use crate::answer::Answer;

/// The maximum number of bytes of an answer that are read, for error messages and requested pauses.
const MAX_ANSWER_BYTES: usize = 16 * 1024;
/// How long an idle connection is reused for more messages.
const IDLE: Duration = Duration::from_secs(5);

/// Sends requests over HTTP/1.1, with TLS for https. Clones share connections.
#[derive(Debug, Clone)]
pub struct Client(legacy::Client<HttpsConnector<HttpConnector>, Full<bytes::Bytes>>);

/// TLS cannot be set up on this machine.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// There are no trusted root certificates.
    #[error("this machine has no trusted root certificates: install the package `ca-certificates`")]
    NoRootCertificates,
    /// The crypto provider does not support the TLS versions.
    #[error("the crypto provider does not support TLS")]
    Unsupported(#[source] rustls::Error),
}

/// A request without a complete answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No answer arrived in time.
    #[error("no answer within {after:?}")]
    Timeout {
        /// The timeout.
        after: Duration,
    },
    /// The connection failed.
    #[error("the request failed")]
    Request(#[source] legacy::Error),
    /// The connection closed during the answer.
    #[error("the connection closed before the answer was complete")]
    Answer(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Client {
    /// A client that trusts the root certificates of this machine.
    ///
    /// # Errors
    /// If there are none.
    pub fn new() -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if added == 0 {
            return Err(TlsError::NoRootCertificates);
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Unsupported)?
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

    /// Sends the request and waits for the complete answer.
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
            // The body is too large, and the status is enough.
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
