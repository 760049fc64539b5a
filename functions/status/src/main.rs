//! The Lambda function of the status page: reads settings, creates clients, and serves requests.

use std::process::ExitCode;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use portpulse_history::{Groups, ReadLimit, Reader, Scope};
use portpulse_status::{Access, Pages, Site};
use portpulse_status_function::{Readers, Settings, read_token, request, response};
use portpulse_store::chain;
use portpulse_store::dynamo::DynamoTable;
use serde_json::Value;

/// How often an open page refreshes.
const REFRESH_SECONDS: u32 = 60;
/// The timeout of an AWS operation including retries, so that an error page is returned before the function times out.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .json()
        .with_current_span(false)
        .with_target(false)
        .without_time()
        .init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), lambda_runtime::Error> {
    let settings = Settings::parse(|name| std::env::var(name).ok())?;
    let timeouts = TimeoutConfig::builder()
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    let aws = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(settings.home_region))
        .timeout_config(timeouts)
        .load()
        .await;
    let access = access(&settings.readers, &aws).await?;
    let table = DynamoTable::new(aws_sdk_dynamodb::Client::new(&aws), settings.table);
    let scope = Scope {
        groups: match settings.groups.is_empty() {
            true => Groups::Found,
            false => Groups::Known(settings.groups),
        },
        expected: settings.locations,
    };
    let reader = Reader::new(table, scope, ReadLimit::default()).announcing(settings.upcoming);
    let pages = Pages::new(
        Site::new(access, REFRESH_SECONDS),
        reader,
        settings.readers.cache_lifetime(),
    );

    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        let request = request(&event.payload)?;
        let answered = pages.answer(&request, Timestamp::now()).await;
        if let Some(error) = &answered.error {
            tracing::error!("failed to read the data of the page: {}", chain(error));
        }
        Ok::<_, lambda_runtime::Error>(response(answered.response, request.method))
    }))
    .await
}

async fn access(readers: &Readers, aws: &SdkConfig) -> Result<Access, lambda_runtime::Error> {
    Ok(match readers {
        Readers::Public => Access::Public,
        Readers::Signed => Access::Signed,
        Readers::WithToken(parameter) => {
            Access::Token(read_token(&aws_sdk_ssm::Client::new(aws), parameter).await?)
        }
    })
}
