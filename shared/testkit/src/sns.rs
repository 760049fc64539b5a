//! A stand-in for SNS: `Publish` with the limits of SNS, and reads of account settings.

mod account;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_sns::Client;
use aws_sdk_sns::config::{BehaviorVersion, Config, Credentials, Region};
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use portpulse_local_aws::Answer;
use portpulse_local_aws::sns::{Sns, failure, form};
use tokio::sync::mpsc;

use crate::server::{Server, response};

pub use account::{Account, Subscription};
pub use portpulse_local_aws::sns::{Published, TOPIC_ARN, Texts};

/// SNS on 127.0.0.1. Stops when dropped.
#[derive(Debug)]
pub struct SnsServer {
    server: Server,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    sns: Sns,
    failures: AtomicU64,
    account: Mutex<Account>,
}

impl SnsServer {
    /// Starts the server. The receiver gets accepted messages before the publisher gets the response.
    ///
    /// # Errors
    /// If the server cannot listen.
    pub async fn start() -> io::Result<(Self, mpsc::UnboundedReceiver<Published>)> {
        let (sns, receiver) = Sns::new();
        let shared = Arc::new(Shared {
            sns,
            failures: AtomicU64::new(0),
            account: Mutex::default(),
        });
        let answer = async |State(shared): State<Arc<Shared>>, body: String| response(shared.answer(&body));
        let router = Router::new()
            .route("/", post(answer))
            .with_state(Arc::clone(&shared));
        let server = Server::start(router).await?;
        Ok((Self { server, shared }, receiver))
    }

    /// Fails the next `requests` requests with an internal error. By default, the SDK makes three attempts for each call.
    pub fn fail_next(&self, requests: u64) {
        self.shared.failures.store(requests, Ordering::SeqCst);
    }

    /// Sets the account. The default has no subscriptions and no settings.
    pub fn set_account(&self, account: Account) {
        *self.shared.account.lock().unwrap_or_else(PoisonError::into_inner) = account;
    }

    /// The URL for `AWS_ENDPOINT_URL`. The path is the secret of this run.
    pub fn endpoint_url(&self) -> String {
        self.server.url()
    }

    /// A client.
    pub fn client(&self) -> Client {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(self.endpoint_url())
            .credentials_provider(Credentials::new("test", "test", None, None, "testkit"))
            .build();
        Client::from_conf(config)
    }
}

impl Shared {
    fn answer(&self, body: &str) -> Answer {
        let take_one = |left: u64| left.checked_sub(1);
        let failing = self
            .failures
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take_one);
        if failing.is_ok() {
            return failure("injected by the test");
        }
        let account = self
            .account
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        account
            .answer(&form(body))
            .unwrap_or_else(|| self.sns.answer(body))
    }
}
