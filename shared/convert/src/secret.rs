//! Recognises secrets by the names of their fields, parameters and variables.

/// Why a secret is not written, and where it belongs.
pub(crate) const CREDENTIALS: &str = "Checks do not use these credentials, so the secret was not copied. Keep it in SSM Parameter \
                                      Store or Secrets Manager.";
const PARAMETER: &str = "This query parameter looks like a secret, so it was not copied and is not sent. Keep it in SSM \
                         Parameter Store or Secrets Manager.";

/// Why a label is not copied.
pub(crate) const SECRET_LABEL: &str =
    "The name of this label says that its value is a secret, so it was not copied.";

/// Whether a field, parameter or variable with this name holds a secret.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace(['-', '.'], "_");
    let parts = [
        "token",
        "secret",
        "passw",
        "pwd",
        "apikey",
        "api_key",
        "access_key",
        "credential",
        "signature",
        "authorization",
        "private_key",
        "cookie",
        "session",
    ];
    parts.iter().any(|part| name.contains(part))
        || matches!(
            name.as_str(),
            "key" | "sig" | "auth" | "pass" | "code" | "hash" | "jwt"
        )
        || name.ends_with("_key")
        || name.ends_with("_pass")
        || name.ends_with("_auth")
}

/// Whether a text that is sent seems to contain a secret: one of its words is the name of one.
pub(crate) fn seems_secret(text: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-');
    words.any(is_secret_name)
}

/// A path without the parameters of its query that are secrets, and a note for each of these.
pub(crate) fn without_secret_parameters(path: &str) -> (String, Vec<(String, &'static str)>) {
    let Some((bare, query)) = path.split_once('?') else {
        return (path.to_owned(), Vec::new());
    };
    let mut secrets = Vec::new();
    let mut kept = Vec::new();
    for parameter in query.split('&') {
        let name = parameter.split('=').next().unwrap_or_default();
        if is_secret_name(name) && parameter.len() > name.len() + 1 {
            secrets.push((format!("url: ?{name}"), PARAMETER));
        } else {
            kept.push(parameter);
        }
    }
    if secrets.is_empty() {
        return (path.to_owned(), secrets);
    }
    let query = kept.join("&");
    let path = if query.is_empty() {
        bare.to_owned()
    } else {
        format!("{bare}?{query}")
    };
    (path, secrets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_parameters_are_removed_and_named() {
        for (path, expected, names) in [
            ("/x", "/x", ""),
            ("/x?page=2&Token=abc", "/x?page=2", "url: ?Token"),
            ("/x?api-key=1&sig=2", "/x", "url: ?api-key, url: ?sig"),
            ("/x?token", "/x?token", ""),
            ("/x?keyboard=de", "/x?keyboard=de", ""),
        ] {
            let (kept, secrets) = without_secret_parameters(path);
            let found: Vec<_> = secrets.into_iter().map(|(field, _)| field).collect();
            assert_eq!((kept.as_str(), found.join(", ").as_str()), (expected, names));
        }
    }
}
