//! An embedded DynamoDB on loopback, for the AWS SDK over HTTP.

use std::io;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use portpulse_local_aws::dynamodb::{DynamoDb, DynamoDbError};
use portpulse_store::dynamo::DynamoTable;
use portpulse_store::meter::Meter;

use crate::server::{Server, response};

pub use portpulse_local_aws::dynamodb::TABLE;

/// A DynamoDB on 127.0.0.1 with one table, [`TABLE`]. Stops when dropped.
#[derive(Debug)]
pub struct EmbeddedDynamo {
    server: Server,
    client: Client,
}

/// The embedded DynamoDB failed to start.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] DynamoDbError),
    /// The server cannot listen.
    #[error("cannot listen on 127.0.0.1")]
    Listen(#[from] io::Error),
}

impl EmbeddedDynamo {
    /// Starts an empty database in memory.
    ///
    /// # Errors
    /// If the server cannot listen, or the table cannot be created.
    pub async fn start() -> Result<Self, EmbeddedError> {
        let router = Router::new()
            .route("/", post(answer))
            .with_state(DynamoDb::in_memory()?);
        let server = Server::start(router).await?;
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(server.url())
            .credentials_provider(Credentials::new("test", "test", None, None, "testkit"))
            .build();
        let client = Client::from_conf(config);
        Ok(Self { server, client })
    }

    /// The URL for `AWS_ENDPOINT_URL`. The path is the secret of this run.
    pub fn endpoint_url(&self) -> String {
        self.server.url()
    }

    /// A client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The table through a client with a [`Meter`].
    pub fn metered_table(&self) -> (DynamoTable, Meter) {
        let meter = Meter::default();
        let config = self.client.config().to_builder().interceptor(meter.clone());
        let client = Client::from_conf(config.build());
        (DynamoTable::new(client, TABLE), meter)
    }

    /// The table.
    pub fn table(&self) -> DynamoTable {
        DynamoTable::new(self.client.clone(), TABLE)
    }
}

async fn answer(State(dynamodb): State<DynamoDb>, headers: HeaderMap, body: String) -> Response {
    let target = headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok());
    let target = target.unwrap_or_default().to_owned();
    let answer = tokio::task::spawn_blocking(move || dynamodb.answer(&target, &body)).await;
    answer.map_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response(), response)
}
