//! Uptime strip: one bar per hour or day.

use jiff::Timestamp;
use maud::{Markup, html};

use portpulse_core::uptime::UptimeLevel;
use portpulse_history::view::{Bar, MonitorView};

use crate::display;
use crate::span::Span;

const SHADES: [UptimeLevel; 5] = [
    UptimeLevel::Up,
    UptimeLevel::Maintenance,
    UptimeLevel::Partial,
    UptimeLevel::Down,
    UptimeLevel::NoData,
];
const HEIGHT: u32 = 20;

/// The bar's CSS class and height. The height differs too, so that the status is not conveyed by colour alone.
const fn style(shade: UptimeLevel) -> (&'static str, u32) {
    match shade {
        UptimeLevel::Up => ("bar-up", 12),
        UptimeLevel::Maintenance => ("bar-maintenance", 8),
        UptimeLevel::Partial => ("bar-partly", 16),
        UptimeLevel::Down => ("bar-down", 20),
        // As high as good bars, so that the strip of a new monitor has its length; thinner bars tell the two apart.
        UptimeLevel::NoData => ("bar-none", 12),
    }
}

/// Renders the strip of a span. Bars of one kind are one dashed line, which keeps 90 bars at some 90 bytes.
pub(crate) fn strip(span: Span, monitor: &MonitorView) -> Markup {
    let bars: Vec<_> = span.bars(monitor).iter().map(|bar| bar.watched.level()).collect();
    let uptime = display::uptime(span.uptime(monitor));
    let from = span.bars(monitor).first().map(|bar| bar.period.start());
    render(span, &bars, &uptime, from, &values(span.bars(monitor)))
}

/// The values of the bars for the script's tooltips: runs of good bars (`24u`), of maintenance (`2m`) and of bars without data (`6n`), and the
/// uptime of each other bar (`98.14`).
fn values(bars: &[Bar]) -> String {
    let kind = |bar: &Bar| match bar.watched.level() {
        UptimeLevel::NoData => Some('n'),
        UptimeLevel::Up => Some('u'),
        UptimeLevel::Maintenance => Some('m'),
        UptimeLevel::Partial | UptimeLevel::Down => None,
    };
    let mut values = Vec::new();
    for run in bars.chunk_by(|one, other| kind(one) == kind(other)) {
        match run.first().and_then(kind) {
            Some(kind) => values.push(format!("{}{kind}", run.len())),
            None => values.extend(run.iter().map(|bar| {
                let share = bar.watched.uptime().unwrap_or_default();
                display::percent(share).trim_end_matches('%').to_owned()
            })),
        }
    }
    values.join(" ")
}

fn render(span: Span, bars: &[UptimeLevel], uptime: &str, from: Option<Timestamp>, values: &str) -> Markup {
    let (pitch, bar, thin) = match span {
        Span::Hours | Span::Day | Span::Month => (4_usize, "3 1", "1 3"),
        Span::Week => (12, "10 2", "2 2"),
        Span::Quarter => (2, "1.4 .6", ".5 1.5"),
    };
    let width = bars.len() * pitch;
    html! {
        svg .strip role="img" viewBox={ "0 0 " (width) " " (HEIGHT) } preserveAspectRatio="none" data-bars=(values)
            data-from=[from] data-unit=(span.unit()) aria-label=(description(span, bars, uptime)) {
            @for shade in SHADES {
                @let path = path(bars, shade, pitch);
                @if !path.is_empty() {
                    @let (colour, height) = style(shade);
                    path .(colour) d=(path) stroke-width=(height) stroke-dasharray=(if shade == UptimeLevel::NoData { thin } else { bar }) {}
                }
            }
        }
    }
}

/// A line over each run of bars of one kind. Dashes restart with each run.
fn path(bars: &[UptimeLevel], shade: UptimeLevel, pitch: usize) -> String {
    let mut path = String::new();
    let mut at = 0;
    for run in bars.chunk_by(|a, b| a == b) {
        let end = at + run.len();
        if run.first() == Some(&shade) {
            // All bars stand on the bottom edge.
            let middle = HEIGHT - style(shade).1 / 2;
            path.push_str(&format!("M{} {middle}H{}", at * pitch, end * pitch));
        }
        at = end;
    }
    path
}

fn description(span: Span, bars: &[UptimeLevel], uptime: &str) -> String {
    let mut text = format!("{}: {uptime}", span.label());
    for (shade, what) in [
        (UptimeLevel::Partial, "with an outage"),
        (UptimeLevel::Down, "of outage"),
        (UptimeLevel::Maintenance, "with maintenance"),
        (UptimeLevel::NoData, "not watched"),
    ] {
        let count = bars.iter().filter(|bar| **bar == shade).count();
        if count > 0 {
            text.push_str(&format!(", {} {what}", display::plural(count, span.unit())));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shades(bars: &str) -> Vec<UptimeLevel> {
        let shade = |c| match c {
            '#' => UptimeLevel::Up,
            '+' => UptimeLevel::Partial,
            'x' => UptimeLevel::Down,
            'm' => UptimeLevel::Maintenance,
            _ => UptimeLevel::NoData,
        };
        bars.chars().map(shade).collect()
    }

    #[test]
    fn runs_of_bars_become_lines_and_are_counted() {
        let text = render(Span::Day, &shades("##+x..##"), "50%", None, "").into_string();
        for part in [
            "class=\"bar-up\" d=\"M0 14H8M24 14H32\" stroke-width=\"12\"",
            "class=\"bar-partly\" d=\"M8 12H12\"",
            "class=\"bar-down\" d=\"M12 10H16\"",
            "class=\"bar-none\" d=\"M16 14H24\" stroke-width=\"12\" stroke-dasharray=\"1 3\"",
            "aria-label=\"24 hours: 50%, 1 hour with an outage, 1 hour of outage, 2 hours not watched\"",
            "viewBox=\"0 0 32 20\"",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }

    #[test]
    fn strip_of_90_good_days_is_small() {
        let text = render(Span::Quarter, &shades(&"#".repeat(90)), "100%", None, "90u").into_string();
        assert!(text.len() < 250, "{} bytes: {text}", text.len());
    }
}
