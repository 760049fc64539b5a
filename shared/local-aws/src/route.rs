//! Transports for requests of the SDK to [`LocalAws`] without TCP.

use std::io;
use std::path::Path;
use std::sync::Arc;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;

use crate::{Answer, LocalAws, Request, socket};

/// A name that never resolves (RFC 6761), so that a request over TCP fails.
const ENDPOINT: &str = "http://local-aws.invalid";
const REGION: &str = "us-east-1";

/// A transport to [`LocalAws`].
#[derive(Debug, Clone)]
pub enum Route {
    /// Within this process: a call on a thread for blocking work, so that writes don't block the caller's runtime.
    InProcess(LocalAws),
    /// To another process of the same user, through the Unix socket at this path.
    Socket(Arc<Path>),
}

impl Route {
    /// A client of DynamoDB.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(ENDPOINT)
            .credentials_provider(credentials())
            .http_client(self.http_client());
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    /// A client of SNS.
    pub fn sns(&self) -> aws_sdk_sns::Client {
        let config = aws_sdk_sns::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(ENDPOINT)
            .credentials_provider(credentials())
            .http_client(self.http_client());
        aws_sdk_sns::Client::from_conf(config.build())
    }

    fn http_client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_, _| connector.clone())
    }

    async fn send(&self, request: Request) -> io::Result<Answer> {
        match self {
            Self::InProcess(aws) => {
                let aws = aws.clone();
                let answer = tokio::task::spawn_blocking(move || aws.answer(&request));
                answer.await.map_err(io::Error::other)
            }
            Self::Socket(path) => socket::send(path, &request).await,
        }
    }
}

impl HttpConnector for Route {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let route = self.clone();
        HttpConnectorFuture::new(async move {
            let request = read(&request).map_err(|error| ConnectorError::user(error.into()))?;
            let answer = route.send(request).await;
            let answer = answer.map_err(|error| ConnectorError::io(error.into()))?;
            let status = answer.status.try_into();
            let status = status.map_err(|error| ConnectorError::other(Box::new(error), None))?;
            Ok(HttpResponse::new(status, answer.body.into()))
        })
    }
}

/// The parts of an HTTP request that determine the answer.
fn read(request: &HttpRequest) -> Result<Request, &'static str> {
    let body = request.body().bytes().map(<[u8]>::to_vec);
    let body = body.and_then(|body| String::from_utf8(body).ok());
    Ok(Request {
        target: request.headers().get("x-amz-target").map(str::to_owned),
        body: body.ok_or("the request body is a stream or not UTF-8")?,
    })
}

/// Dummy credentials. The SDK signs each request, and signatures are not checked.
fn credentials() -> Credentials {
    Credentials::new("local", "local", None, None, "portpulse-local-aws")
}
