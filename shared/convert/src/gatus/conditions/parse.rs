//! Parses conditions of Gatus: `[SUBJECT] operator value`, also with the sides swapped.
//!
//! Source: <https://github.com/TwiN/gatus/blob/master/config/endpoint/condition.go>

use std::time::Duration;

use crate::duration::duration;
use crate::secret::is_secret_name;
use crate::statuses::Statuses;

/// What a condition is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Connected,
    Status,
    ResponseTime,
    CertificateExpiration,
    DnsRcode,
    Body,
    /// A part of the body, the address, the domain, or something unknown.
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    LessOrEqual,
    GreaterOrEqual,
    Less,
    Greater,
}

/// A parsed condition.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    pub(super) subject: Subject,
    pub(super) operator: Operator,
    pub(super) value: String,
    written_subject: String,
    symbol: &'static str,
}

/// The value of an equality.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pattern {
    Anything,
    Contains(String),
    Exactly(String),
}

/// A part of a JSON body, by its JSONPath.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Value(String),
    Length(String),
    /// Whether the part exists.
    Has(String),
}

/// In the order in which Gatus looks for them.
const OPERATORS: [(&str, Operator, Operator); 6] = [
    ("==", Operator::Equal, Operator::Equal),
    ("!=", Operator::NotEqual, Operator::NotEqual),
    ("<=", Operator::LessOrEqual, Operator::GreaterOrEqual),
    (">=", Operator::GreaterOrEqual, Operator::LessOrEqual),
    (">", Operator::Greater, Operator::Less),
    ("<", Operator::Less, Operator::Greater),
];

impl Condition {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (symbol, operator, swapped, left, right) =
            OPERATORS.into_iter().find_map(|(symbol, operator, swapped)| {
                let (left, right) = text.split_once(&format!(" {symbol} "))?;
                Some((symbol, operator, swapped, left.trim(), right.trim()))
            })?;
        let is_placeholder = |side: &str| subject_of(side).is_some();
        let (operator, subject, value) = match (is_placeholder(left), is_placeholder(right)) {
            (true, false) => (operator, left, right),
            (false, true) => (swapped, right, left),
            _ => return None,
        };
        Some(Self {
            subject: subject_of(subject)?,
            operator,
            value: value.to_owned(),
            written_subject: subject.to_owned(),
            symbol,
        })
    }

    /// Whether the subject is named like a secret, so that the value may be one.
    pub(super) fn is_secret(&self) -> bool {
        let last = self.written_subject.rsplit(['.', ']']).next().unwrap_or_default();
        is_secret_name(last.trim_end_matches(')'))
    }

    /// The part of a JSON body that the condition is about; `None` for other subjects.
    pub(super) fn part(&self) -> Option<Part> {
        let subject = self.written_subject.as_str();
        if let Some(inner) = function(subject, "len") {
            return json_path(inner).map(Part::Length);
        }
        if let Some(inner) = function(subject, "has") {
            return json_path(inner).map(Part::Has);
        }
        json_path(subject).map(Part::Value)
    }

    /// The value of an equality as a regular expression for whole texts; `None` if it has functions or placeholders.
    pub(super) fn expression(&self) -> Option<String> {
        if let Some(glob) = function(&self.value, "pat") {
            if glob.contains(['[', '\\']) {
                return None;
            }
            let part = |c: char| match c {
                '*' => ".*".to_owned(),
                '?' => ".".to_owned(),
                c => regex::escape(&c.to_string()),
            };
            return Some(format!("^{}$", glob.chars().map(part).collect::<String>()));
        }
        let values: Vec<_> = self.values()?.into_iter().map(regex::escape).collect();
        Some(match values.as_slice() {
            [value] => format!("^{value}$"),
            values => format!("^({})$", values.join("|")),
        })
    }

    /// The condition for a report: without a value that may be a secret.
    pub(super) fn label(&self) -> String {
        let Self {
            written_subject,
            symbol,
            value,
            ..
        } = self;
        if self.is_secret() {
            format!("{written_subject} {symbol} …")
        } else {
            format!("{written_subject} {symbol} {value}")
        }
    }

    /// The required value of a condition on a boolean.
    pub(super) fn boolean(&self) -> Option<bool> {
        let value = match self.value.as_str() {
            "true" => true,
            "false" => false,
            _ => return None,
        };
        match self.operator {
            Operator::Equal => Some(value),
            Operator::NotEqual => Some(!value),
            Operator::LessOrEqual | Operator::GreaterOrEqual | Operator::Less | Operator::Greater => None,
        }
    }

    pub(super) fn is_equality_with(&self, value: &str) -> bool {
        self.operator == Operator::Equal && self.values().is_some_and(|values| values == [value])
    }

    /// A duration that must not be reached.
    pub(super) fn upper_limit(&self) -> Option<Duration> {
        let limit = duration(&self.value, Duration::from_millis(1))?;
        match self.operator {
            Operator::Less => Some(limit),
            // Gatus compares whole milliseconds.
            Operator::LessOrEqual => limit.checked_add(Duration::from_millis(1)),
            Operator::Equal | Operator::NotEqual | Operator::GreaterOrEqual | Operator::Greater => None,
        }
    }

    /// Narrows the accepted statuses; `false` if the condition is unsupported.
    pub(super) fn narrow(&self, statuses: &mut Statuses) -> bool {
        let limit = self.value.parse::<i64>();
        let compare = |is_kept: fn(i64, i64) -> bool, statuses: &mut Statuses| match &limit {
            Ok(limit) => {
                statuses.keep(|status| is_kept(i64::from(status), *limit));
                true
            }
            Err(_) => false,
        };
        match self.operator {
            Operator::Less => compare(|status, limit| status < limit, statuses),
            Operator::LessOrEqual => compare(|status, limit| status <= limit, statuses),
            Operator::Greater => compare(|status, limit| status > limit, statuses),
            Operator::GreaterOrEqual => compare(|status, limit| status >= limit, statuses),
            Operator::Equal | Operator::NotEqual => {
                let is_equal = self.operator == Operator::Equal;
                if let Some(glob) = function(&self.value, "pat") {
                    if glob.contains(['[', '\\']) {
                        return false;
                    }
                    statuses.keep(|status| matches(glob, &status.to_string()) == is_equal);
                    return true;
                }
                let Some(values) = self.values() else { return false };
                // Gatus compares numbers where both sides are numbers, and texts otherwise.
                let numbers: Vec<i64> = values.iter().filter_map(|value| value.parse().ok()).collect();
                statuses.keep(|status| numbers.contains(&i64::from(status)) == is_equal);
                true
            }
        }
    }

    /// A literal, or the values of `any(a, b)`; `None` for other functions and placeholders.
    pub(super) fn values(&self) -> Option<Vec<&str>> {
        let values: Vec<&str> = match function(&self.value, "any") {
            Some(list) => list.split(',').map(str::trim).collect(),
            None => vec![self.value.as_str()],
        };
        let is_plain = |text: &&str| !text.is_empty() && !text.contains(['(', ')', '[', ']']);
        values.iter().all(is_plain).then_some(values)
    }

    /// The value of an equality as a pattern for texts; `None` if it is more than one text.
    pub(super) fn pattern(&self) -> Option<Pattern> {
        let is_literal = |text: &str| !text.is_empty() && !text.contains(['*', '?', '[', '\\']);
        if let Some(glob) = function(&self.value, "pat") {
            if !glob.is_empty() && glob.chars().all(|c| c == '*') {
                return Some(Pattern::Anything);
            }
            if is_literal(glob) {
                return Some(Pattern::Exactly(glob.to_owned()));
            }
            let inside = glob.strip_prefix('*')?.strip_suffix('*')?;
            return is_literal(inside).then(|| Pattern::Contains(inside.to_owned()));
        }
        match self.values()?.as_slice() {
            [value] => Some(Pattern::Exactly((*value).to_owned())),
            _ => None,
        }
    }
}

/// The JSONPath of `[BODY].items[0].name`; `None` for other placeholders, and for the whole body.
fn json_path(subject: &str) -> Option<String> {
    let rest = subject.strip_prefix("[BODY]")?;
    if rest.is_empty() {
        return None;
    }
    let mut path = "$".to_owned();
    for segment in rest.strip_prefix('.').unwrap_or(rest).split('.') {
        let (name, indices) = segment.split_at_checked(segment.find('[').unwrap_or(segment.len()))?;
        if !name.is_empty() {
            if name.contains(['\'', '\\', '"']) {
                return None;
            }
            path.push_str(&format!("['{name}']"));
        }
        for index in indices.split_inclusive(']') {
            let number = index.strip_prefix('[')?.strip_suffix(']')?;
            path.push_str(&format!("[{}]", number.parse::<u32>().ok()?));
        }
    }
    Some(path)
}

fn subject_of(text: &str) -> Option<Subject> {
    Some(match text {
        "[CONNECTED]" => Subject::Connected,
        "[STATUS]" => Subject::Status,
        "[RESPONSE_TIME]" => Subject::ResponseTime,
        "[CERTIFICATE_EXPIRATION]" => Subject::CertificateExpiration,
        "[DNS_RCODE]" => Subject::DnsRcode,
        "[BODY]" => Subject::Body,
        _ if text.starts_with('[') && text.contains(']') => Subject::Other,
        _ if text.starts_with("len([") || text.starts_with("has([") => Subject::Other,
        _ => return None,
    })
}

/// The argument of `name(argument)`.
fn function<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')')
}

/// Whether a text matches a glob of `*` and `?`.
fn matches(glob: &str, text: &str) -> bool {
    let mut characters = glob.chars();
    match characters.next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = characters.as_str();
            (0..=text.len()).any(|start| text.get(start..).is_some_and(|text| matches(rest, text)))
        }
        Some(c) => {
            let mut text = text.chars();
            text.next().is_some_and(|found| c == '?' || c == found)
                && matches(characters.as_str(), text.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_parsed_with_sides_swapped_too() {
        let check = |text: &str, expected: &str| {
            let found = Condition::parse(text);
            let shown =
                found.map(|found| format!("{:?} {:?} {}", found.subject, found.operator, found.value));
            assert_eq!(shown.unwrap_or_default(), expected, "{text}");
        };
        check("[STATUS] == 200", "Status Equal 200");
        check("200 == [STATUS]", "Status Equal 200");
        check("500 > [STATUS]", "Status Less 500");
        check("[BODY] == pat(*a == b*)", "Body Equal pat(*a == b*)");
        check("len([BODY].x) > 0", "Other Greater 0");
        check("[STATUS]==200", "");
        check("a == b", "");
    }

    #[test]
    fn conditions_narrow_statuses() {
        let check = |conditions: &[&str], expected: &str| {
            let mut statuses = Statuses::all();
            for condition in conditions {
                let condition = Condition::parse(condition).unwrap();
                assert!(condition.narrow(&mut statuses), "{conditions:?}");
            }
            let field = statuses.field().map(|field| field.to_string());
            assert_eq!(field.unwrap_or_default(), expected, "{conditions:?}");
        };
        check(&["[STATUS] == any(200, 429)"], "[200,429]");
        check(&["[STATUS] >= 200", "[STATUS] < 300"], r#"["200-299"]"#);
        check(&["[STATUS] != 404", "[STATUS] < 500"], r#"["100-403","405-499"]"#);
        check(&["[STATUS] != any(500, 501)"], r#"["100-499","502-999"]"#);
        check(&["[STATUS] == pat(2*)"], r#"["200-299"]"#);
        check(&["[STATUS] == 200", "[STATUS] == 201"], "");
        check(&["[STATUS] == OK"], "");
    }

    #[test]
    fn parts_of_the_body_become_json_paths() {
        let check = |text: &str, expected: &str| {
            let found = Condition::parse(text).and_then(|condition| condition.part());
            let found = found.map(|part| format!("{part:?}")).unwrap_or_default();
            assert_eq!(found, expected, "{text}");
        };
        check("[BODY].status == UP", r#"Value("$['status']")"#);
        check(
            "[BODY].data[0].user-id == 1",
            r#"Value("$['data'][0]['user-id']")"#,
        );
        check("[BODY][2].id == 1", r#"Value("$[2]['id']")"#);
        check("len([BODY].items) > 3", r#"Length("$['items']")"#);
        check("has([BODY].errors) == false", r#"Has("$['errors']")"#);
        check("len([BODY]) > 3", "");
        check("[IP] == 192.0.2.1", "");
        check("[BODY].a[x] == 1", "");
    }

    #[test]
    fn secret_values_are_not_in_labels() {
        let label = |text: &str| Condition::parse(text).unwrap().label();
        assert_eq!(label("[BODY].data.token == abc"), "[BODY].data.token == …");
        assert_eq!(label("[BODY].status == UP"), "[BODY].status == UP");
    }
}
