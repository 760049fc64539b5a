//! A page that says one thing.

use maud::{Markup, html};

/// A heading, a sentence, and the way back.
pub(crate) fn page(heading: &str, sentence: &str) -> Markup {
    html! {
        h1 { (heading) }
        p { (sentence) }
        p { a href="/" { "All monitors" } }
    }
}
