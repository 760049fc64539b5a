//! A strip of bars, one for each part of a span: how a monitor fared.

use maud::{Markup, html};

use portpulse_core::uptime::Shade;
use portpulse_history::view::MonitorView;

use crate::span::Span;
use crate::words;

const SHADES: [Shade; 4] = [Shade::Up, Shade::Partly, Shade::Down, Shade::NoData];
const HEIGHT: u32 = 20;

/// The colour, as the style sheet names it; and the height, so that it is not the colour alone that tells.
const fn look(shade: Shade) -> (&'static str, u32) {
    match shade {
        Shade::Up => ("bar-up", 12),
        Shade::Partly => ("bar-partly", 16),
        Shade::Down => ("bar-down", 20),
        Shade::NoData => ("bar-none", 4),
    }
}

/// The strip of a span. Bars of one shade are one dashed line, so that ninety of them take some ninety bytes.
pub(crate) fn strip(span: Span, monitor: &MonitorView) -> Markup {
    let bars: Vec<_> = span.bars(monitor).iter().map(|bar| bar.watched.shade()).collect();
    let uptime = words::uptime(span.uptime(monitor));
    drawn(span, &bars, &uptime)
}

fn drawn(span: Span, bars: &[Shade], uptime: &str) -> Markup {
    let (pitch, bar) = match span {
        Span::Day | Span::Month => (4_usize, "3 1"),
        Span::Week => (12, "10 2"),
        Span::Quarter => (2, "1.4 .6"),
    };
    let width = bars.len() * pitch;
    html! {
        svg .strip role="img" width=(width) height=(HEIGHT) viewBox={ "0 0 " (width) " " (HEIGHT) }
            aria-label=(meaning(span, bars, uptime)) {
            @for shade in SHADES {
                @let path = path(bars, shade, pitch);
                @if !path.is_empty() {
                    @let (colour, height) = look(shade);
                    path .(colour) d=(path) stroke-width=(height) stroke-dasharray=(bar) {}
                }
            }
        }
    }
}

/// A line over every run of bars of one shade; dashes begin anew with each.
fn path(bars: &[Shade], shade: Shade, pitch: usize) -> String {
    let mut path = String::new();
    let mut at = 0;
    for run in bars.chunk_by(|a, b| a == b) {
        let end = at + run.len();
        if run.first() == Some(&shade) {
            // From the foot of the tallest bar up.
            let middle = HEIGHT - look(shade).1 / 2;
            path.push_str(&format!("M{} {middle}H{}", at * pitch, end * pitch));
        }
        at = end;
    }
    path
}

fn meaning(span: Span, bars: &[Shade], uptime: &str) -> String {
    let mut text = format!("{}: {uptime}", span.words());
    for (shade, what) in [
        (Shade::Partly, "with an outage"),
        (Shade::Down, "of outage"),
        (Shade::NoData, "without data"),
    ] {
        let count = bars.iter().filter(|bar| **bar == shade).count();
        if count > 0 {
            text.push_str(&format!(", {} {what}", words::counted(count, span.unit())));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shades(bars: &str) -> Vec<Shade> {
        let shade = |c| match c {
            '#' => Shade::Up,
            '+' => Shade::Partly,
            'x' => Shade::Down,
            _ => Shade::NoData,
        };
        bars.chars().map(shade).collect()
    }

    #[test]
    fn runs_of_bars_are_lines_and_the_words_count_them() {
        let text = drawn(Span::Day, &shades("##+x..##"), "50%").into_string();
        for part in [
            "class=\"bar-up\" d=\"M0 14H8M24 14H32\" stroke-width=\"12\"",
            "class=\"bar-partly\" d=\"M8 12H12\"",
            "class=\"bar-down\" d=\"M12 10H16\"",
            "class=\"bar-none\" d=\"M16 18H24\" stroke-width=\"4\"",
            "aria-label=\"24 hours: 50%, 1 hour with an outage, 1 hour of outage, 2 hours without data\"",
            "viewBox=\"0 0 32 20\"",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }

    #[test]
    fn a_good_quarter_is_small() {
        let text = drawn(Span::Quarter, &shades(&"#".repeat(90)), "100%").into_string();
        assert!(text.len() < 250, "{} bytes: {text}", text.len());
    }
}
