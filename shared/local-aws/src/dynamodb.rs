//! DynamoDB in a file or in memory, with the table of Portpulse.

use std::fmt;
use std::path::Path;

use dynoxide::{Database, DynoxideError};
use portpulse_store::keys::{EXPIRES_AT, PK, SK};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::Answer;

/// The name of the table.
pub const TABLE: &str = "portpulse";

/// The prefix of the operation in the header `X-Amz-Target`.
const TARGET_PREFIX: &str = "DynamoDB_20120810.";

/// DynamoDB with one table, [`TABLE`]. Clones share the database.
#[derive(Clone)]
pub struct DynamoDb(Database);

/// The database cannot be opened or cleaned up.
#[derive(Debug, thiserror::Error)]
pub enum DynamoDbError {
    /// The database cannot be opened.
    #[error("cannot open the database")]
    Open(#[source] Source),
    /// The table cannot be created.
    #[error("cannot create the table `{TABLE}`")]
    CreateTable(#[source] Source),
    /// Expired items cannot be removed.
    #[error("cannot remove expired items")]
    RemoveExpired(#[source] Source),
}

type Source = Box<dyn std::error::Error + Send + Sync>;

impl fmt::Debug for DynamoDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DynamoDb")
    }
}

impl DynamoDb {
    /// Opens the database in `file`, and creates the file if it is missing.
    ///
    /// # Errors
    /// If the file cannot be opened or the table cannot be created.
    pub fn open(file: &Path) -> Result<Self, DynamoDbError> {
        Self::with_table(Database::new(&file.display().to_string()))
    }

    /// An empty database in memory.
    ///
    /// # Errors
    /// If the table cannot be created.
    pub fn in_memory() -> Result<Self, DynamoDbError> {
        Self::with_table(Database::memory())
    }

    /// Creates the table as deployed (two text keys, on-demand capacity, time to live), unless it exists.
    fn with_table(database: dynoxide::Result<Database>) -> Result<Self, DynamoDbError> {
        let database = database.map_err(|error| DynamoDbError::Open(error.into()))?;
        let failed = |error: DynoxideError| DynamoDbError::CreateTable(error.into());
        let table = json!({
            "TableName": TABLE,
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [
                { "AttributeName": PK, "KeyType": "HASH" },
                { "AttributeName": SK, "KeyType": "RANGE" },
            ],
            "AttributeDefinitions": [
                { "AttributeName": PK, "AttributeType": "S" },
                { "AttributeName": SK, "AttributeType": "S" },
            ],
        });
        match run(&table.to_string(), |request| database.create_table(request)) {
            Ok(_) => {}
            Err(DynoxideError::ResourceInUseException(_)) => return Ok(Self(database)),
            Err(error) => return Err(failed(error)),
        }
        let expiry = json!({
            "TableName": TABLE,
            "TimeToLiveSpecification": { "AttributeName": EXPIRES_AT, "Enabled": true },
        });
        run(&expiry.to_string(), |request| {
            database.update_time_to_live(request)
        })
        .map_err(failed)?;
        Ok(Self(database))
    }

    /// Answers an operation such as `DynamoDB_20120810.PutItem`. Blocks during database access.
    pub fn answer(&self, target: &str, body: &str) -> Answer {
        match self.run(target.strip_prefix(TARGET_PREFIX).unwrap_or_default(), body) {
            Ok(body) => Answer { status: 200, body },
            Err(error) => Answer {
                status: error.status_code(),
                body: error.to_json(),
            },
        }
    }

    /// Removes expired items, as DynamoDB does, and returns their number.
    ///
    /// # Errors
    /// If the database cannot be written to.
    pub fn remove_expired(&self) -> Result<usize, DynamoDbError> {
        self.0
            .sweep_ttl()
            .map_err(|error| DynamoDbError::RemoveExpired(error.into()))
    }

    fn run(&self, operation: &str, body: &str) -> dynoxide::Result<String> {
        let database = &self.0;
        match operation {
            "BatchGetItem" => run(body, |request| database.batch_get_item(request)),
            "BatchWriteItem" => run(body, |request| database.batch_write_item(request)),
            "CreateTable" => run(body, |request| database.create_table(request)),
            "DeleteItem" => run(body, |request| database.delete_item(request)),
            "DescribeTable" => run(body, |request| database.describe_table(request)),
            "GetItem" => run(body, |request| database.get_item(request)),
            "PutItem" => run(body, |request| database.put_item(request)),
            "Query" => run(body, |request| database.query(request)),
            "Scan" => run(body, |request| database.scan(request)),
            "TransactGetItems" => run(body, |request| database.transact_get_items(request)),
            "TransactWriteItems" => run(body, |request| database.transact_write_items(request)),
            "UpdateItem" => run(body, |request| database.update_item(request)),
            _ => {
                let message = format!("`{operation}` is not supported by the local DynamoDB");
                Err(DynoxideError::ValidationException(message))
            }
        }
    }
}

/// Parses a request, runs it, and serializes the result.
fn run<Q: DeserializeOwned, A: Serialize>(
    body: &str,
    work: impl FnOnce(Q) -> dynoxide::Result<A>,
) -> dynoxide::Result<String> {
    let request =
        serde_json::from_str(body).map_err(|error| DynoxideError::ValidationException(error.to_string()))?;
    serde_json::to_string(&work(request)?)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}
