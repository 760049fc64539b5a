//! Incidents as an Atom feed: one entry per incident, updated when the incident closes.
//!
//! Source: RFC 4287.

use std::fmt::Write;

use jiff::Timestamp;

use crate::api::ending_name;
use crate::view::{IncidentView, IncidentsPage};
use crate::xml::escape;

/// The content type of the feed.
pub const CONTENT_TYPE: &str = "application/atom+xml; charset=utf-8";

/// The maximum number of entries; feed readers fetch often.
const MAX_ENTRIES: usize = 50;

/// Renders the feed as a complete document. Links are relative to the feed's URL (RFC 4287, section 2, and RFC 3986), so
/// that the `Host` header of a request never gets into cached content.
pub fn feed(page: &IncidentsPage) -> String {
    let mut incidents: Vec<_> = page.open.iter().chain(&page.closed).collect();
    incidents.sort_by_key(|incident| std::cmp::Reverse(changed(incident)));
    incidents.truncate(MAX_ENTRIES);
    let updated = incidents.first().map_or(page.at, |incident| changed(incident));
    let mut feed = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n\
         <id>urn:portpulse:incidents</id>\n<title>Incidents</title>\n<updated>{updated}</updated>\n\
         <author><name>Portpulse</name></author>\n\
         <link rel=\"alternate\" href=\"/incidents\"/>\n<link rel=\"self\" href=\"/incidents.atom\"/>\n"
    );
    for incident in incidents {
        entry(&mut feed, incident);
    }
    feed.push_str("</feed>\n");
    feed
}

/// When the incident last changed.
fn changed(incident: &IncidentView) -> Timestamp {
    incident.closed.map_or(incident.opened, |(at, _)| at)
}

fn entry(feed: &mut String, incident: &IncidentView) {
    let id = escape(&incident.id.to_string());
    let name = escape(&incident.title);
    let status = incident.status.as_str();
    let (title, mut text) = match incident.closed {
        None => (
            format!("{name} is {status}"),
            format!("Since {}.", incident.since),
        ),
        Some((at, ending)) => (
            format!("{name} was {status}: {}", ending_name(ending)),
            format!("From {} to {at}.", incident.since),
        ),
    };
    if let Some(finding) = incident
        .inside
        .as_ref()
        .and_then(|inside| inside.finding.as_ref())
    {
        let detail = finding.detail.as_ref().map(|detail| format!(": {detail}"));
        // Writing to a String cannot fail.
        let _ = write!(text, " {}{}", finding.cause.code(), detail.unwrap_or_default());
    }
    let _ = write!(
        feed,
        "<entry>\n<id>urn:portpulse:{id}</id>\n<title>{title}</title>\n<published>{}</published>\n\
         <updated>{}</updated>\n<link href=\"/incidents/{id}\"/>\n\
         <content type=\"text\">{}</content>\n</entry>\n",
        incident.opened,
        changed(incident),
        escape(&text),
    );
}
