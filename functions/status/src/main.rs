//! The Lambda function of the status page: reads settings, creates clients, and serves requests.

use std::process::ExitCode;

use jiff::Timestamp;
use portpulse_alert::SnsTopic;
use portpulse_function::{aws_config, failure, serve};
use portpulse_history::{Groups, ReadLimit, Reader, Scope};
use portpulse_status::{Access, Pages, Site};
use portpulse_status_function::{
    Actions, Readers, Settings, is_monthly_report, read_token, request, response, send_monthly_report,
};
use portpulse_store::dynamo::DynamoTable;
use portpulse_store::{Store, chain};

/// How often an open page refreshes.
const REFRESH_SECONDS: u32 = 60;

fn main() -> ExitCode {
    portpulse_function::run(start())
}

async fn start() -> Result<(), portpulse_function::Error> {
    let settings = Settings::parse(|name| std::env::var(name).ok())?;
    let aws = aws_config(settings.home.region).await;
    let (access, form_secret) = match &settings.readers {
        Readers::Public => (Access::Public, None),
        Readers::Signed => (Access::Signed, None),
        Readers::WithToken(name, actions) => {
            let token = read_token(&aws_sdk_ssm::Client::new(&aws), name).await?;
            let form_secret = (*actions == Actions::Offered).then(|| token.form_secret());
            (Access::Token(token), form_secret)
        }
    };
    let table = DynamoTable::new(aws_sdk_dynamodb::Client::new(&aws), settings.home.table);
    let scope = Scope {
        groups: match settings.groups.is_empty() {
            true => Groups::Found,
            false => Groups::Known(settings.groups),
        },
        expected: settings.locations,
    };
    let store = Store::new(table.clone());
    let reader = Reader::new(table, scope, ReadLimit::default()).announcing(settings.upcoming);
    let objective = settings.page.objective;
    let site = Site::new(access, REFRESH_SECONDS).with_config(settings.page);
    let site = match form_secret {
        Some(secret) => site.with_actions(secret),
        None => site,
    };
    let reports = settings.report_topic.map(|arn| {
        let topic = SnsTopic::new(aws_sdk_sns::Client::new(&aws), arn);
        (reader.clone(), store.clone(), topic)
    });
    let pages = Pages::with_writer(site, reader, store, settings.readers.cache_lifetime());
    serve(async |invocation| {
        if is_monthly_report(&invocation.event) {
            let Some((reader, store, topic)) = &reports else {
                let text = "monthly reports have no topic: set PORTPULSE_REPORT_TOPIC_ARN";
                return Err(failure("NoReportTopic", [text.to_owned()]));
            };
            let (parts, request_id) = ((reader, store, topic), invocation.request_id);
            let sent = send_monthly_report(parts, objective, &request_id, Timestamp::now()).await;
            return sent.map_err(|error| failure("ReportFailed", [chain(&error)]));
        }
        let request = request(&invocation.event).map_err(|error| failure("InvalidEvent", [chain(&error)]))?;
        let answered = pages.answer(&request, Timestamp::now()).await;
        if let Some(error) = &answered.error {
            tracing::error!("failed to read the data of the page: {}", chain(error));
        }
        Ok(response(&answered.response.answering(&request), &request.method))
    })
    .await
}
