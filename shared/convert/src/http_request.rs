//! The HTTP request of a draft as sources write it, and the conditions on the body. Secrets become names of secrets.

use portpulse_core::readiness::{InvalidHeader, JsonPath, Method, Pattern, RequestContent};
use serde_json::{Value, json};

use crate::draft::Draft;
use crate::id::id_of;
use crate::mark::has_placeholder;
use crate::secret::{is_secret_name, seems_secret};
use crate::source_fields::PLACEHOLDER;

/// The maximum number of conditions of a kind.
const MAX_CONDITIONS: usize = 20;
pub(crate) const SECRET_BODY: &str =
    "The text seems to contain a secret, so it was not copied and is not sent.";
const NO_TEXT: &str = "A response to HEAD has no text to search.";
const TOO_MANY: &str = "A check has at most 20 conditions of a kind, so this one is not checked.";

impl Draft {
    /// Sets the method. One that can change data is written plainly.
    pub(crate) fn set_method(&mut self, field: &str, method: &str) {
        let method = method.to_ascii_uppercase();
        match method.parse::<Method>() {
            Ok(known) => {
                self.set_option("http", "method", known.as_str());
                if !known.is_safe() {
                    self.set_option("http", "unsafe_method", true);
                    let reason = "The method can change data, and every location sends it at every check: see `unsafe_method`.";
                    self.changed(field, reason);
                }
            }
            Err(_) => {
                self.set_option("http", "method", "GET");
                self.changed(field, "The method is not supported: became GET.");
            }
        }
    }

    /// Adds a header field; `field` names the setting of the source. The value of a secret field is not copied.
    pub(crate) fn add_header(&mut self, field: &str, name: &str, value: &str) {
        let is_named_secret = is_secret_name(name);
        match RequestContent::check_header(name, value) {
            Err(InvalidHeader::Reserved) => {
                self.not_needed(field, "The check sets this header field itself.");
            }
            Err(InvalidHeader::Name) => self.lost(field, "This is not the name of a header field."),
            Err(InvalidHeader::Secret) => self.add_secret_header(field, name),
            Ok(()) | Err(InvalidHeader::Value) if is_named_secret => self.add_secret_header(field, name),
            Err(InvalidHeader::Value) if has_placeholder(&Value::from(value)) => {
                self.lost(field, PLACEHOLDER);
            }
            Err(InvalidHeader::Value) => {
                self.lost(field, "The value is not printable ASCII, or is too long.");
            }
            Ok(()) => self.set_entry("headers", name, value),
        }
    }

    /// Adds a header field whose value is a secret.
    pub(crate) fn add_secret_header(&mut self, field: &str, name: &str) {
        let secret = self.secret(field, name);
        self.set_entry("secret_headers", name, &secret);
    }

    /// Sets basic authentication; the password is not copied.
    pub(crate) fn set_basic_auth(&mut self, field: &str, username: &str) {
        if has_placeholder(&Value::from(username)) || username.contains([':', '\r', '\n']) {
            self.lost(
                field,
                "The user name has a placeholder without a value, or is not valid.",
            );
            return;
        }
        let secret = self.secret(field, "password");
        let credentials = json!({ "username": username, "password": secret });
        self.set_option("http", "basic_auth", credentials);
    }

    /// Sets a bearer token, which is not copied.
    pub(crate) fn set_bearer_token(&mut self, field: &str) {
        let secret = self.secret(field, "token");
        self.set_option("http", "bearer_token", secret);
    }

    /// Names the secret with the certificate and the key of the client.
    pub(crate) fn certificate_secret(&mut self, field: &str) -> String {
        let secret = self.secret(field, "certificate");
        self.changed(
            field,
            "The secret of `tls.certificate` consists of the certificate and its key, both as PEM.",
        );
        secret
    }

    /// Names a secret, and says where to put it.
    fn secret(&mut self, field: &str, what: &str) -> String {
        let path = format!("/portpulse/{}/{}", id_of(&self.name), id_of(what));
        let reason = format!(
            "The secret was not copied: store it as the SSM parameter {path} (SecureString), on one machine as the file \
             ssm{path} of the directory of --secrets."
        );
        self.changed(field, reason);
        format!("ssm:{path}")
    }

    /// Sets the body of the request. One that seems to contain a secret is not copied.
    pub(crate) fn set_body(&mut self, field: &str, body: &str) {
        if seems_secret(body) {
            self.lost(field, SECRET_BODY);
        } else if has_placeholder(&Value::from(body)) {
            self.lost(field, PLACEHOLDER);
        } else if self.has_method("HEAD") {
            self.lost(field, "A request with HEAD has no body.");
        } else if body.len() > RequestContent::MAX_BODY_BYTES {
            self.lost(field, "The body has more than 8 KiB.");
        } else {
            self.set_option("http", "body", body);
        }
    }

    /// Requires a text in the body.
    pub(crate) fn require_text(&mut self, field: &str, text: &str) {
        if self.http("text").is_none() && !self.has_method("HEAD") {
            self.set_option("http", "text", text);
        } else if self.http("text") != Some(&json!(text)) {
            self.add_pattern(field, "body_matches", &regex::escape(text));
        }
    }

    /// Forbids a text in the body.
    pub(crate) fn forbid_text(&mut self, field: &str, text: &str) {
        self.add_pattern(field, "body_not_matches", &regex::escape(text));
    }

    /// Requires (`body_matches`) or forbids (`body_not_matches`) a pattern in the body.
    pub(crate) fn add_pattern(&mut self, field: &str, option: &str, pattern: &str) {
        if self.has_method("HEAD") {
            self.lost(field, NO_TEXT);
        } else if has_placeholder(&Value::from(pattern)) {
            self.lost(field, PLACEHOLDER);
        } else if let Err(invalid) = pattern.parse::<Pattern>() {
            self.lost(field, format!("The expression {invalid}."));
        } else {
            self.add_condition(field, option, json!(pattern));
        }
    }

    /// Requires a condition on a JSON body, in the form of `http.json`.
    pub(crate) fn require_json(&mut self, field: &str, condition: Value) {
        let path = condition.get("path").and_then(Value::as_str).unwrap_or_default();
        if self.has_method("HEAD") {
            self.lost(field, NO_TEXT);
        } else if has_placeholder(&condition) {
            self.lost(field, PLACEHOLDER);
        } else if path.parse::<JsonPath>().is_err() {
            self.lost(
                field,
                "The path is not supported, so this condition is not checked.",
            );
        } else {
            self.add_condition(field, "json", condition);
        }
    }

    fn add_condition(&mut self, field: &str, option: &str, condition: Value) {
        let mut conditions = match self.http(option) {
            Some(Value::Array(conditions)) => conditions.clone(),
            Some(_) | None => Vec::new(),
        };
        if conditions.contains(&condition) {
            return;
        }
        if conditions.len() >= MAX_CONDITIONS {
            self.lost(field, TOO_MANY);
            return;
        }
        conditions.push(condition);
        self.set_option("http", option, conditions);
    }

    fn set_entry(&mut self, option: &str, name: &str, value: &str) {
        let mut entries = match self.http(option) {
            Some(Value::Object(entries)) => entries.clone(),
            Some(_) | None => serde_json::Map::new(),
        };
        entries.insert(name.to_owned(), json!(value));
        self.set_option("http", option, entries);
    }

    /// An option of the request.
    fn http(&self, option: &str) -> Option<&Value> {
        self.fields.get("http")?.get(option)
    }

    pub(crate) fn has_method(&self, method: &str) -> bool {
        self.http("method") == Some(&json!(method))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_becomes_a_name_and_a_line_where_to_put_it() {
        let mut draft = Draft::new("Shop / EU", "");
        draft.set_method("method", "post");
        draft.add_header("headers.X-Env", "X-Env", "prod");
        draft.add_header("headers.Authorization", "Authorization", "Bearer s3cr3t");
        draft.add_header("headers.X-Shop-Token", "X-Shop-Token", "s3cr3t");
        draft.add_header("headers.Content-Length", "Content-Length", "3");
        draft.set_basic_auth("auth", "monitor");
        draft.set_body("body", "{\"password\": \"s3cr3t\"}");
        let http = json!({
            "method": "POST", "unsafe_method": true, "headers": { "X-Env": "prod" },
            "secret_headers": {
                "Authorization": "ssm:/portpulse/shop-eu/authorization",
                "X-Shop-Token": "ssm:/portpulse/shop-eu/x-shop-token",
            },
            "basic_auth": { "username": "monitor", "password": "ssm:/portpulse/shop-eu/password" },
        });
        assert_eq!(draft.fields.get("http"), Some(&http));
        let named: Vec<_> = draft.notes.iter().map(|note| note.field.as_str()).collect();
        let expected = [
            "method",
            "headers.Authorization",
            "headers.X-Shop-Token",
            "headers.Content-Length",
            "auth",
            "body",
        ];
        assert_eq!(named, expected);
        assert!(!format!("{draft:?}").contains("s3cr3t"));
    }

    #[test]
    fn conditions_on_the_body_are_collected() {
        let mut draft = Draft::new("a", "");
        draft.set_method("method", "GET");
        draft.require_text("a", "well");
        draft.require_text("a", "well");
        draft.require_text("b", "fine (1)");
        draft.forbid_text("c", "error");
        draft.add_pattern("d", "body_matches", "(");
        draft.require_json("e", json!({ "path": "$.a", "value": 1 }));
        draft.require_json("f", json!({ "path": "a", "value": 1 }));
        let http = json!({
            "method": "GET", "text": "well", "body_matches": ["fine \\(1\\)"], "body_not_matches": ["error"],
            "json": [{ "path": "$.a", "value": 1 }],
        });
        assert_eq!(draft.fields.get("http"), Some(&http));
        let named: Vec<_> = draft.notes.iter().map(|note| note.field.as_str()).collect();
        assert_eq!(named, ["d", "f"]);
    }
}
