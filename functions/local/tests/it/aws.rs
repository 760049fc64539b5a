//! A table and a topic that the program accesses as in AWS: by name and region, with endpoints from the environment.

use std::process::Command;

use portpulse_store::Store;
use portpulse_store::dynamo::DynamoTable;
use portpulse_testkit::embedded::{EmbeddedDynamo, TABLE};
use portpulse_testkit::sns::{Published, SnsServer};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::program::{Run, portpulse};

/// The table and the topic of one test.
pub(crate) struct Aws {
    runtime: Runtime,
    pub(crate) dynamodb: EmbeddedDynamo,
    pub(crate) sns: SnsServer,
    pub(crate) published: UnboundedReceiver<Published>,
}

impl Aws {
    pub(crate) fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let dynamodb = runtime.block_on(EmbeddedDynamo::start()).unwrap();
        let (sns, published) = runtime.block_on(SnsServer::start()).unwrap();
        Self {
            runtime,
            dynamodb,
            sns,
            published,
        }
    }

    pub(crate) fn store(&self) -> Store<DynamoTable> {
        Store::new(self.dynamodb.table())
    }

    pub(crate) fn wait<R>(&self, work: impl Future<Output = R>) -> R {
        self.runtime.block_on(work)
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        Run::of(self.command(args).output().unwrap())
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.environment();
        command
            .args(args)
            .args(["--table", TABLE, "--region", "eu-west-1"]);
        command
    }

    /// The program with endpoints and credentials, without arguments.
    pub(crate) fn environment(&self) -> Command {
        let mut command = portpulse();
        command
            .env("AWS_ENDPOINT_URL", self.dynamodb.endpoint_url())
            .env("AWS_ENDPOINT_URL_SNS", self.sns.endpoint_url())
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env_remove("AWS_PROFILE");
        command
    }
}
