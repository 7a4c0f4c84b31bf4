//! A small moving plot of block characters, for a terminal without colour too.

/// What fills a cell, by eighths.
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The width of what stands left of the plot.
const LABEL: usize = 12;

/// Draws the newest values that find place in so many columns, the newest at the right, and the caption below. The
/// plot begins at zero, and its height is that of the largest value that it shows.
pub fn draw(values: &[f64], (rows, columns): (usize, usize), caption: &str) -> String {
    let shown = &values[values.len().saturating_sub(columns.saturating_sub(LABEL + 2))..];
    let most = shown.iter().copied().fold(0.0, f64::max);
    let mut text = String::new();
    for row in (0..rows).rev() {
        let label = match row {
            _ if row + 1 == rows => number(most),
            0 => "0".to_owned(),
            _ => String::new(),
        };
        text += &format!("{label:>LABEL$} ");
        text.extend(
            shown.iter().map(|&value| BLOCKS[eighths(value, most, rows).saturating_sub(row * 8).min(8)]),
        );
        text.push('\n');
    }
    text.extend(format!("{:LABEL$} {caption}", "").chars().take(columns.saturating_sub(1)));
    text
}

/// How high a value stands. Whatever is more than nothing is seen.
fn eighths(value: f64, most: f64, rows: usize) -> usize {
    if value > 0.0 { ((value / most * (rows * 8) as f64).round() as usize).max(1) } else { 0 }
}

fn number(value: f64) -> String {
    let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_begins_at_zero_and_ends_at_the_largest_value() {
        let plot = draw(&[0.0, 0.1, 8.0, 16.0, 12.0, 9.0], (2, 80), "of something");
        let lines = [
            "        16.0    █▄▁", //
            "           0  ▁████",
            "             of something",
        ];
        assert_eq!(plot, lines.join("\n"));
    }

    #[test]
    fn what_is_older_than_the_plot_is_wide_has_moved_out_of_it() {
        let plot = draw(&[900.0, 1.0, 1.0, 0.5], (1, 17), "too long for this");
        assert_eq!(plot, "        1.00 ██▄\n             too");
    }

    #[test]
    fn without_values_there_is_an_empty_plot() {
        assert_eq!(draw(&[], (2, 40), ""), "        0.00 \n           0 \n             ");
        assert_eq!(draw(&[3.0], (1, 0), ""), "        0.00 \n");
    }
}
