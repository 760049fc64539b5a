//! A stand-in of SNS: `Publish`, as the real SDK sends it and with the limits of the real one, and what is asked of its
//! account.

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

/// SNS on 127.0.0.1; dropping it stops it.
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
    /// Starts one. What it accepts comes out of the receiver, before the publisher hears of it.
    ///
    /// # Errors
    /// When it cannot listen.
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

    /// Answers the next `requests` with an error of its own. The SDK tries each call three times unless told
    /// otherwise.
    pub fn fail_next(&self, requests: u64) {
        self.shared.failures.store(requests, Ordering::SeqCst);
    }

    /// From now on, the account is this one; at first it has no subscriptions, and never set anything.
    pub fn set_account(&self, account: Account) {
        *self.shared.account.lock().unwrap_or_else(PoisonError::into_inner) = account;
    }

    /// Where it listens, as the SDK's `AWS_ENDPOINT_URL` takes it. Its path is the secret of this run.
    pub fn endpoint_url(&self) -> String {
        self.server.url()
    }

    /// A client of it.
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
            return failure("as the test asked for");
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
