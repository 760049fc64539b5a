//! Sends one request to one destination, with retries until it is accepted, refused, or out of time.

use std::time::Duration;

use http::{Request, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use tokio::time::{Instant, sleep};

use crate::client::{Answer, Client, ClientError};

/// The number of attempts of a request and the pauses between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    attempts: u32,
    initial: Duration,
    max: Duration,
}

/// An invalid retry policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid retry policy: {attempts} attempts, pauses from {initial:?} to {max:?}: use at least one attempt, and a maximum pause that is not shorter than the first"
)]
pub struct InvalidRetryPolicy {
    attempts: u32,
    initial: Duration,
    max: Duration,
}

impl RetryPolicy {
    /// Up to `attempts` attempts; a pause of `initial` after the first, doubled after each further one, up to `max`.
    ///
    /// # Errors
    /// If there is no attempt, or if `max` is shorter than `initial`.
    pub fn new(attempts: u32, initial: Duration, max: Duration) -> Result<Self, InvalidRetryPolicy> {
        if attempts == 0 || max < initial {
            return Err(InvalidRetryPolicy {
                attempts,
                initial,
                max,
            });
        }
        Ok(Self {
            attempts,
            initial,
            max,
        })
    }

    /// The pause after the first attempt.
    pub(crate) fn initial_pause(&self) -> Duration {
        self.initial
    }

    /// The pause after attempt `number`, which starts at 1; `None` after the last.
    fn pause(&self, number: u32) -> Option<Duration> {
        let doubled = self.initial.saturating_mul(1 << (number - 1).min(20));
        (number < self.attempts).then(|| doubled.min(self.max))
    }
}

impl Default for RetryPolicy {
    /// Four attempts with pauses of 3.5 seconds together, or longer if the destination requests it.
    fn default() -> Self {
        Self {
            attempts: 4,
            initial: Duration::from_millis(500),
            max: Duration::from_secs(30),
        }
    }
}

/// Why a request may not have arrived.
#[derive(Debug)]
pub(crate) enum Undelivered {
    /// The destination refused the request; a retry would be refused too.
    Refused(Answer),
    /// The destination answered with temporary failures until no time or no attempt was left.
    Unavailable { answer: Answer, attempts: u32 },
    /// The destination did not answer.
    NoAnswer { error: ClientError, attempts: u32 },
}

/// Sends a request until it is accepted; `pause_in_body` reads the requested pause, in seconds, from an answer.
pub(crate) async fn deliver(
    client: &Client,
    request: &Request<String>,
    timeout: Duration,
    retry_policy: &RetryPolicy,
    deadline: Instant,
    pause_in_body: impl Fn(&str) -> Option<f64>,
) -> Result<(), Undelivered> {
    let mut number = 1;
    loop {
        let (failure, requested) = match client.post(request.clone(), timeout).await {
            Ok(answer) if answer.status.is_success() => return Ok(()),
            Ok(answer) if is_final(answer.status) => return Err(Undelivered::Refused(answer)),
            Ok(answer) => {
                let requested = retry_after(&answer).or_else(|| seconds(pause_in_body(&answer.body)?));
                let attempts = number;
                (Undelivered::Unavailable { answer, attempts }, requested)
            }
            Err(error) => {
                let attempts = number;
                (Undelivered::NoAnswer { error, attempts }, None)
            }
        };
        let Some(pause) = retry_policy.pause(number) else {
            return Err(failure);
        };
        let pause = requested.map_or(pause, |requested| requested.max(pause));
        // An attempt after the deadline is left to the next call.
        if Instant::now()
            .checked_add(pause)
            .is_none_or(|next| next >= deadline)
        {
            return Err(failure);
        }
        sleep(pause).await;
        number += 1;
    }
}

/// Whether a retry with this status would be refused too.
fn is_final(status: StatusCode) -> bool {
    let temporary = [
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::TOO_EARLY,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    !status.is_server_error() && !temporary.contains(&status)
}

/// The pause that `Retry-After` requests, in seconds or as a date. Source: RFC 9110, section 10.2.3.
fn retry_after(answer: &Answer) -> Option<Duration> {
    let text = answer.retry_after.as_deref()?.trim();
    if let Ok(requested) = text.parse() {
        return seconds(requested);
    }
    let then = rfc2822::parse(text).ok()?.timestamp();
    let wait = then.duration_since(Timestamp::now());
    Some(Duration::try_from(wait).unwrap_or_default())
}

fn seconds(number: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_maximum() {
        let ms = Duration::from_millis;
        let retry_policy = RetryPolicy::new(5, ms(100), ms(300)).unwrap();
        let pauses: Vec<_> = (1..=5).map(|number| retry_policy.pause(number)).collect();
        assert_eq!(
            pauses,
            [Some(ms(100)), Some(ms(200)), Some(ms(300)), Some(ms(300)), None]
        );
        assert!(RetryPolicy::new(0, ms(1), ms(1)).is_err());
        assert!(RetryPolicy::new(1, ms(2), ms(1)).is_err());
    }

    #[test]
    fn retry_after_accepts_seconds_and_dates() {
        let answer = |text: &str| Answer {
            status: StatusCode::TOO_MANY_REQUESTS,
            retry_after: Some(text.to_owned()),
            body: String::new(),
        };
        assert_eq!(retry_after(&answer("2")), Some(Duration::from_secs(2)));
        assert_eq!(retry_after(&answer("0.25")), Some(Duration::from_millis(250)));
        assert_eq!(
            retry_after(&answer("Sun, 06 Nov 1994 08:49:37 GMT")),
            Some(Duration::ZERO)
        );
        let ahead = retry_after(&answer("Fri, 06 Nov 2893 08:49:37 GMT")).unwrap();
        assert!(ahead > Duration::from_secs(86_400), "{ahead:?}");
        for nonsense in ["-1", "soon", "", "NaN", "1e400"] {
            assert_eq!(retry_after(&answer(nonsense)), None, "{nonsense}");
        }
    }

    #[test]
    fn only_temporary_failures_are_retried() {
        for (status, expected) in [(301, true), (400, true), (401, true), (404, true), (413, true)]
            .into_iter()
            .chain([
                (408, false),
                (425, false),
                (429, false),
                (500, false),
                (502, false),
                (503, false),
            ])
        {
            assert_eq!(
                is_final(StatusCode::from_u16(status).unwrap()),
                expected,
                "{status}"
            );
        }
    }
}
