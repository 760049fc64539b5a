//! SVG charts, generated from numbers only. The style sheet sets the colours; `aria-label` describes each chart.

mod compare;
mod series;
mod strip;
mod trend;

pub(crate) use compare::compare;
pub(crate) use series::{Axis, series};
pub(crate) use strip::strip;
pub(crate) use trend::trend;

/// Formats a number for SVG: at most two decimals, without trailing zeros.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    match text.trim_end_matches('0').trim_end_matches('.') {
        "-0" => "0".to_owned(),
        short => short.to_owned(),
    }
}
