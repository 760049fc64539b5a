//! An embedded DynamoDB on loopback, for the AWS SDK over HTTP.

use std::future::pending;
use std::io;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_dynamodb::primitives::{DateTime, DateTimeFormat};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use portpulse_local_aws::dynamodb::{DynamoDb, DynamoDbError};
use portpulse_store::dynamo::DynamoTable;
use portpulse_store::keys::{PK, SK};
use portpulse_store::meter::Meter;

use crate::server::{Server, response};

pub use portpulse_local_aws::dynamodb::TABLE;

/// A DynamoDB on 127.0.0.1 with one table, [`TABLE`]. Stops when dropped.
#[derive(Debug)]
pub struct EmbeddedDynamo {
    server: Server,
    client: Client,
    conditions: Arc<Conditions>,
}

/// What a test changes about the answers.
#[derive(Debug, Default)]
struct Conditions {
    fault: Mutex<Fault>,
    /// How far the clock of the server is ahead, in seconds.
    ahead: AtomicI64,
}

/// How the server fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fault {
    /// It does not fail.
    #[default]
    None,
    /// No answer comes.
    Hangs,
    /// The credentials have no permission.
    Denied,
    /// The capacity of the table is exceeded.
    Throttled,
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
        let conditions = Arc::new(Conditions::default());
        let router = Router::new()
            .route("/", post(answer))
            .with_state((DynamoDb::in_memory()?, Arc::clone(&conditions)));
        let server = Server::start(router).await?;
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(server.url())
            .credentials_provider(Credentials::new("test", "test", None, None, "testkit"))
            .build();
        let client = Client::from_conf(config);
        Ok(Self {
            server,
            client,
            conditions,
        })
    }

    /// Lets all requests fail from now on, or none.
    pub fn set_fault(&self, fault: Fault) {
        *self
            .conditions
            .fault
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// Sets how far the clock in the header `Date` is ahead of that of this machine, in seconds.
    pub fn set_clock_ahead(&self, seconds: i64) {
        self.conditions.ahead.store(seconds, Ordering::SeqCst);
    }

    /// The URL for `AWS_ENDPOINT_URL`. The path is the secret of this run.
    pub fn endpoint_url(&self) -> String {
        self.server.url()
    }

    /// A client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Another table of the same layout, such as that of a standby region.
    ///
    /// # Errors
    /// If the table cannot be created.
    pub async fn create_table(&self, name: &str) -> Result<DynamoTable, aws_sdk_dynamodb::Error> {
        let mut creating = self
            .client
            .create_table()
            .table_name(name)
            .billing_mode(BillingMode::PayPerRequest);
        for (key, kind) in [(PK, KeyType::Hash), (SK, KeyType::Range)] {
            let attribute = AttributeDefinition::builder()
                .attribute_name(key)
                .attribute_type(ScalarAttributeType::S)
                .build()?;
            let element = KeySchemaElement::builder()
                .attribute_name(key)
                .key_type(kind)
                .build()?;
            creating = creating.attribute_definitions(attribute).key_schema(element);
        }
        creating.send().await?;
        Ok(DynamoTable::new(self.client.clone(), name.to_owned()))
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

async fn answer(
    State((dynamodb, conditions)): State<(DynamoDb, Arc<Conditions>)>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let fault = *conditions.fault.lock().unwrap_or_else(PoisonError::into_inner);
    let refusal = match fault {
        Fault::None => None,
        Fault::Hangs => return pending().await,
        Fault::Denied => Some("com.amazon.coral.service#AccessDeniedException"),
        Fault::Throttled => Some("com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"),
    };
    let mut response = match refusal {
        Some(kind) => {
            let body = format!("{{\"__type\":\"{kind}\",\"message\":\"injected by the test\"}}");
            (StatusCode::BAD_REQUEST, body).into_response()
        }
        None => {
            let target = headers
                .get("x-amz-target")
                .and_then(|target| target.to_str().ok());
            let target = target.unwrap_or_default().to_owned();
            let answer = tokio::task::spawn_blocking(move || dynamodb.answer(&target, &body)).await;
            answer.map_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response(), response)
        }
    };
    let ahead = conditions.ahead.load(Ordering::SeqCst);
    if ahead != 0 {
        let seconds = DateTime::from(SystemTime::now()).secs().saturating_add(ahead);
        let date = DateTime::from_secs(seconds).fmt(DateTimeFormat::HttpDate).ok();
        if let Some(date) = date.and_then(|date| HeaderValue::from_str(&date).ok()) {
            response.headers_mut().insert(header::DATE, date);
        }
    }
    response
}
