//! Forms for signed-in readers: acknowledge, silence, and notes.

use maud::{Markup, html};
use portpulse_core::definition::Monitor;
use portpulse_core::id::MonitorId;
use portpulse_history::view::IncidentView;

use crate::access::FormToken;
use crate::action::SILENCE_HOURS;

/// A link to the runbook of a monitor, if there is one.
pub(crate) fn runbook(definition: &Monitor) -> Markup {
    html! {
        @if let Some(runbook) = definition.alert_policy().runbook.as_deref() {
            // Validation admits only `http` and `https` URLs.
            a .button href=(runbook) rel="noreferrer noopener" { "Runbook" }
        }
    }
}

/// The commands that acknowledge the open incidents and silence the monitor.
pub(crate) fn commands(monitor: &MonitorId) -> Markup {
    html! {
        code .copy { "portpulse ack " (monitor) }
        code .copy { "portpulse silence " (monitor) " --for 2h" }
    }
}

/// Renders the forms that acknowledge the open incidents and silence the monitor.
pub(crate) fn controls(monitor: &MonitorId, has_open: bool, token: &FormToken) -> Markup {
    html! {
        @if has_open {
            (form(monitor, token, "acknowledge", html! {
                (author("acknowledge"))
                label { span { "Reason" } input name="reason" maxlength="200" placeholder="optional"; }
                button type="submit" { "Acknowledge" }
            }))
        }
        (form(monitor, token, "silence", html! {
            (author("silence"))
            label { span { "For" }
                select name="hours" {
                    @for hours in SILENCE_HOURS { option value=(hours) selected[hours == 2] { (hours) " h" } }
                }
            }
            label { span { "Reason" } input name="reason" maxlength="200" placeholder="optional"; }
            button type="submit" { "Silence" }
        }))
    }
}

/// Renders the form that adds a note to an incident.
pub(crate) fn note(incident: &IncidentView, token: &FormToken) -> Markup {
    html! {
        details .add-note {
            summary { "Add a note" }
            (form(&incident.id.monitor, token, "note", html! {
                input type="hidden" name="incident" value=(incident.id);
                (author("note"))
                label .wide { span { "Note" } input name="text" maxlength="500" required; }
                label .check { input type="checkbox" name="public" value="yes"; span { "show on public pages" } }
                button type="submit" { "Add note" }
            }))
        }
    }
}

fn form(monitor: &MonitorId, token: &FormToken, action: &str, fields: Markup) -> Markup {
    html! {
        form .action method="post" action={ "/monitors/" (monitor) } {
            input type="hidden" name="token" value=(token);
            input type="hidden" name="action" value=(action);
            (fields)
        }
    }
}

/// The name of the reader, which browsers remember.
fn author(of: &str) -> Markup {
    html! {
        label { span { "Your name" } input name="by" maxlength="200" required autocomplete="nickname" data-of=(of); }
    }
}
