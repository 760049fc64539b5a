//! Validates the retries of a monitor: they must fit into a tick.

use std::time::Duration;

use super::field::{Field, Values};
use super::reader::Reader;
use crate::choice::Expect;
use crate::retry::{MAX_RETRY_WINDOW, RetryPolicy};
use crate::time::format_duration;

/// The retries with an interval below a minute, unless written: the presets assume at least a minute.
const SHORT_INTERVAL: RetryPolicy = RetryPolicy {
    count: 1,
    interval: Duration::from_secs(1),
};

impl Reader<'_> {
    /// The retries, or `None` after a diagnostic.
    ///
    /// Retries of a preset are reduced to those that fit, but at least one must: without any, a blip would open an
    /// incident. Written retries must fit.
    pub(super) fn retry(&mut self, values: &Values) -> Option<RetryPolicy> {
        if values.expect == Some(Expect::Closed) {
            // An open port is reported at once.
            for field in [Field::Retries, Field::RetryInterval] {
                if self.wrote_here(field) {
                    let what = "cannot be combined with `expect: closed`: an open port is reported at once";
                    self.diagnostic(field, what, format!("remove `{}`", field.name()));
                }
            }
            return Some(RetryPolicy::NONE);
        }
        let (interval, timeout) = (values.interval?, values.timeout?);
        let is_short = interval.is_below_minute();
        let mut policy = RetryPolicy {
            count: values.retries?,
            interval: values.retry_interval?,
        };
        if is_short && !self.wrote(Field::Retries) {
            policy.count = SHORT_INTERVAL.count;
        }
        if is_short && !self.wrote(Field::RetryInterval) {
            policy.interval = SHORT_INTERVAL.interval;
        }
        if is_short && timeout >= interval.length() {
            let (timeout, help) = (
                format_duration(timeout),
                "reduce `timeout`, or use a longer interval",
            );
            self.diagnostic(
                Field::Timeout,
                format!("{timeout} is not below the interval of {interval}"),
                help,
            );
            return None;
        }
        let room = if is_short {
            interval.length().saturating_sub(timeout)
        } else {
            MAX_RETRY_WINDOW
        };
        let one = policy.interval + timeout;
        let fitting = u32::try_from(room.as_millis() / one.as_millis().max(1)).unwrap_or(u32::MAX);
        if policy.count <= fitting {
            return Some(policy);
        }
        if fitting > 0 && !self.wrote(Field::Retries) {
            return Some(RetryPolicy {
                count: fitting,
                ..policy
            });
        }
        let window = format_duration(policy.window(timeout));
        let what = if is_short {
            format!(
                "the check of {} and its retries of {window} do not fit into the interval of {interval}",
                format_duration(timeout)
            )
        } else {
            let most = format_duration(MAX_RETRY_WINDOW);
            format!("the retries take up to {window}, and the maximum is {most}")
        };
        let help = format!(
            "reduce `timeout` or `retry_interval` (each retry takes both: {}), or write `retries: {fitting}`",
            format_duration(one)
        );
        let written = [Field::Retries, Field::RetryInterval, Field::Timeout];
        let field = written.into_iter().find(|field| self.wrote(*field));
        self.diagnostic(field.unwrap_or(Field::Interval), what, help);
        None
    }
}
