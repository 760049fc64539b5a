//! One post to one destination: tried until it is taken, refused, or no longer worth waiting for.

use std::time::Duration;

use http::{Request, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use tokio::time::{Instant, sleep};

use crate::client::{Answer, Client, ClientError};

/// How often a post is tried, and how long is waited in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    attempts: u32,
    first: Duration,
    longest: Duration,
}

/// A patience that nobody could have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{attempts} attempts, {first:?} apart and then up to {longest:?}: it takes one at least, and no shorter longest"
)]
pub struct InvalidRetryPolicy {
    attempts: u32,
    first: Duration,
    longest: Duration,
}

impl RetryPolicy {
    /// Up to `attempts` in all; `first` between the first two, then twice as long each time, up to `longest`.
    ///
    /// # Errors
    /// When there is no attempt, or `longest` is shorter than `first`.
    pub fn new(attempts: u32, first: Duration, longest: Duration) -> Result<Self, InvalidRetryPolicy> {
        if attempts == 0 || longest < first {
            return Err(InvalidRetryPolicy {
                attempts,
                first,
                longest,
            });
        }
        Ok(Self {
            attempts,
            first,
            longest,
        })
    }

    /// How long to wait before looking again at what somebody else is doing.
    pub(crate) fn first(&self) -> Duration {
        self.first
    }

    /// How long to wait after attempt `number`, from 1; `None` after the last.
    fn pause(&self, number: u32) -> Option<Duration> {
        let doubled = self.first.saturating_mul(1 << (number - 1).min(20));
        (number < self.attempts).then(|| doubled.min(self.longest))
    }
}

impl Default for RetryPolicy {
    /// Four attempts within four seconds of waiting, unless the destination asks for more.
    fn default() -> Self {
        Self {
            attempts: 4,
            first: Duration::from_millis(500),
            longest: Duration::from_secs(30),
        }
    }
}

/// Why a post is not known to have arrived.
#[derive(Debug)]
pub(crate) enum Undelivered {
    /// It was refused for good: another attempt would be, too.
    Refused(Answer),
    /// It was put off until there was no time or no attempt left.
    PutOff { answer: Answer, attempts: u32 },
    /// Nobody answered.
    Unanswered { error: ClientError, attempts: u32 },
}

/// Posts until it is taken; `asked` reads a pause from the body of a refusal.
pub(crate) async fn deliver(
    client: &Client,
    request: &Request<String>,
    timeout: Duration,
    retry_policy: &RetryPolicy,
    deadline: Instant,
    asked: impl Fn(&str) -> Option<f64>,
) -> Result<(), Undelivered> {
    let mut number = 1;
    loop {
        let (failed, wanted) = match client.post(request.clone(), timeout).await {
            Ok(answer) if answer.status.is_success() => return Ok(()),
            Ok(answer) if is_for_good(answer.status) => return Err(Undelivered::Refused(answer)),
            Ok(answer) => {
                let wanted = retry_after(&answer).or_else(|| seconds(asked(&answer.body)?));
                let attempts = number;
                (Undelivered::PutOff { answer, attempts }, wanted)
            }
            Err(error) => {
                let attempts = number;
                (Undelivered::Unanswered { error, attempts }, None)
            }
        };
        let Some(pause) = retry_policy.pause(number) else {
            return Err(failed);
        };
        let pause = wanted.map_or(pause, |wanted| wanted.max(pause));
        // What would come too late is left to whoever calls again.
        if Instant::now()
            .checked_add(pause)
            .is_none_or(|next| next >= deadline)
        {
            return Err(failed);
        }
        sleep(pause).await;
        number += 1;
    }
}

/// Whether a status says that the same request will never be taken.
fn is_for_good(status: StatusCode) -> bool {
    let later = [
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::TOO_EARLY,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    !status.is_server_error() && !later.contains(&status)
}

/// What `Retry-After` asks for: seconds, or a date. Source: RFC 9110, section 10.2.3.
fn retry_after(answer: &Answer) -> Option<Duration> {
    let text = answer.retry_after.as_deref()?.trim();
    if let Ok(seconds_asked) = text.parse() {
        return seconds(seconds_asked);
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
    fn pauses_double_up_to_the_longest_and_end() {
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
    fn a_pause_is_asked_for_in_seconds_or_by_date() {
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
    fn only_what_may_change_is_tried_again() {
        for (status, for_good) in [(301, true), (400, true), (401, true), (404, true), (413, true)]
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
                is_for_good(StatusCode::from_u16(status).unwrap()),
                for_good,
                "{status}"
            );
        }
    }
}
