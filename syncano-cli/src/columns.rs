//! Lists in columns, on standard output.

use std::io::{self, Write as _};

/// Prints rows with aligned columns. What strangers have written can't move the cursor.
pub(crate) fn print<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> io::Result<()> {
    let rows: Vec<[String; COLUMNS]> =
        rows.iter().map(|row| row.each_ref().map(|cell| visible(cell))).collect();
    let mut widths = [0; COLUMNS];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut stdout = io::stdout().lock();
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        writeln!(stdout, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    stdout.flush()
}

fn visible(text: &str) -> String {
    let mut visible = String::new();
    for character in text.chars() {
        match character {
            '"' | '\'' | '\\' => visible.push(character),
            _ => visible.extend(character.escape_debug()),
        }
    }
    visible
}
