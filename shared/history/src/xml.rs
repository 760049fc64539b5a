//! Escaping for XML content and attribute values.

use portpulse_core::text::is_plain;

/// Escapes markup characters, and replaces characters that XML 1.0 does not allow.
/// <https://www.w3.org/TR/xml/#charsets>
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c if is_plain(c) => escaped.push(c),
            _ => escaped.push(' '),
        }
    }
    escaped
}
