//! Sends one request to one destination, with retries until it is accepted, refused, or out of time.

use std::time::Duration;

use http::Request;
use tokio::time::{Instant, sleep};

use crate::answer::{Answer, AnswerMeaning};
use crate::client::{Client, ClientError};

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

/// Sends a request until it is accepted; `meaning` reads an answer.
///
/// A retry crate such as `backon` would replace little: the answer and the deadline decide on each pause.
pub(crate) async fn deliver(
    client: &Client,
    request: &Request<String>,
    timeout: Duration,
    retry_policy: &RetryPolicy,
    deadline: Instant,
    meaning: impl Fn(&Answer) -> AnswerMeaning,
) -> Result<(), Undelivered> {
    let mut attempts = 1;
    loop {
        let (failure, requested) = match client.post(request.clone(), timeout).await {
            Ok(answer) => match meaning(&answer) {
                AnswerMeaning::Accepted => return Ok(()),
                AnswerMeaning::Refused => return Err(Undelivered::Refused(answer)),
                AnswerMeaning::Unavailable { pause } => {
                    (Undelivered::Unavailable { answer, attempts }, pause)
                }
            },
            Err(error) => (Undelivered::NoAnswer { error, attempts }, None),
        };
        let Some(pause) = retry_policy.pause(attempts) else {
            return Err(failure);
        };
        let pause = requested.map_or(pause, |requested| requested.max(pause));
        // An attempt after the deadline is left to the next call.
        let next = Instant::now().checked_add(pause);
        if next.is_none_or(|next| next >= deadline) {
            return Err(failure);
        }
        sleep(pause).await;
        attempts += 1;
    }
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
}
