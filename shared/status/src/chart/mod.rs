//! Charts as SVG: drawn of numbers alone, coloured by the style sheet, each with its meaning in words.

mod series;
mod strip;
mod trend;

pub(crate) use series::{Axis, series};
pub(crate) use strip::strip;
pub(crate) use trend::trend;

/// A number as SVG has it: at most two decimals, none where there is no need.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    match text.trim_end_matches('0').trim_end_matches('.') {
        "-0" => "0".to_owned(),
        short => short.to_owned(),
    }
}
