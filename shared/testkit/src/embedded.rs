//! An embedded DynamoDB, spoken to with the real SDK.

use std::fmt;
use std::io;
use std::path::Path;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::update_time_to_live::UpdateTimeToLiveError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TimeToLiveSpecification,
};
use dynoxide::Database;
use portpulse_store::dynamo::DynamoTable;
use portpulse_store::keys::{EXPIRES_AT, PK, SK};

use crate::meter::Meter;
use crate::server::{Server, dropped};

/// The name of the table.
pub const TABLE: &str = "portpulse";

/// A DynamoDB on 127.0.0.1 with one table, [`TABLE`]; dropping it stops it.
pub struct EmbeddedDynamo {
    server: Server,
    client: Client,
    database: Database,
}

/// An embedded DynamoDB that could not be started.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// Its database could not be opened.
    #[error("could not open the database {at}")]
    Open {
        /// Where it is.
        at: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It could not listen.
    #[error("could not listen on 127.0.0.1")]
    Listen(#[source] io::Error),
    /// Its table could not be made.
    #[error("could not create the table `{TABLE}`")]
    CreateTable(#[source] Box<SdkError<CreateTableError>>),
    /// Its table could not be told which items expire.
    #[error("could not let items of the table `{TABLE}` expire")]
    Expiry(#[source] Box<SdkError<UpdateTimeToLiveError>>),
    /// What has expired could not be removed.
    #[error("could not remove what has expired")]
    Sweep(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl fmt::Debug for EmbeddedDynamo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedDynamo")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl EmbeddedDynamo {
    /// Starts an empty one in memory.
    ///
    /// # Errors
    /// When it cannot listen, or its table cannot be made.
    pub async fn start() -> Result<Self, EmbeddedError> {
        Self::serve(Database::memory(), "in memory").await
    }

    /// Starts one on a file, which is made if it is not there.
    ///
    /// # Errors
    /// When the file cannot be opened, and as with [`EmbeddedDynamo::start`].
    pub async fn open(file: &Path) -> Result<Self, EmbeddedError> {
        let path = file.display().to_string();
        Self::serve(Database::new(&path), &path).await
    }

    async fn serve(database: dynoxide::Result<Database>, at: &str) -> Result<Self, EmbeddedError> {
        let database = database.map_err(|error| EmbeddedError::Open {
            at: at.to_owned(),
            source: Box::new(error),
        })?;
        let served = database.clone();
        let server = Server::spawn(|listener, stopped| async move {
            drop(dynoxide::server::serve_with_shutdown(listener, served, dropped(stopped)).await);
        });
        let server = server.await.map_err(EmbeddedError::Listen)?;
        let client = connect(&format!("http://{}", server.address()));
        create_table(&client).await?;
        Ok(Self {
            server,
            client,
            database,
        })
    }

    /// Removes the items that have expired, as DynamoDB does by itself, and tells how many there were.
    ///
    /// # Errors
    /// When the database cannot be written to.
    pub fn remove_expired(&self) -> Result<usize, EmbeddedError> {
        self.database
            .sweep_ttl()
            .map_err(|error| EmbeddedError::Sweep(Box::new(error)))
    }

    /// Where it listens, as the SDK's `AWS_ENDPOINT_URL` takes it.
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// A client of it.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Its table, by a client whose requests are counted.
    pub fn metered_table(&self) -> (DynamoTable, Meter) {
        let meter = Meter::default();
        let config = self.client.config().to_builder().interceptor(meter.clone());
        let client = Client::from_conf(config.build());
        (DynamoTable::new(client, TABLE), meter)
    }

    /// Its table.
    pub fn table(&self) -> DynamoTable {
        DynamoTable::new(self.client.clone(), TABLE)
    }
}

/// A client of the one that listens at `endpoint`.
pub fn connect(endpoint: &str) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(Credentials::new("test", "test", None, None, "testkit"))
        .build();
    Client::from_conf(config)
}

/// Makes the table as it is deployed: two text keys, on demand. One that is there already stays.
async fn create_table(client: &Client) -> Result<(), EmbeddedError> {
    let failed = |error| EmbeddedError::CreateTable(Box::new(error));
    let mut request = client
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest);
    for (name, role) in [(PK, KeyType::Hash), (SK, KeyType::Range)] {
        let key = KeySchemaElement::builder().attribute_name(name).key_type(role);
        let attribute = AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S);
        let built = |error| failed(SdkError::construction_failure(error));
        request = request
            .key_schema(key.build().map_err(built)?)
            .attribute_definitions(attribute.build().map_err(built)?);
    }
    match Box::pin(request.send()).await {
        Ok(_) => expire(client).await,
        Err(error)
            if error
                .as_service_error()
                .is_some_and(CreateTableError::is_resource_in_use_exception) =>
        {
            Ok(())
        }
        Err(error) => Err(failed(error)),
    }
}

/// Names the attribute that says when an item expires.
async fn expire(client: &Client) -> Result<(), EmbeddedError> {
    let failed = |error| EmbeddedError::Expiry(Box::new(error));
    let expiry = TimeToLiveSpecification::builder()
        .attribute_name(EXPIRES_AT)
        .enabled(true);
    let expiry = expiry
        .build()
        .map_err(|error| failed(SdkError::construction_failure(error)))?;
    let request = client
        .update_time_to_live()
        .table_name(TABLE)
        .time_to_live_specification(expiry);
    Box::pin(request.send()).await.map(drop).map_err(failed)
}
