//! Sparkline of recent total times.

use std::time::Duration;

use maud::{Markup, html};
use portpulse_history::view::Point;

use super::number;
use crate::display;

const WIDTH: f64 = 90.0;
const HEIGHT: f64 = 24.0;
/// Space for the width of the line.
const MARGIN: f64 = 2.0;

/// Renders the line of medians. The line breaks at hours without times; failures are marks at the bottom.
pub(crate) fn trend(points: &[Point]) -> Markup {
    let medians: Vec<_> = points
        .iter()
        .map(|point| point.total.map(|total| total.p50))
        .collect();
    let failed: Vec<_> = points.iter().map(|point| point.failing > 0).collect();
    render(&medians, &failed)
}

fn render(medians: &[Option<Duration>], failed: &[bool]) -> Markup {
    let top = medians.iter().flatten().max().copied().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "there are some dozens of points")]
    let step = (WIDTH - 2.0 * MARGIN) / (medians.len().max(2) - 1) as f64;
    let (mut line, mut marks) = (String::new(), String::new());
    let mut joins = false;
    let mut x = MARGIN;
    for (median, failed) in medians.iter().zip(failed) {
        if let Some(time) = median {
            let share = if top.is_zero() {
                0.0
            } else {
                time.as_secs_f64() / top.as_secs_f64()
            };
            let y = HEIGHT - MARGIN - share * (HEIGHT - 2.0 * MARGIN);
            // The round line caps make an isolated point visible.
            let (to, alone) = if joins { ("L", "") } else { ("M", "h0") };
            line.push_str(&format!("{to}{} {}{alone}", number(x), number(y)));
        }
        if *failed {
            marks.push_str(&format!("M{} {HEIGHT}v-6", number(x)));
        }
        joins = median.is_some();
        x += step;
    }
    html! {
        svg .trend role="img" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) }
            aria-label=(description(medians, failed)) {
            @if !line.is_empty() { path .line d=(line) {} }
            @if !marks.is_empty() { path .failed d=(marks) {} }
        }
    }
}

fn description(medians: &[Option<Duration>], failed: &[bool]) -> String {
    let known = || medians.iter().flatten().copied();
    let mut text = match (known().min(), known().max(), known().next_back()) {
        (Some(least), Some(most), Some(last)) => format!(
            "Total times by hour, medians: {} to {}, last {}",
            display::phase_time(least),
            display::phase_time(most),
            display::phase_time(last)
        ),
        _ => "No times".to_owned(),
    };
    let failed = failed.iter().filter(|failed| **failed).count();
    if failed > 0 {
        text.push_str(&format!("; {} with failures", display::plural(failed, "hour")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_at_hours_without_times() {
        let ms = |ms| Some(Duration::from_millis(ms));
        let medians = [ms(10), ms(20), None, None, ms(5)];
        let text = render(&medians, &[false, false, true, false, false]).into_string();
        assert!(
            text.contains("class=\"line\" d=\"M2 12h0L23.5 2M88 17h0\""),
            "{text}"
        );
        assert!(text.contains("class=\"failed\" d=\"M45 24v-6\""), "{text}");
        assert!(
            text.contains(
                "aria-label=\"Total times by hour, medians: 5 ms to 20 ms, last 5 ms; 1 hour with failures\""
            ),
            "{text}"
        );
    }

    #[test]
    fn empty_data_renders_without_nan() {
        for medians in [&[][..], &[None], &[Some(Duration::ZERO)]] {
            let text = render(medians, &vec![false; medians.len()]).into_string();
            assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
        }
    }
}
