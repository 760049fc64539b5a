//! The sign-in page.

use maud::{Markup, html};

/// Result of the previous sign-in attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LastAttempt {
    /// There was none.
    None,
    /// The token was wrong.
    Wrong,
    /// Too many attempts.
    TooMany,
}

/// Renders the form.
pub(crate) fn page(last_attempt: LastAttempt) -> Markup {
    let problem = match last_attempt {
        LastAttempt::None => None,
        LastAttempt::Wrong => Some("The token is wrong."),
        LastAttempt::TooMany => Some("Too many failed attempts from your network. Try again in a minute."),
    };
    let is_wrong = problem.is_some();
    html! {
        form .card.sign-in method="post" action="/sign-in" {
            h1 { "Sign in" }
            p { "This status page is private." }
            label for="token" { "Token" }
            input #token name="token" type="password" required autocomplete="current-password"
                aria-invalid=[is_wrong.then_some("true")] aria-describedby=[is_wrong.then_some("wrong")];
            @if let Some(problem) = problem {
                p #wrong .problem role="alert" { (problem) }
            }
            button type="submit" { "Sign in" }
        }
    }
}
