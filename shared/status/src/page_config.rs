//! The appearance of a status page: title, logo, header text, links, order of groups, announcements, and the objective of reports.

use jiff::Timestamp;
use portpulse_core::definition::{Diagnostic, FieldPath, nearest};
use portpulse_core::time::parse_time;
use portpulse_core::uptime::{InvalidObjective, Objective};
use serde_json::{Map, Value};

/// The maximum size of the file in bytes. The settings of a Lambda function have at most 4 KB together.
pub const MAX_PAGE_CONFIG_BYTES: usize = 3_000;
/// The maximum number of bytes of a text.
const MAX_TEXT: usize = 500;
const FIELDS: [&str; 7] = [
    "title",
    "logo",
    "header",
    "links",
    "groups",
    "announcements",
    "objective",
];

/// The appearance of a page. The default has the name of the program as its title, and nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageConfig {
    /// The title.
    pub title: Option<String>,
    /// An SVG document, shown beside the title.
    pub logo: Option<String>,
    /// A text above the monitors.
    pub header: Option<String>,
    /// Links at the bottom.
    pub links: Vec<Link>,
    /// The groups in the order in which a public page shows them; others follow.
    pub groups: Vec<String>,
    /// Announcements.
    pub announcements: Vec<Announcement>,
    /// The objective, for reports, of the monitors without their own.
    pub objective: Option<Objective>,
}

/// A link to another page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The text.
    pub text: String,
    /// An absolute URL with `https`, `http` or `mailto`.
    pub url: String,
}

/// A text that is shown for some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// The text.
    pub text: String,
    /// From when on; `None`: from the start.
    pub from: Option<Timestamp>,
    /// Until when, exclusive; `None`: until it is removed.
    pub until: Option<Timestamp>,
}

impl Announcement {
    /// Whether the announcement is shown at `now`.
    pub(crate) fn is_current(&self, now: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now < until)
    }
}

impl PageConfig {
    /// Reads the content of a file.
    ///
    /// # Errors
    /// All mistakes.
    pub fn validate(value: &Value) -> Result<Self, Vec<Diagnostic>> {
        let root = FieldPath::root();
        let mut diagnostics = Vec::new();
        let Value::Object(fields) = value else {
            let help = "write fields such as `title: Example status`";
            return Err(vec![Diagnostic::new(root, "is not a page", help)]);
        };
        let mut reader = Reader {
            at: &root,
            fields,
            diagnostics: &mut diagnostics,
        };
        reader.refuse_unknown(&FIELDS);
        let (title, header) = (reader.text("title"), reader.text("header"));
        let logo = reader.logo();
        let groups = reader.texts("groups");
        let links = reader.entries("links", &["text", "url"], Link::read);
        let objective = reader.objective();
        let announcements = reader.entries("announcements", &["text", "from", "until"], Announcement::read);
        if value.to_string().len() > MAX_PAGE_CONFIG_BYTES {
            let help = format!(
                "use at most {MAX_PAGE_CONFIG_BYTES} bytes, of which the logo is often the largest part"
            );
            diagnostics.push(Diagnostic::new(root.clone(), "is too large", help));
        }
        match diagnostics.is_empty() {
            true => Ok(Self {
                title,
                logo,
                header,
                links,
                groups,
                announcements,
                objective,
            }),
            false => Err(diagnostics),
        }
    }
}

impl Link {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (text, url) = (reader.required("text"), reader.required("url"));
        let url = url?;
        if !["https://", "http://", "mailto:"]
            .iter()
            .any(|scheme| url.starts_with(scheme))
        {
            reader.diagnostic(
                "url",
                "is not a URL",
                "write a URL that begins with https://, http:// or mailto:",
            );
            return None;
        }
        Some(Self { text: text?, url })
    }
}

impl Announcement {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.required("text");
        let (from, until) = (reader.time("from"), reader.time("until"));
        if let (Some(from), Some(until)) = (from, until)
            && from >= until
        {
            reader.diagnostic("until", "is not after `from`", "swap the two, or correct one");
        }
        Some(Self {
            text: text?,
            from,
            until,
        })
    }
}

/// Reads the fields of a map and collects diagnostics.
struct Reader<'a> {
    at: &'a FieldPath,
    fields: &'a Map<String, Value>,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    fn diagnostic(&mut self, field: &str, what: &str, help: &str) {
        self.diagnostics
            .push(Diagnostic::new(self.at.field(field), what, help));
    }

    fn refuse_unknown(&mut self, known: &[&str]) {
        let unknown: Vec<_> = self
            .fields
            .keys()
            .filter(|name| !known.contains(&name.as_str()))
            .collect();
        for name in unknown {
            let help = match nearest(name, known.iter().copied()) {
                Some(field) => format!("did you mean `{field}`?"),
                None => format!("known fields: {}", known.join(", ")),
            };
            self.diagnostic(name, "unknown field", &help);
        }
    }

    /// A text; `None` if absent or, with a diagnostic, invalid.
    fn text(&mut self, name: &str) -> Option<String> {
        let text = self.fields.get(name)?.as_str().map(str::trim);
        let text = text.filter(|text| (1..=MAX_TEXT).contains(&text.len()));
        if text.is_none() {
            self.diagnostic(name, "is not a text", "write a text of at most 500 bytes");
        }
        text.map(str::to_owned)
    }

    fn required(&mut self, name: &str) -> Option<String> {
        if !self.fields.contains_key(name) {
            self.diagnostic(name, "is required", "add the field");
        }
        self.text(name)
    }

    fn logo(&mut self) -> Option<String> {
        let svg = self.fields.get("logo")?.as_str().map(str::trim);
        match svg.filter(|svg| svg.starts_with("<svg")) {
            Some(svg) => Some(svg.to_owned()),
            None => {
                self.diagnostic(
                    "logo",
                    "is not an SVG document",
                    "write the text of the SVG file, from <svg to </svg>",
                );
                None
            }
        }
    }

    fn objective(&mut self) -> Option<Objective> {
        let percent = self.fields.get("objective")?.as_f64();
        let objective = percent.and_then(|percent| Objective::from_percent(percent).ok());
        if objective.is_none() {
            let help = format!("write {}", InvalidObjective::WANTED);
            self.diagnostic("objective", "is not an objective", &help);
        }
        objective
    }

    fn time(&mut self, name: &str) -> Option<Timestamp> {
        let text = self.text(name)?;
        let time = parse_time(&text).ok();
        if time.is_none() {
            self.diagnostic(
                name,
                "is not an RFC 3339 time",
                "write a time such as 2026-11-22T02:00:00Z",
            );
        }
        time
    }

    fn texts(&mut self, name: &str) -> Vec<String> {
        let Some(value) = self.fields.get(name) else {
            return Vec::new();
        };
        let texts = value.as_array().and_then(|values| {
            let texts = values.iter().map(|value| value.as_str().map(str::to_owned));
            texts.collect::<Option<Vec<_>>>()
        });
        if texts.is_none() {
            self.diagnostic(
                name,
                "is not a list of names",
                "write a list such as [Storefront, Databases]",
            );
        }
        texts.unwrap_or_default()
    }

    /// A list of maps with these fields.
    fn entries<T>(
        &mut self,
        name: &str,
        known: &[&str],
        read: impl Fn(&mut Reader<'_>) -> Option<T>,
    ) -> Vec<T> {
        let Some(value) = self.fields.get(name) else {
            return Vec::new();
        };
        let Some(values) = value.as_array() else {
            let help = format!("write a list of entries with the fields {}", known.join(", "));
            self.diagnostic(name, "is not a list", &help);
            return Vec::new();
        };
        let mut entries = Vec::new();
        for (index, value) in values.iter().enumerate() {
            let at = self.at.field(name).index(index);
            let Value::Object(fields) = value else {
                let help = format!("write an entry with the fields {}", known.join(", "));
                self.diagnostics
                    .push(Diagnostic::new(at, "is not an entry", help));
                continue;
            };
            let mut reader = Reader {
                at: &at,
                fields,
                diagnostics: self.diagnostics,
            };
            reader.refuse_unknown(known);
            entries.extend(read(&mut reader));
        }
        entries
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_fields_are_read() {
        let config = PageConfig::validate(&json!({
            "title": "Example status",
            "logo": "<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
            "header": "All systems of example.com.",
            "links": [{ "text": "Support", "url": "mailto:help@example.com" }],
            "groups": ["Storefront", "Databases"],
            "objective": 99.9,
            "announcements": [{ "text": "New address", "until": "2026-12-01T00:00:00Z" }],
        }));
        let config = config.unwrap();
        assert_eq!(config.objective, "99.9".parse().ok());
        assert_eq!(config.groups, ["Storefront", "Databases"]);
        assert_eq!(config.links[0].url, "mailto:help@example.com");
        let is_current = |time: &str| config.announcements[0].is_current(time.parse().unwrap());
        assert_eq!(
            (
                is_current("2026-11-30T23:59:59Z"),
                is_current("2026-12-01T00:00:00Z")
            ),
            (true, false)
        );
    }

    #[test]
    fn all_mistakes_are_reported_with_their_place() {
        let mistakes = PageConfig::validate(&json!({
            "titel": "x",
            "title": 7,
            "logo": "logo.png",
            "links": [{ "text": "x", "url": "javascript:alert(1)" }, 3],
            "groups": "all",
            "objective": "99.9%",
            "announcements": [{ "from": "2026-12-01T00:00:00Z", "until": "2026-11-01T00:00:00Z" }],
        }));
        let mistakes: Vec<_> = mistakes.unwrap_err().iter().map(ToString::to_string).collect();
        for part in [
            "titel",
            "did you mean `title`?",
            "logo",
            "links.0.url",
            "links.1",
            "groups",
            "objective",
            "announcements.0.text",
            "announcements.0.until",
        ] {
            assert!(
                mistakes.iter().any(|mistake| mistake.contains(part)),
                "{part}: {mistakes:?}"
            );
        }
    }
}
