//! Reads the request of an HTTP check, and the conditions on its response.

use serde_json::{Map, Value};

use super::declaration::FieldDeclaration;
use super::diagnostic::{Diagnostic, FieldPath, kind_of};
use super::http_subfields::{BASIC_AUTH, HEADER_NAME, HTTP, JSON};
use super::map_reader::MapReader;
use super::options::names;
use super::read::{self, Read};
use crate::readiness::{
    BodyConditions, Credentials, Header, HttpCheck, HttpCheckError, InvalidHeader, JsonCondition, JsonPath,
    Measure, Method, Operator, Pattern, RequestContent,
};
use crate::text::quoted;

/// The request of an HTTP check.
pub(super) fn http(field: &FieldDeclaration, value: &Value) -> Read<HttpCheck> {
    let mut reader = MapReader::new(FieldPath::root(), read::map(field, value)?);
    let check = read_http(&mut reader);
    reader.finish(check)
}

fn read_http(section: &mut MapReader<'_>) -> Option<HttpCheck> {
    section.only(&names(HTTP));
    let method = read_method(section);
    let path = section.text("path", "a path such as /health");
    let statuses = section.statuses("status");
    let text = section.text("text", "the text that must appear");
    let follow = section.read("follow", "true or false", Value::as_bool);
    let content = read_content(section);
    let conditions = BodyConditions {
        matches: read_patterns(section, "body_matches"),
        not_matches: read_patterns(section, "body_not_matches"),
        json: read_conditions(section),
    };
    let made = HttpCheck::new(
        method,
        path.unwrap_or("/"),
        statuses,
        text.map(str::to_owned),
        follow.unwrap_or(false),
    );
    let made = made.and_then(|check| {
        let check = check.with_content(content).map_err(|error| vec![error])?;
        check.with_conditions(conditions).map_err(|error| vec![error])
    });
    for error in made.as_ref().err().into_iter().flatten() {
        report(section, *error, path);
    }
    made.ok()
}

/// The method: by default one that returns a body if the body is needed.
fn read_method(section: &mut MapReader<'_>) -> Method {
    let needs_body = ["text", "body", "body_matches", "body_not_matches", "json"];
    let default = if needs_body.iter().any(|field| section.has(field)) {
        Method::Get
    } else {
        Method::Head
    };
    let written = section.choice::<Method>("method", "the method, such as GET");
    let is_allowed = section.read("unsafe_method", "true or false", Value::as_bool);
    if let Some(method) = written.filter(|method| !method.is_safe())
        && is_allowed != Some(true)
    {
        let what = format!("`{method}` can change data on the server");
        let help = "write GET, or add `unsafe_method: true` if every check may send it";
        section.diagnostic("method", what, help);
    }
    written.unwrap_or(default)
}

fn report(section: &mut MapReader<'_>, error: HttpCheckError, path: Option<&str>) {
    let most = HttpCheck::MAX_BYTES;
    match error {
        HttpCheckError::Path => {
            let what = format!("`{}` is not a path", quoted(path.unwrap_or_default()));
            let help =
                format!("start with `/`, and use printable ASCII without spaces, at most {most} bytes");
            section.diagnostic("path", what, help);
        }
        HttpCheckError::Status => {
            let help = format!("use at most {}, or use ranges", HttpCheck::MAX_STATUSES);
            section.diagnostic("status", "has too many entries", help);
        }
        HttpCheckError::Text => {
            let help = format!("write 1 to {most} bytes");
            section.diagnostic("text", "is empty or too long", help);
        }
        HttpCheckError::NoBody => {
            let text = if section.has("text") {
                "search for `text`"
            } else {
                "check"
            };
            let what = format!("`HEAD` returns no body to {text}");
            section.diagnostic("method", what, "write GET, or remove `method`");
        }
        HttpCheckError::BodyOfHead => {
            section.diagnostic(
                "method",
                "`HEAD` sends no body",
                "write POST or GET, or remove `body`",
            );
        }
    }
}

fn read_content(section: &mut MapReader<'_>) -> RequestContent {
    let mut content = RequestContent::default();
    for (name, value) in entries(section, "headers") {
        let at = section.place("headers").field(name);
        match value
            .as_str()
            .map(|text| (text, RequestContent::check_header(name, text)))
        {
            Some((text, Ok(()))) => content.headers.push(Header {
                name: name.to_owned(),
                value: text.to_owned(),
            }),
            Some((_, Err(invalid))) => section.report(refused(at, name, invalid)),
            None => {
                let help = "write a string, in quotes if necessary";
                section.report(Diagnostic::new(at, format!("is {}", kind_of(value)), help));
            }
        }
    }
    for (name, value) in entries(section, "secret_headers") {
        let at = section.place("secret_headers").field(name);
        if let Err(invalid) = RequestContent::check_name(name) {
            section.report(refused(at, name, invalid));
        } else if let Some(value) = section.secret(at, value) {
            let name = name.to_owned();
            content.secret_headers.push(Header { name, value });
        }
    }
    content.credentials = read_credentials(section);
    let body = section.text("body", "the body to send");
    if body.is_some_and(|body| !(1..=RequestContent::MAX_BODY_BYTES).contains(&body.len())) {
        let help = format!("write 1 to {} bytes", RequestContent::MAX_BODY_BYTES);
        section.diagnostic("body", "is empty or too long", help);
    }
    content.body = body.map(str::to_owned);
    content
}

/// The entries of a map, at most the maximum.
fn entries<'a>(section: &mut MapReader<'a>, field: &str) -> Vec<(&'a str, &'a Value)> {
    let map: Option<&Map<String, Value>> =
        section.read(field, "a map such as { X-Env: prod }", Value::as_object);
    let entries: Vec<_> = map
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value))
        .collect();
    if entries.len() > RequestContent::MAX_HEADERS {
        let help = format!("use at most {}", RequestContent::MAX_HEADERS);
        section.diagnostic(field, format!("has {} entries", entries.len()), help);
    }
    entries
}

fn refused(at: FieldPath, name: &str, invalid: InvalidHeader) -> Diagnostic {
    let help = match invalid {
        InvalidHeader::Name => format!("write {}", HEADER_NAME.wanted),
        InvalidHeader::Reserved => "remove the field".to_owned(),
        InvalidHeader::Secret if name.eq_ignore_ascii_case("authorization") => {
            "use `basic_auth`, `bearer_token` or `secret_headers` with the name of a secret".to_owned()
        }
        InvalidHeader::Secret => "use `secret_headers` with the name of a secret".to_owned(),
        InvalidHeader::Value => {
            "write 1 to 1024 printable ASCII characters without spaces at the ends".to_owned()
        }
    };
    Diagnostic::new(at, invalid.to_string(), help)
}

fn read_credentials(section: &mut MapReader<'_>) -> Option<Credentials> {
    let basic = section.read(
        "basic_auth",
        "a map such as { username: …, password: … }",
        Value::as_object,
    );
    let token = section.read(
        "bearer_token",
        "the name of a secret, such as ssm:/portpulse/shop",
        Some,
    );
    if basic.is_some() && token.is_some() {
        section.diagnostic(
            "bearer_token",
            "cannot be combined with `basic_auth`",
            "remove one",
        );
    }
    if let Some(token) = token {
        let at = section.place("bearer_token");
        return section.secret(at, token).map(Credentials::Bearer);
    }
    let mut reader = MapReader::new(section.place("basic_auth"), basic?);
    reader.only(&names(BASIC_AUTH));
    for field in ["username", "password"] {
        if !reader.has(field) {
            reader.diagnostic(
                field,
                "is missing",
                "write `username`, and `password` with the name of a secret",
            );
        }
    }
    let username = reader.text("username", "the user name");
    let is_valid = |name: &str| {
        name.len() <= RequestContent::MAX_VALUE_BYTES
            && !name.contains(':')
            && !name.contains(char::is_control)
    };
    if username.is_some_and(|name| !is_valid(name)) {
        // RFC 7617, section 2.
        reader.diagnostic(
            "username",
            "contains a colon or a control character, or is too long",
            "write another name",
        );
    }
    let password = reader.read("password", "the name of a secret", Some);
    let at = reader.place("password");
    let password = password.and_then(|value| reader.secret(at, value));
    let credentials = username
        .zip(password)
        .map(|(username, password)| Credentials::Basic {
            username: username.to_owned(),
            password,
        });
    match reader.finish(credentials) {
        Ok(credentials) => Some(credentials),
        Err(diagnostics) => {
            diagnostics
                .into_iter()
                .for_each(|diagnostic| section.report(diagnostic));
            None
        }
    }
}

/// Adds a diagnostic if a list of conditions is empty or too long.
fn count(section: &mut MapReader<'_>, field: &str) {
    let count = section.entries(field).map(<[_]>::len);
    if count == Some(0) {
        section.diagnostic(field, "is empty", "add a condition, or remove the field");
    } else if let Some(count) = count.filter(|count| *count > BodyConditions::MAX) {
        let help = format!("use at most {}", BodyConditions::MAX);
        section.diagnostic(field, format!("has {count} entries"), help);
    }
}

fn read_patterns(section: &mut MapReader<'_>, field: &str) -> Vec<Pattern> {
    let texts = section.texts(field, "a list of regular expressions");
    count(section, field);
    let mut patterns = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let at = section.place(field).index(index);
        match text.parse::<Pattern>() {
            Ok(pattern) if (1..=HttpCheck::MAX_BYTES).contains(&text.len()) => patterns.push(pattern),
            Ok(_) => {
                let help = format!("write 1 to {} bytes", HttpCheck::MAX_BYTES);
                section.report(Diagnostic::new(at, "is empty or too long", help));
            }
            Err(invalid) => {
                let help = "write a regular expression without \\p, look-around and back-references";
                section.report(Diagnostic::new(at, invalid.to_string(), help));
            }
        }
    }
    patterns
}

fn read_conditions(section: &mut MapReader<'_>) -> Vec<JsonCondition> {
    let list = section.read(
        "json",
        "a list such as [{ path: $.status, value: up }]",
        Value::as_array,
    );
    let list = list.map(Vec::as_slice).unwrap_or_default();
    count(section, "json");
    let mut conditions = Vec::new();
    for (index, value) in list.iter().enumerate() {
        let at = section.place("json").index(index);
        let Some(map) = value.as_object() else {
            let help = "write a map such as { path: $.status, value: up }";
            section.report(Diagnostic::new(at, format!("is {}", kind_of(value)), help));
            continue;
        };
        let mut reader = MapReader::new(at, map);
        let condition = read_condition(&mut reader);
        match reader.finish(condition) {
            Ok(condition) => conditions.push(condition),
            Err(diagnostics) => diagnostics
                .into_iter()
                .for_each(|diagnostic| section.report(diagnostic)),
        }
    }
    conditions
}

fn read_condition(reader: &mut MapReader<'_>) -> Option<JsonCondition> {
    reader.only(&names(JSON));
    if !reader.has("path") {
        reader.diagnostic("path", "is missing", "write a JSONPath such as $.status");
    }
    let wanted = "a JSONPath such as $.status";
    let written = reader.text("path", wanted);
    let path = written.map(|text| {
        if text.len() > HttpCheck::MAX_BYTES {
            return Err(format!("is longer than {} bytes", HttpCheck::MAX_BYTES));
        }
        text.parse::<JsonPath>().map_err(|invalid| invalid.to_string())
    });
    if let Some(Err(what)) = &path {
        reader.diagnostic("path", what, format!("write {wanted}"));
    }
    let path = path.and_then(Result::ok);
    let is_length = reader.read("length", "true or false", Value::as_bool);
    let measure = if is_length == Some(true) {
        Measure::Length
    } else {
        Measure::Value
    };
    let is_scalar = |value: &Value| matches!(value, Value::Bool(_) | Value::Number(_) | Value::String(_));
    let value = reader.read("value", "a text, a number, true or false", |value| {
        is_scalar(value).then_some(value)
    });
    let operator = reader.choice::<Operator>("operator", "the comparison, such as ==");
    if reader.has("operator") && operator.is_none() || reader.has("value") && value.is_none() {
        return None;
    }
    let default = if value.is_some() {
        Operator::Equal
    } else {
        Operator::Exists
    };
    let made = JsonCondition::new(path?, measure, operator.unwrap_or(default), value.cloned());
    if let Err(invalid) = &made {
        let field = if reader.has("value") { "value" } else { "operator" };
        reader.diagnostic(field, invalid.to_string(), "change the operator or the value");
    }
    made.ok()
}
