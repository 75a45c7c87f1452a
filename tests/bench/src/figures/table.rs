//! Tables in Markdown.

use std::fmt::{self, Write as _};

/// A heading, a sentence and a table below it.
#[derive(Debug)]
pub(crate) struct Table {
    text: String,
}

impl Table {
    /// Begins with what it shows and what its columns are.
    pub(crate) fn new(heading: &str, sentence: &str, columns: &[&str]) -> Self {
        let rule = columns.iter().map(|_| " --- |").collect::<String>();
        let columns = columns.join(" | ");
        Self { text: format!("### {heading}\n\n{sentence}\n\n| {columns} |\n|{rule}\n") }
    }

    /// Another row; as many cells as there are columns.
    pub(crate) fn row(&mut self, cells: &[String]) {
        writeln!(self.text, "| {} |", cells.join(" | ")).expect("a string has room");
    }

    /// A row with a name and a figure.
    pub(crate) fn pair(&mut self, name: &str, figure: impl fmt::Display) {
        self.row(&[name.to_owned(), figure.to_string()]);
    }

    /// What is to be said below it.
    pub(crate) fn note(mut self, sentence: &str) -> Self {
        write!(self.text, "\n{sentence}\n").expect("a string has room");
        self
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Milliseconds out of seconds; a dash where nothing was measured.
pub(crate) fn ms(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "–".to_owned(), |seconds| format!("{:.2}", seconds * 1000.0))
}

/// A row of a name, the median of some figures and how far they are apart.
pub(crate) fn spread(name: &str, figures: Vec<f64>) -> [String; 3] {
    let (low, high) = figures
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)));
    let middle = crate::process::median(figures);
    [name.to_owned(), format!("{middle:.2}"), format!("{low:.2} to {high:.2}")]
}
