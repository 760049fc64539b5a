//! DynamoDB and SNS in this process, for the AWS SDK without a TCP socket.
//!
//! [`LocalAws`] answers requests of the SDK: in this process through [`Route::InProcess`], and from other processes of the
//! same user through [`Route::Socket`] and a Unix socket that [`socket::serve`] serves.

pub mod dynamodb;
mod route;
pub mod sns;
pub mod socket;

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use dynamodb::{DynamoDb, DynamoDbError};
use sns::{Published, Sns};

pub use route::Route;

/// The parts of an SDK request that determine the answer. Signatures are not checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The header `X-Amz-Target` with the operation of DynamoDB. SNS has the operation in the body.
    pub target: Option<String>,
    /// The body: JSON for DynamoDB, a form for SNS.
    pub body: String,
}

/// An answer to an SDK request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body: JSON from DynamoDB, XML from SNS.
    pub body: String,
}

/// DynamoDB with one table, and SNS. Clones share both.
#[derive(Debug, Clone)]
pub struct LocalAws {
    dynamodb: DynamoDb,
    sns: Arc<Sns>,
}

impl LocalAws {
    /// Opens the database in `file`, and creates the file if it is missing. The receiver gets published messages before
    /// the publisher gets the answer.
    ///
    /// # Errors
    /// If the database cannot be opened or the table cannot be created.
    pub fn open(file: &Path) -> Result<(Self, mpsc::UnboundedReceiver<Published>), DynamoDbError> {
        let dynamodb = DynamoDb::open(file)?;
        let (sns, published) = Sns::new();
        let sns = Arc::new(sns);
        Ok((Self { dynamodb, sns }, published))
    }

    /// An empty database in memory. Published messages are discarded.
    ///
    /// # Errors
    /// If the table cannot be created.
    pub fn in_memory() -> Result<Self, DynamoDbError> {
        let dynamodb = DynamoDb::in_memory()?;
        let (sns, _) = Sns::new();
        let sns = Arc::new(sns);
        Ok(Self { dynamodb, sns })
    }

    /// Answers a request. Blocks during database access.
    pub fn answer(&self, request: &Request) -> Answer {
        match &request.target {
            Some(target) => self.dynamodb.answer(target, &request.body),
            None => self.sns.answer(&request.body),
        }
    }

    /// The database.
    pub fn dynamodb(&self) -> &DynamoDb {
        &self.dynamodb
    }
}
