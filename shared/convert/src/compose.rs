//! Docker Compose: the published ports of services.
//!
//! Source: <https://docs.docker.com/reference/compose-file/services/#ports>

use serde_json::Value;

use crate::draft::Draft;
use crate::mark::has_placeholder;
use crate::note::Note;
use crate::services::of_image;
use crate::source_fields::{PLACEHOLDER, SourceFields};
use crate::{Extracted, Format, ImportError};

/// The maximum number of ports in a range that become monitors.
const MAX_RANGE: u16 = 16;

/// A published port.
struct Published {
    host: Option<String>,
    published: u16,
    target: u16,
}

pub(crate) fn read(sources: Vec<(&str, Value)>, host: &str) -> Result<Extracted, ImportError> {
    let mut read = Extracted::default();
    for (name, value) in sources {
        let mut file = SourceFields::from_value(value)
            .filter(|file| file.has("services"))
            .ok_or_else(|| ImportError::Foreign {
                name: name.to_owned(),
                format: Format::Compose,
                problem: "`services:` is missing",
            })?;
        let services = file.map("services").unwrap_or_default();
        for (service, fields) in services.into_entries() {
            let Some(fields) = SourceFields::from_value(fields) else {
                read.notes
                    .push(Note::lost(&service, "services", "The value is not a map."));
                continue;
            };
            service_of(&service, fields, host, &mut read);
        }
        if file.take("include").is_some() {
            read.notes
                .push(Note::lost(name, "include", "Import these files too."));
        }
        for section in [
            "version", "name", "networks", "volumes", "configs", "secrets", "models",
        ] {
            drop(file.take(section));
        }
        let extensions: Vec<String> = file
            .names()
            .filter(|name| name.starts_with("x-"))
            .map(str::to_owned)
            .collect();
        for extension in extensions {
            drop(file.take(&extension));
        }
        file.note_unused(name, "", &[], &mut read.notes);
    }
    Ok(read)
}

fn service_of(service: &str, mut fields: SourceFields, default_host: &str, read: &mut Extracted) {
    if fields.take("extends").is_some() {
        let reason = "The service extends another, whose ports are not added.";
        read.notes.push(Note::lost(service, "extends", reason));
    }
    let image = fields.text("image").unwrap_or_default();
    let mut published = Vec::new();
    let ports = fields.list("ports");
    let has_ports = !ports.is_empty();
    for port in ports {
        match ports_of(&port) {
            Ok(ports) => published.extend(ports),
            Err(reason) => {
                read.found += 1;
                let reason = if has_placeholder(&port) {
                    PLACEHOLDER
                } else {
                    reason
                };
                read.notes.push(Note::lost(service, "ports", reason));
            }
        }
    }
    if fields.take("ports").is_some() {
        read.notes
            .push(Note::lost(service, "ports", "The value is not a list."));
    } else if !has_ports {
        let reason = "The service publishes no port, so only other containers reach it.";
        read.notes.push(Note::not_needed(service, "ports", reason));
    }
    let is_alone = published.len() == 1;
    for port in published {
        read.found += 1;
        let name = if is_alone {
            service.to_owned()
        } else {
            format!("{service} {}", port.published)
        };
        let mut draft = Draft::new(&name, &name);
        draft.set("host", port.host.as_deref().unwrap_or(default_host));
        draft.set("port", port.published);
        let known = of_image(&image)
            .filter(|(_, usual)| *usual == port.target)
            .map(|(service, _)| service);
        let known = known.or(match port.target {
            80 | 8080 => Some("http"),
            443 | 8443 => Some("https"),
            _ => None,
        });
        if let Some(known) = known {
            draft.set("service", known);
        }
        draft.tag(&format!("service={service}"));
        read.drafts.push(draft);
    }
}

/// The published ports of one entry.
///
/// # Errors
/// If the port is not TCP, or the host chooses the published port.
fn ports_of(port: &Value) -> Result<Vec<Published>, &'static str> {
    const INVALID: &str = "The port is not valid.";
    const CHOSEN: &str = "The host chooses the published port, so it is not known.";
    const UDP: &str = "Only TCP ports are checked.";
    if let Some(fields) = port.as_object() {
        let text = |field: &str| fields.get(field).and_then(crate::source_fields::text_of);
        if text("protocol").is_some_and(|protocol| protocol != "tcp") {
            return Err(UDP);
        }
        let target = text("target").and_then(|port| port.parse().ok()).ok_or(INVALID)?;
        let published = text("published").ok_or(CHOSEN)?;
        return paired(text("host_ip"), &published, target, target);
    }
    let text = crate::source_fields::text_of(port).ok_or(INVALID)?;
    let (text, protocol) = text.split_once('/').unwrap_or((&text, "tcp"));
    if protocol != "tcp" {
        return Err(UDP);
    }
    let (rest, target) = text.rsplit_once(':').ok_or(CHOSEN)?;
    let (first, last) = range(target).ok_or(INVALID)?;
    let (host, published) = match rest.rsplit_once(':') {
        Some((host, published)) => (Some(host.trim_matches(['[', ']']).to_owned()), published),
        None => (None, rest),
    };
    if published.is_empty() {
        return Err(CHOSEN);
    }
    paired(host, published, first, last)
}

fn paired(
    host: Option<String>,
    published: &str,
    first: u16,
    last: u16,
) -> Result<Vec<Published>, &'static str> {
    let (from, to) = range(published).ok_or("The port is not valid.")?;
    if to - from >= MAX_RANGE {
        return Err("The range has more ports than become monitors.");
    }
    // A container that listens on all addresses of its host is reached under the name of the host.
    let host = host.filter(|host| !matches!(host.as_str(), "" | "0.0.0.0" | "::"));
    let step = |offset: u16| Published {
        host: host.clone(),
        published: from.saturating_add(offset),
        target: first.saturating_add(if last > first { offset } else { 0 }),
    };
    Ok((0..=to - from).map(step).collect())
}

/// `8000-8005` or `8000`.
fn range(text: &str) -> Option<(u16, u16)> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
    (0 < from && from <= to).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ports_in_all_notations_are_read() {
        let check = |port: Value, expected: &str| {
            let shown = match ports_of(&port) {
                Ok(ports) => {
                    let show = |port: &Published| {
                        format!(
                            "{}:{}:{}",
                            port.host.as_deref().unwrap_or("*"),
                            port.published,
                            port.target
                        )
                    };
                    ports.iter().map(show).collect::<Vec<_>>().join(" ")
                }
                Err(reason) => reason.to_owned(),
            };
            assert_eq!(shown, expected, "{port}");
        };
        check(json!("8080:80"), "*:8080:80");
        check(json!("127.0.0.1:5432:5432"), "127.0.0.1:5432:5432");
        check(json!("[::1]:5432:5432"), "::1:5432:5432");
        check(json!("0.0.0.0:1:1"), "*:1:1");
        check(json!("3000-3001:80-81/tcp"), "*:3000:80 *:3001:81");
        check(json!({ "target": 80, "published": "8080" }), "*:8080:80");
        check(json!("53:53/udp"), "Only TCP ports are checked.");
        check(
            json!(80),
            "The host chooses the published port, so it is not known.",
        );
        check(json!("a:b"), "The port is not valid.");
        check(
            json!("3000-3016:80"),
            "The range has more ports than become monitors.",
        );
        assert_eq!(ports_of(&json!("3000-3015:80")).unwrap().len(), 16);
    }
}
