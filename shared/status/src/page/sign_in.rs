//! The door of a private page: a form for the token.

use maud::{Markup, html};

/// What was tried before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tried {
    /// Nothing.
    Nothing,
    /// A text that is not the token.
    Wrong,
}

/// The form.
pub(crate) fn page(tried: Tried) -> Markup {
    let is_wrong = tried == Tried::Wrong;
    html! {
        form .card.door method="post" action="/sign-in" {
            h1 { "Sign in" }
            p { "This status page is private." }
            label for="token" { "Token" }
            input #token name="token" type="password" required autocomplete="current-password"
                aria-invalid=[is_wrong.then_some("true")] aria-describedby=[is_wrong.then_some("wrong")];
            @if is_wrong {
                p #wrong .problem role="alert" { "That is not the token." }
            }
            button type="submit" { "Sign in" }
        }
    }
}
