//! The door of a private page: a form for the token.

use maud::{Markup, html};

/// What was tried before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tried {
    /// Nothing.
    Nothing,
    /// A text that is not the token.
    Wrong,
    /// Too many of those.
    TooMany,
}

/// The form.
pub(crate) fn page(tried: Tried) -> Markup {
    let problem = match tried {
        Tried::Nothing => None,
        Tried::Wrong => Some("That is not the token."),
        Tried::TooMany => Some("Too many wrong tokens came from your address. Try again in a minute."),
    };
    let is_wrong = problem.is_some();
    html! {
        form .card.door method="post" action="/sign-in" {
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
