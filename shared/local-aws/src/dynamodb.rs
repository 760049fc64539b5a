//! DynamoDB in a file or in memory, with the one table of the project.

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

/// What the header `X-Amz-Target` has before the operation.
const TARGET: &str = "DynamoDB_20120810.";

/// DynamoDB with one table, [`TABLE`]; a clone is another handle to the same.
#[derive(Clone)]
pub struct DynamoDb(Database);

/// A database that could not be opened or cleaned up.
#[derive(Debug, thiserror::Error)]
pub enum DynamoDbError {
    /// The database could not be opened.
    #[error("could not open the database")]
    Open(#[source] Source),
    /// The table could not be made.
    #[error("could not create the table `{TABLE}`")]
    CreateTable(#[source] Source),
    /// Expired items could not be removed.
    #[error("could not remove expired items")]
    RemoveExpired(#[source] Source),
}

type Source = Box<dyn std::error::Error + Send + Sync>;

impl fmt::Debug for DynamoDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DynamoDb")
    }
}

impl DynamoDb {
    /// Opens the database in `file`, which is made if it is not there.
    ///
    /// # Errors
    /// When the file cannot be opened or the table cannot be made.
    pub fn open(file: &Path) -> Result<Self, DynamoDbError> {
        Self::with_table(Database::new(&file.display().to_string()))
    }

    /// An empty database in memory.
    ///
    /// # Errors
    /// When the table cannot be made.
    pub fn in_memory() -> Result<Self, DynamoDbError> {
        Self::with_table(Database::memory())
    }

    /// Makes the table as it is deployed: two text keys, on demand, items that expire. One that is there already stays.
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

    /// Answers an operation, such as `DynamoDB_20120810.PutItem`. It blocks while the database works.
    pub fn answer(&self, target: &str, body: &str) -> Answer {
        match self.run(target.strip_prefix(TARGET).unwrap_or_default(), body) {
            Ok(body) => Answer { status: 200, body },
            Err(error) => Answer {
                status: error.status_code(),
                body: error.to_json(),
            },
        }
    }

    /// Removes the items that have expired, as DynamoDB does by itself, and returns how many there were.
    ///
    /// # Errors
    /// When the database cannot be written to.
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

/// Reads a request, has it done, and writes the answer.
fn run<Q: DeserializeOwned, A: Serialize>(
    body: &str,
    work: impl FnOnce(Q) -> dynoxide::Result<A>,
) -> dynoxide::Result<String> {
    let request =
        serde_json::from_str(body).map_err(|error| DynoxideError::ValidationException(error.to_string()))?;
    serde_json::to_string(&work(request)?)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}
