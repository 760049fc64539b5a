//! Parses the text format of Protocol Buffers to JSON values, without the messages' descriptions: a repeated field becomes
//! a list, any other field its value.
//!
//! Source: <https://protobuf.dev/reference/protobuf/textformat-spec/>

use serde_json::{Map, Value, json};

/// The maximum depth of messages.
const MAX_DEPTH: usize = 32;

/// Parses a message. `None` if the text is not in the format.
pub(super) fn parse(text: &str) -> Option<Value> {
    let mut parser = Parser { rest: text };
    let message = parser.message(None, 0)?;
    parser.skip();
    parser.rest.is_empty().then_some(Value::Object(message))
}

/// The values of a field, which may be repeated.
fn values_of(value: Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values,
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
            vec![other]
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    /// Skips spaces and comments.
    fn skip(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            match self.rest.strip_prefix('#') {
                Some(comment) => self.rest = comment.split_once('\n').map_or("", |(_, rest)| rest),
                None => return,
            }
        }
    }

    fn take(&mut self, c: char) -> bool {
        self.skip();
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn word(&mut self, is_part: impl Fn(char) -> bool) -> Option<&'a str> {
        self.skip();
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    /// The fields up to `end`, which is taken.
    fn message(&mut self, end: Option<char>, depth: usize) -> Option<Map<String, Value>> {
        if depth > MAX_DEPTH {
            return None;
        }
        let mut fields = Map::new();
        loop {
            self.skip();
            match end {
                Some(end) if self.take(end) => return Some(fields),
                None if self.rest.is_empty() => return Some(fields),
                _ => {}
            }
            let name = if self.take('[') {
                let name = self.word(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '-'))?;
                self.take(']').then_some(name)?
            } else {
                self.word(|c| c.is_ascii_alphanumeric() || c == '_')?
            };
            let has_colon = self.take(':');
            let value = if self.take('[') {
                self.list(depth)?
            } else {
                self.value(has_colon, depth)?
            };
            match fields.get_mut(name) {
                None => drop(fields.insert(name.to_owned(), value)),
                Some(known) => {
                    let mut values = values_of(known.take());
                    values.append(&mut values_of(value));
                    *known = Value::Array(values);
                }
            }
            // Fields may be separated.
            let _ = self.take(',') || self.take(';');
        }
    }

    fn list(&mut self, depth: usize) -> Option<Value> {
        let mut values = Vec::new();
        loop {
            if self.take(']') {
                return Some(Value::Array(values));
            }
            values.push(self.value(true, depth)?);
            if !self.take(',') {
                return self.take(']').then_some(Value::Array(values));
            }
        }
    }

    fn value(&mut self, may_be_scalar: bool, depth: usize) -> Option<Value> {
        if self.take('{') {
            return self.message(Some('}'), depth + 1).map(Value::Object);
        }
        if self.take('<') {
            return self.message(Some('>'), depth + 1).map(Value::Object);
        }
        if !may_be_scalar {
            return None;
        }
        if self.rest.starts_with(['"', '\'']) {
            return self.texts().map(Value::String);
        }
        let is_negative = self.take('-');
        let word = self.word(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '+' | '-'))?;
        let signed = if is_negative {
            format!("-{word}")
        } else {
            word.to_owned()
        };
        Some(match signed.as_str() {
            "true" | "True" | "t" => json!(true),
            "false" | "False" | "f" => json!(false),
            number => match number.parse::<i64>() {
                Ok(number) => json!(number),
                Err(_) => match number.parse::<f64>() {
                    Ok(number) if number.is_finite() => json!(number),
                    _ => json!(number),
                },
            },
        })
    }

    /// Adjacent texts form one.
    fn texts(&mut self) -> Option<String> {
        let mut text = String::new();
        loop {
            self.skip();
            let Some(quote) = self.rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
                return Some(text);
            };
            self.take(quote);
            self.quoted(quote, &mut text)?;
        }
    }

    fn quoted(&mut self, quote: char, text: &mut String) -> Option<()> {
        let mut characters = self.rest.chars();
        loop {
            match characters.next()? {
                c if c == quote => {
                    self.rest = characters.as_str();
                    return Some(());
                }
                '\n' => return None,
                '\\' => text.push(match characters.next()? {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    c @ ('\\' | '\'' | '"' | '?') => c,
                    'x' => {
                        let digits = characters.as_str().get(..2)?;
                        let code = u8::from_str_radix(digits, 16).ok().filter(u8::is_ascii)?;
                        characters.next();
                        characters.next();
                        char::from(code)
                    }
                    _ => return None,
                }),
                c => text.push(c),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_become_maps_and_repeated_fields_lists() {
        let check = |text: &str, expected: Option<Value>| assert_eq!(parse(text), expected, "{text}");
        check(
            "# c\nprobe { name: \"a\" type: HTTP interval_msec: 5000 }\nprobe < name: 'b' 'c'; on: true >",
            Some(json!({ "probe": [
                { "name": "a", "type": "HTTP", "interval_msec": 5000 },
                { "name": "bc", "on": true },
            ] })),
        );
        check(
            "a: [1, 2] a: 3 b: -1.5 [x.y]: { }",
            Some(json!({ "a": [1, 2, 3], "b": -1.5, "x.y": {} })),
        );
        check(r#"a: "x\n\"\x41""#, Some(json!({ "a": "x\n\"A" })));
        for wrong in ["a", "a {", "a: \"x", "a: }", "{", "a: [1", "a: \"\\q\""] {
            check(wrong, None);
        }
        assert_eq!(parse(&"a{".repeat(100)), None);
    }
}
