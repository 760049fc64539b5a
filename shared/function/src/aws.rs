//! The configuration of all AWS clients.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};

/// The timeout of one connection to AWS. A lost SYN is sent again after one second.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The timeout of one attempt. From the farthest region, connecting and reading a full group takes about two seconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// The timeout of one operation with all attempts: half of the time that the checker reserves after the checks, so that
/// a write and a read that both hang end as errors within the invocation. The relay then sends without its ledger, and
/// the status page returns an error page.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);

/// The configuration of clients in `region`, with the credentials of the environment.
pub async fn aws_config(region: String) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region))
        .timeout_config(timeouts)
        .load()
        .await
}
