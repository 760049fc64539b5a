//! The answer of a destination, and what it means.

use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde_json::Value;

/// The parts of an answer that the relay uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: String,
}

/// What an answer means for the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerMeaning {
    /// The request was accepted.
    Accepted,
    /// The request was refused; a retry would be refused too.
    Refused,
    /// The failure is temporary; `pause` is the requested pause before a retry.
    Unavailable { pause: Option<Duration> },
}

impl Answer {
    /// The meaning by the status. The requested pause is in `Retry-After`, or in seconds at the JSON pointer
    /// `pause_in_body`.
    pub(crate) fn meaning(&self, pause_in_body: Option<&str>) -> AnswerMeaning {
        let temporary = [
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::TOO_EARLY,
            StatusCode::TOO_MANY_REQUESTS,
        ];
        if self.status.is_success() {
            return AnswerMeaning::Accepted;
        }
        if !self.status.is_server_error() && !temporary.contains(&self.status) {
            return AnswerMeaning::Refused;
        }
        let in_body = || {
            let body = serde_json::from_str::<Value>(&self.body).ok()?;
            seconds(body.pointer(pause_in_body?)?.as_f64()?)
        };
        let pause = self.requested_pause().or_else(in_body);
        AnswerMeaning::Unavailable { pause }
    }

    /// The pause that `Retry-After` requests, in seconds or as a date. Source: RFC 9110, section 10.2.3.
    ///
    /// The crate `headers` reads whole seconds only; Discord sends fractions.
    fn requested_pause(&self) -> Option<Duration> {
        let text = self.retry_after.as_deref()?.trim();
        if let Ok(number) = text.parse() {
            return seconds(number);
        }
        let then = rfc2822::parse(text).ok()?.timestamp();
        let wait = then.duration_since(Timestamp::now());
        Some(Duration::try_from(wait).unwrap_or_default())
    }
}

fn seconds(number: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, retry_after: Option<&str>) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: retry_after.map(str::to_owned),
            body: r#"{"pause":0.5}"#.to_owned(),
        }
    }

    #[test]
    fn requested_pause_is_seconds_or_date() {
        let pause = |text| answer(429, Some(text)).requested_pause();
        assert_eq!(pause("2"), Some(Duration::from_secs(2)));
        assert_eq!(pause("0.25"), Some(Duration::from_millis(250)));
        assert_eq!(pause("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        let ahead = pause("Fri, 06 Nov 2893 08:49:37 GMT").unwrap();
        assert!(ahead > Duration::from_secs(86_400), "{ahead:?}");
        for nonsense in ["-1", "soon", "", "NaN", "1e400"] {
            assert_eq!(pause(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn only_temporary_failures_are_retried() {
        let unavailable = AnswerMeaning::Unavailable { pause: None };
        for (meaning, statuses) in [
            (AnswerMeaning::Accepted, &[200, 202, 204][..]),
            (AnswerMeaning::Refused, &[301, 400, 401, 404, 413, 422]),
            (unavailable, &[408, 425, 429, 500, 502, 503]),
        ] {
            for status in statuses {
                assert_eq!(answer(*status, None).meaning(None), meaning, "{status}");
            }
        }
        let in_body = answer(429, None).meaning(Some("/pause"));
        let pause = Some(Duration::from_millis(500));
        assert_eq!(in_body, AnswerMeaning::Unavailable { pause });
    }
}
