//! A small line of connect times of late, without axes.

use std::time::Duration;

use maud::{Markup, html};
use portpulse_history::view::Point;

use super::number;
use crate::words;

const WIDTH: f64 = 90.0;
const HEIGHT: f64 = 24.0;
/// Room for the thickness of the line.
const MARGIN: f64 = 2.0;

/// The line of medians: it breaks where there is none, and failures stand as marks at its foot.
pub(crate) fn trend(points: &[Point]) -> Markup {
    let medians: Vec<_> = points
        .iter()
        .map(|point| point.connect.map(|connect| connect.p50))
        .collect();
    let failed: Vec<_> = points.iter().map(|point| point.failing > 0).collect();
    drawn(&medians, &failed)
}

fn drawn(medians: &[Option<Duration>], failed: &[bool]) -> Markup {
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
            // A point alone is seen too: its caps are round.
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
        svg .trend role="img" width=(WIDTH) height=(HEIGHT) viewBox={ "0 0 " (WIDTH) " " (HEIGHT) }
            aria-label=(meaning(medians, failed)) {
            @if !line.is_empty() { path .line d=(line) {} }
            @if !marks.is_empty() { path .failed d=(marks) {} }
        }
    }
}

fn meaning(medians: &[Option<Duration>], failed: &[bool]) -> String {
    let known = || medians.iter().flatten().copied();
    let mut text = match (known().min(), known().max(), known().next_back()) {
        (Some(least), Some(most), Some(last)) => format!(
            "Connect times by hour, medians: {} to {}, last {}",
            words::time(least),
            words::time(most),
            words::time(last)
        ),
        _ => "No connect times".to_owned(),
    };
    let failed = failed.iter().filter(|failed| **failed).count();
    if failed > 0 {
        text.push_str(&format!("; {} with failures", words::counted(failed, "hour")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_breaks_where_there_is_no_time() {
        let ms = |ms| Some(Duration::from_millis(ms));
        let medians = [ms(10), ms(20), None, None, ms(5)];
        let text = drawn(&medians, &[false, false, true, false, false]).into_string();
        assert!(
            text.contains("class=\"line\" d=\"M2 12h0L23.5 2M88 17h0\""),
            "{text}"
        );
        assert!(text.contains("class=\"failed\" d=\"M45 24v-6\""), "{text}");
        assert!(
            text.contains(
                "aria-label=\"Connect times by hour, medians: 5 ms to 20 ms, last 5 ms; 1 hour with failures\""
            ),
            "{text}"
        );
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        for medians in [&[][..], &[None], &[Some(Duration::ZERO)]] {
            let text = drawn(medians, &vec![false; medians.len()]).into_string();
            assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
        }
    }
}
