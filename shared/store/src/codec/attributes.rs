//! A builder and a reader for maps of attributes. The reader reports the path of an invalid attribute.

use std::error::Error as StdError;
use std::fmt::Display;
use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::error::Malformed;
use crate::table::Item;

/// A builder for a map of attributes.
#[derive(Debug, Default)]
pub(super) struct AttributeMap(Item);

impl AttributeMap {
    pub(super) fn with(mut self, name: &str, value: AttributeValue) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    pub(super) fn text(self, name: &str, value: impl Display) -> Self {
        self.with(name, AttributeValue::S(value.to_string()))
    }

    pub(super) fn optional_text(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    pub(super) fn number(self, name: &str, value: impl Display) -> Self {
        self.with(name, AttributeValue::N(value.to_string()))
    }

    pub(super) fn map(self, name: &str, entries: impl IntoIterator<Item = (String, AttributeValue)>) -> Self {
        self.with(name, AttributeValue::M(entries.into_iter().collect()))
    }

    pub(super) fn list(self, name: &str, values: impl IntoIterator<Item = AttributeValue>) -> Self {
        self.with(name, AttributeValue::L(values.into_iter().collect()))
    }

    /// A list of texts, or no attribute if there are none.
    pub(super) fn optional_texts(self, name: &str, values: impl IntoIterator<Item = impl Display>) -> Self {
        let mut values = values.into_iter().peekable();
        match values.peek() {
            Some(_) => self.list(name, values.map(|value| AttributeValue::S(value.to_string()))),
            None => self,
        }
    }

    pub(super) fn into_item(self) -> Item {
        self.0
    }

    pub(super) fn into_value(self) -> AttributeValue {
        AttributeValue::M(self.0)
    }
}

/// A reader for a map of attributes, with the path of the map in the item.
#[derive(Debug)]
pub(super) struct AttributeReader<'a> {
    at: String,
    map: &'a Item,
}

impl<'a> AttributeReader<'a> {
    pub(super) fn top(item: &'a Item) -> Self {
        Self {
            at: String::new(),
            map: item,
        }
    }

    /// The names of all attributes.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.map.keys().map(String::as_str)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    fn place(&self, name: &str) -> String {
        const MAX_LENGTH: usize = 80;
        let name: String = name.escape_debug().take(MAX_LENGTH).collect();
        if self.at.is_empty() {
            name
        } else {
            format!("{}.{name}", self.at)
        }
    }

    pub(super) fn value(&self, name: &str) -> Result<&'a AttributeValue, Malformed> {
        self.map
            .get(name)
            .ok_or_else(|| Malformed::Missing { at: self.place(name) })
    }

    pub(super) fn wrong_type(&self, name: &str, found: &AttributeValue, wanted: &'static str) -> Malformed {
        Malformed::Type {
            at: self.place(name),
            found: kind_of(found),
            wanted,
        }
    }

    pub(super) fn invalid(
        &self,
        name: &str,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Malformed {
        Malformed::Value {
            at: self.place(name),
            source: source.into(),
        }
    }

    pub(super) fn str(&self, name: &str) -> Result<&'a str, Malformed> {
        let text = self.value(name)?.as_s();
        text.map(String::as_str)
            .map_err(|other| self.wrong_type(name, other, "text"))
    }

    /// A number in DynamoDB's format.
    pub(super) fn digits(&self, name: &str) -> Result<&'a str, Malformed> {
        let digits = self.value(name)?.as_n();
        digits
            .map(String::as_str)
            .map_err(|other| self.wrong_type(name, other, "a number"))
    }

    /// Parses a text attribute.
    pub(super) fn text<T: FromStr>(&self, name: &str) -> Result<T, Malformed>
    where
        T::Err: StdError + Send + Sync + 'static,
    {
        self.str(name)?.parse().map_err(|error| self.invalid(name, error))
    }

    pub(super) fn optional_text<T: FromStr>(&self, name: &str) -> Result<Option<T>, Malformed>
    where
        T::Err: StdError + Send + Sync + 'static,
    {
        self.has(name).then(|| self.text(name)).transpose()
    }

    /// Parses a number attribute.
    pub(super) fn number<T: FromStr>(&self, name: &str) -> Result<T, Malformed>
    where
        T::Err: StdError + Send + Sync + 'static,
    {
        self.digits(name)?
            .parse()
            .map_err(|error| self.invalid(name, error))
    }

    /// Parses a text attribute that must be the code of one of the values in `all`.
    pub(super) fn one_of<T: Copy>(
        &self,
        name: &str,
        all: &[T],
        code: impl Fn(T) -> &'static str,
    ) -> Result<T, Malformed> {
        let found = self.str(name)?;
        let known = all.iter().find(|each| code(**each) == found);
        known.copied().ok_or_else(|| {
            let codes: Vec<_> = all.iter().map(|each| code(*each)).collect();
            self.invalid(name, format!("expected one of {}", codes.join(", ")))
        })
    }

    /// A map attribute.
    pub(super) fn map(&self, name: &str) -> Result<AttributeReader<'a>, Malformed> {
        self.inner(name, self.value(name)?)
    }

    fn inner(&self, name: &str, value: &'a AttributeValue) -> Result<AttributeReader<'a>, Malformed> {
        let map = value
            .as_m()
            .map_err(|other| self.wrong_type(name, other, "a map"))?;
        Ok(AttributeReader {
            at: self.place(name),
            map,
        })
    }

    /// A list attribute.
    fn list(&self, name: &str) -> Result<&'a [AttributeValue], Malformed> {
        let list = self.value(name)?.as_l();
        list.map(Vec::as_slice)
            .map_err(|other| self.wrong_type(name, other, "a list"))
    }

    /// The maps in a list attribute.
    pub(super) fn maps(&self, name: &str) -> Result<Vec<AttributeReader<'a>>, Malformed> {
        let entry = |(index, value)| self.inner(&format!("{name}.{index}"), value);
        self.list(name)?.iter().enumerate().map(entry).collect()
    }

    /// The texts in a list attribute.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<&'a str>, Malformed> {
        let entry = |(index, value): (usize, &'a AttributeValue)| {
            let text = value.as_s().map(String::as_str);
            text.map_err(|other| self.wrong_type(&format!("{name}.{index}"), other, "text"))
        };
        self.list(name)?.iter().enumerate().map(entry).collect()
    }

    /// Parses the texts in a list attribute, if there is one.
    pub(super) fn optional_texts<T: FromStr, C: FromIterator<T>>(&self, name: &str) -> Result<C, Malformed>
    where
        T::Err: StdError + Send + Sync + 'static,
    {
        let texts = match self.has(name) {
            true => self.texts(name)?,
            false => Vec::new(),
        };
        let texts = texts.into_iter();
        texts
            .map(|text| text.parse().map_err(|error| self.invalid(name, error)))
            .collect()
    }

    /// Checks that a boolean attribute is `true`. `false` is invalid: the attribute is omitted instead.
    pub(super) fn flag(&self, name: &str) -> Result<(), Malformed> {
        let value = self.value(name)?;
        match value.as_bool() {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.invalid(name, "expected true, or no attribute")),
            Err(other) => Err(self.wrong_type(name, other, "true")),
        }
    }

    /// Parses the name of an attribute.
    pub(super) fn key<T: FromStr>(&self, name: &str) -> Result<T, Malformed>
    where
        T::Err: StdError + Send + Sync + 'static,
    {
        name.parse().map_err(|error| self.invalid(name, error))
    }
}

/// The type of an attribute, for messages.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the SDK hides the variant of types it does not know"
)]
pub(super) fn kind_of(value: &AttributeValue) -> &'static str {
    match value {
        AttributeValue::S(_) => "text",
        AttributeValue::N(_) => "a number",
        AttributeValue::B(_) => "binary",
        AttributeValue::Bool(_) => "true or false",
        AttributeValue::Null(_) => "null",
        AttributeValue::L(_) => "a list",
        AttributeValue::M(_) => "a map",
        AttributeValue::Ss(_) => "a set of texts",
        AttributeValue::Ns(_) => "a set of numbers",
        AttributeValue::Bs(_) => "a set of binaries",
        _ => "of an unknown type",
    }
}
