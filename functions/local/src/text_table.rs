//! Text tables with aligned columns, in which each row is one line.
//!
//! Own code, because comfy-table and tabled break long cells into lines and narrow all columns alike: the live table
//! counts its lines to redraw them and narrows one chosen column, and `check` prints rows before it knows all of them.

use clap::builder::styling::Style;
use portpulse_core::text::escaped;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::output::BOLD;

/// The space between columns.
const GAP: &str = "  ";

/// A text with its style and alignment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    text: String,
    style: Style,
    side: Side,
}

#[derive(Debug, Clone, Copy, Default)]
enum Side {
    #[default]
    Left,
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
        Self { style, ..self }
    }

    #[must_use]
    pub(crate) fn right(self) -> Self {
        let side = Side::Right;
        Self { side, ..self }
    }

    /// The text in this many terminal columns: padded, or truncated.
    fn render(&self, width: usize) -> String {
        let text = truncated(&self.text, width);
        let pad = " ".repeat(width.saturating_sub(text.width()));
        let style = self.style;
        match self.side {
            Side::Left => format!("{style}{text}{style:#}{pad}"),
            Side::Right => format!("{pad}{style}{text}{style:#}"),
        }
    }
}

/// The widths of columns.
#[derive(Debug, Clone)]
pub(crate) struct Columns(Vec<usize>);

impl Columns {
    /// Columns in which all rows fit.
    pub(crate) fn of(rows: &[Vec<Cell>]) -> Self {
        let mut widths = Vec::new();
        for row in rows {
            widths.resize(widths.len().max(row.len()), 0);
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.text.width());
            }
        }
        Self(widths)
    }

    /// Columns of these widths, the last of a table excepted.
    pub(crate) fn fixed(widths: impl Into<Vec<usize>>) -> Self {
        Self(widths.into())
    }

    /// Narrows `column` so that a line fits into `width`, but not below `min`.
    pub(crate) fn narrow(&mut self, column: usize, width: usize, min: usize) {
        let excess = self.width().saturating_sub(width);
        if let Some(column) = self.0.get_mut(column) {
            *column = column.saturating_sub(excess).max(min.min(*column));
        }
    }

    /// The width of a line.
    pub(crate) fn width(&self) -> usize {
        self.0.iter().sum::<usize>() + GAP.len() * self.0.len().saturating_sub(1)
    }

    /// A row as one line. Cells beyond the columns keep their width.
    pub(crate) fn line(&self, row: &[Cell]) -> String {
        let widths = self.0.iter().copied().map(Some).chain(std::iter::repeat(None));
        let cells = row.iter().zip(widths);
        let cells = cells.map(|(cell, width)| cell.render(width.unwrap_or_else(|| cell.text.width())));
        cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    }
}

/// The lines of a table.
pub(crate) fn lines(rows: &[Vec<Cell>]) -> Vec<String> {
    let columns = Columns::of(rows);
    rows.iter().map(|row| columns.line(row)).collect()
}

/// The lines of a table below its titles; none without rows.
pub(crate) fn titled(titles: &[&str], mut rows: Vec<Vec<Cell>>) -> Vec<String> {
    if let Some(first) = rows.first() {
        rows.insert(0, header(titles, first));
    }
    lines(&rows)
}

/// The titles, aligned as the cells of a row.
pub(crate) fn header(titles: &[&str], row: &[Cell]) -> Vec<Cell> {
    let title = |(title, cell): (&&str, &Cell)| Cell {
        text: (*title).to_owned(),
        style: BOLD,
        side: cell.side,
    };
    titles.iter().zip(row).map(title).collect()
}

/// At most `width` terminal columns of a text; `…` marks what is left out.
pub(crate) fn truncated(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let kept = text.chars().take_while(|c| {
        let next = left.checked_sub(c.width().unwrap_or(0));
        left = next.unwrap_or(0);
        next.is_some()
    });
    let kept: String = kept.collect();
    if width == 0 { kept } else { kept + "…" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<Cell>> {
        let red = clap::builder::styling::AnsiColor::Red.on_default();
        vec![
            vec![Cell::new("a"), Cell::new("1.5").right(), Cell::new("x")],
            vec![
                Cell::new("ü語b").styled(red),
                Cell::new("10").right(),
                Cell::default(),
            ],
        ]
    }

    #[test]
    fn columns_are_aligned_by_display_width_without_styles() {
        assert_eq!(lines(&rows()), ["a     1.5  x", "\u{1b}[31mü語b\u{1b}[0m   10"]);
        let foreign = [vec![Cell::new("a\u{1b}[31mb")]];
        assert_eq!(lines(&foreign), ["a\\u001b[31mb"]);
    }

    #[test]
    fn titles_are_aligned_as_their_columns() {
        let table = titled(&["NAME", "MS", "X"], rows()).join("\n");
        let table = anstream::adapter::strip_str(&table).to_string();
        assert_eq!(table, "NAME   MS  X\na     1.5  x\nü語b   10");
        assert_eq!(titled(&["NAME"], Vec::new()), [""; 0]);
    }

    #[test]
    fn narrowed_column_is_truncated_to_its_minimum() {
        let mut columns = Columns::fixed([4, 3, 1]);
        for (width, expected) in [(12, "ü語b   10"), (11, "ü…    10"), (1, "ü…    10")] {
            columns.narrow(0, width, 3);
            let line = columns.line(&rows()[1]);
            assert_eq!(
                anstream::adapter::strip_str(&line).to_string(),
                expected,
                "{width}"
            );
        }
        assert_eq!(
            [truncated("ab", 2), truncated("abc", 2), truncated("a", 0)],
            ["ab", "a…", ""]
        );
    }
}
