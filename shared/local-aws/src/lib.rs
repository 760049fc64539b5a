//! DynamoDB and SNS within this process, spoken to with the real SDK and without a TCP socket.
//!
//! [`LocalAws`] answers requests of the SDK: of this process by [`Route::InProcess`], of other processes of the same user
//! over a Unix socket that [`socket::serve`] listens on and [`Route::Socket`] connects to.

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

/// The parts of a request of the SDK that decide its answer. Signatures are not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The header `X-Amz-Target`, which names the operation of DynamoDB; SNS has its operation in the body.
    pub target: Option<String>,
    /// The body: JSON for DynamoDB, a form for SNS.
    pub body: String,
}

/// An answer as the SDK reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body: JSON from DynamoDB, XML from SNS.
    pub body: String,
}

/// DynamoDB with its one table, and SNS; a clone is another handle to the same.
#[derive(Debug, Clone)]
pub struct LocalAws {
    dynamodb: DynamoDb,
    sns: Arc<Sns>,
}

impl LocalAws {
    /// Opens the database in `file`, which is made if it is not there. What is published comes out of the receiver,
    /// before the publisher hears of it.
    ///
    /// # Errors
    /// When the database cannot be opened or its table cannot be made.
    pub fn open(file: &Path) -> Result<(Self, mpsc::UnboundedReceiver<Published>), DynamoDbError> {
        let dynamodb = DynamoDb::open(file)?;
        let (sns, published) = Sns::new();
        let sns = Arc::new(sns);
        Ok((Self { dynamodb, sns }, published))
    }

    /// Answers a request. It blocks while the database works.
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
