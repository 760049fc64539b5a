//! The row of a monitor in the overview.

use maud::{Markup, html};
use portpulse_history::state::State;
use portpulse_history::view::{MonitorInside, MonitorView, Overview, VisibilityState};

use crate::chart;
use crate::display;
use crate::page::parts::{remarks, uptime_figure};
use crate::span::Span;

/// The row of one monitor.
pub(super) fn row(monitor: &MonitorView, known: &Overview) -> Markup {
    let id = monitor.id.as_str();
    html! {
        li .monitor {
            (display::badge(State::of(monitor)))
            a .name href={ "/monitors/" (id) } { (monitor.title()) }
            (remarks(monitor, &known.open, known.at))
            @if let Some(inside) = monitor.inside.as_deref() {
                (agreement(inside))
                (total_times(inside))
            }
            a .history href={ "/monitors/" (id) "?span=90d" } { (chart::strip(Span::Quarter, monitor)) }
            span .uptime { (uptime_figure(monitor, Span::Quarter)) }
        }
    }
}

/// How many locations see the monitor as expected: `2/3`.
fn agreement(inside: &MonitorInside) -> Markup {
    let is_good = |state| matches!(state, VisibilityState::Good | VisibilityState::Impaired);
    let good = inside
        .locations
        .values()
        .filter(|seen| is_good(seen.state))
        .count();
    let all = inside.locations.len();
    html! {
        span .agreement title={ (good) " of " (display::plural(all, "location")) " as expected" } {
            (good) "/" (all) span .hidden { " locations as expected" }
        }
    }
}

/// Sparkline of the last day's total times, and the latest median.
fn total_times(inside: &MonitorInside) -> Markup {
    let last = inside.hours.iter().rev().find_map(|point| point.total);
    html! {
        span .total {
            (chart::trend(&inside.hours))
            @match last {
                Some(total) => span .last { (display::phase_time(total.p50)) },
                None => span .quiet { "–" },
            }
        }
    }
}
