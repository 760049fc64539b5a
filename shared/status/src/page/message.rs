//! A page with a single message, such as an error.

use maud::{Markup, html};

/// Renders a heading, a sentence and a link to the overview.
pub(crate) fn page(heading: &str, sentence: &str) -> Markup {
    html! {
        h1 { (heading) }
        p { (sentence) }
        p { a href="/" { "All monitors" } }
    }
}
