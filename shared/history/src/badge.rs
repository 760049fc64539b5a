//! Badges: small SVG images with one value of one monitor.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use portpulse_core::observation::milliseconds;
use portpulse_core::uptime::ObservedTime;

use crate::figure;
use crate::state::State;
use crate::view::MonitorView;
use crate::xml::escape;

/// The value that a badge shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BadgeKind {
    /// The status.
    #[default]
    Status,
    /// The uptime of the last 30 days.
    Uptime,
    /// The median total time of the latest hour with data; private.
    Response,
}

/// Error: unknown kind of badge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown badge: use status, uptime or response")]
pub struct UnknownBadgeKind;

impl FromStr for BadgeKind {
    type Err = UnknownBadgeKind;

    fn from_str(text: &str) -> Result<Self, UnknownBadgeKind> {
        match text {
            "status" => Ok(Self::Status),
            "uptime" => Ok(Self::Uptime),
            "response" => Ok(Self::Response),
            _ => Err(UnknownBadgeKind),
        }
    }
}

impl fmt::Display for BadgeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Status => "status",
            Self::Uptime => "uptime",
            Self::Response => "response",
        })
    }
}

/// Renders the badge of a monitor as an SVG document; `None` if the kind is private and the view is public.
pub fn svg(kind: BadgeKind, monitor: &MonitorView) -> Option<String> {
    let (label, value, colour) = match kind {
        BadgeKind::Status => (
            monitor.id.as_str().to_owned(),
            State::of(monitor).as_str().to_owned(),
            colour(State::of(monitor)),
        ),
        BadgeKind::Uptime => {
            let watched = monitor.uptime.month;
            let colour = match watched.and_then(ObservedTime::uptime) {
                None => GREY,
                Some(share) if share >= 0.999 => GREEN,
                Some(share) if share >= 0.99 => AMBER,
                Some(_) => RED,
            };
            let basis = figure::uptime_basis(watched, THIRTY_DAYS);
            let value = [Some(figure::uptime(watched)), basis];
            let value = value.into_iter().flatten().collect::<Vec<_>>().join(" ");
            (format!("{} 30 days", monitor.id), value, colour)
        }
        BadgeKind::Response => {
            let hours = &monitor.inside.as_ref()?.hours;
            let last = hours.iter().rev().find_map(|point| point.total);
            let value = last.map_or_else(
                || "no data".to_owned(),
                |total| format!("{} ms", milliseconds(total.p50)),
            );
            (
                format!("{} response", monitor.id),
                value,
                if last.is_some() { BLUE } else { GREY },
            )
        }
    };
    Some(render(&label, &value, colour))
}

/// Colours with a contrast of at least 4.5 to 1 with white text.
const GREEN: &str = "#1a7f37";
const AMBER: &str = "#9a6700";
const RED: &str = "#cf222e";
const BLUE: &str = "#0969da";
const GREY: &str = "#57606a";

const fn colour(state: State) -> &'static str {
    match state {
        State::Up => GREEN,
        State::Degraded | State::Flapping => AMBER,
        State::Down | State::Exposed => RED,
        State::Maintenance => BLUE,
        State::Unknown => GREY,
    }
}

const THIRTY_DAYS: SignedDuration = SignedDuration::from_hours(30 * 24);

fn render(label: &str, value: &str, colour: &str) -> String {
    // A character of 11 px Verdana is about 7 pixels wide; padding is 5 pixels on each side.
    let width = |text: &str| 10 + 7 * text.chars().count();
    let (left, right) = (width(label), width(value));
    let whole = left + right;
    let (label, value) = (escape(label), escape(value));
    let (label_x, value_x) = (left / 2, left + right / 2);
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="20" role="img" aria-label="{label}: {value}"><title>{label}: {value}</title><rect width="{whole}" height="20" rx="3" fill="#24292f"/><rect x="{left}" width="{right}" height="20" rx="3" fill="{colour}"/><g fill="#ffffff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle"><text x="{label_x}" y="14">{label}</text><text x="{value_x}" y="14">{value}</text></g></svg>"##
    )
}
