//! The Lambda function of the status page: reads settings, creates clients, and serves requests.

use std::process::ExitCode;

use jiff::Timestamp;
use portpulse_function::{aws_config, failure, serve};
use portpulse_history::{Groups, ReadLimit, Reader, Scope};
use portpulse_status::{Access, Pages, Site};
use portpulse_status_function::{Readers, Settings, read_token, request, response};
use portpulse_store::chain;
use portpulse_store::dynamo::DynamoTable;

/// How often an open page refreshes.
const REFRESH_SECONDS: u32 = 60;

fn main() -> ExitCode {
    portpulse_function::run(start())
}

async fn start() -> Result<(), portpulse_function::Error> {
    let settings = Settings::parse(|name| std::env::var(name).ok())?;
    let aws = aws_config(settings.home.region).await;
    let access = match &settings.readers {
        Readers::Public => Access::Public,
        Readers::Signed => Access::Signed,
        Readers::WithToken(name) => Access::Token(read_token(&aws_sdk_ssm::Client::new(&aws), name).await?),
    };
    let table = DynamoTable::new(aws_sdk_dynamodb::Client::new(&aws), settings.home.table);
    let scope = Scope {
        groups: match settings.groups.is_empty() {
            true => Groups::Found,
            false => Groups::Known(settings.groups),
        },
        expected: settings.locations,
    };
    let reader = Reader::new(table, scope, ReadLimit::default()).announcing(settings.upcoming);
    let pages = Pages::new(
        Site::new(access, REFRESH_SECONDS).with_config(settings.page),
        reader,
        settings.readers.cache_lifetime(),
    );
    serve(async |invocation| {
        let request = request(&invocation.event).map_err(|error| failure("InvalidEvent", [chain(&error)]))?;
        let answered = pages.answer(&request, Timestamp::now()).await;
        if let Some(error) = &answered.error {
            tracing::error!("failed to read the data of the page: {}", chain(error));
        }
        Ok(response(&answered.response.answering(&request), &request.method))
    })
    .await
}
