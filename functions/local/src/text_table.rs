//! Text tables with aligned columns. Colours do not count as width.

use clap::builder::styling::Style;
use portpulse_core::text::escaped;

/// A text with its style and alignment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    text: String,
    style: Option<Style>,
    side: Side,
}

#[derive(Debug, Clone, Copy, Default)]
enum Side {
    #[default]
    SkipReason,
    Right,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            // Control characters of external text must not reach the terminal.
            text: escaped(&text.into(), |_| false).into_owned(),
            ..Self::default()
        }
    }

    #[must_use]
    pub(crate) fn styled(self, style: Style) -> Self {
        Self {
            style: Some(style),
            ..self
        }
    }

    #[must_use]
    pub(crate) fn right(self) -> Self {
        Self {
            side: Side::Right,
            ..self
        }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }

    fn render(&self, width: usize) -> String {
        let style = self.style.unwrap_or_default();
        let pad = " ".repeat(width.saturating_sub(self.width()));
        let text = format!("{style}{}{style:#}", self.text);
        match self.side {
            Side::SkipReason => format!("{text}{pad}"),
            Side::Right => format!("{pad}{text}"),
        }
    }
}

/// The lines of a table, with two spaces between columns.
pub(crate) fn lines(rows: &[Vec<Cell>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(Cell::width)
            .max()
    };
    let widths: Vec<usize> = (0..columns)
        .map(|column| width(column).unwrap_or_default())
        .collect();
    let line = |row: &Vec<Cell>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| cell.render(*width));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_regardless_of_colours() {
        let red = clap::builder::styling::AnsiColor::Red.on_default();
        let rows = [
            vec![Cell::new("a"), Cell::new("1.5").right(), Cell::new("x")],
            vec![
                Cell::new("ülbb").styled(red),
                Cell::new("10").right(),
                Cell::default(),
            ],
        ];
        let foreign = [vec![Cell::new("a\u{1b}[31mb")]];
        assert_eq!(lines(&foreign), ["a\\u001b[31mb"]);
        assert_eq!(lines(&rows), ["a     1.5  x", "\u{1b}[31mülbb\u{1b}[0m   10"]);
    }
}
