//! Lines of text that fit a width, safe for a terminal.

use std::io;

use af_model::name::Printable;

use crate::grid::{self, GridColumn};

/// Wide enough to read, where nobody says how wide the terminal is.
const USUAL: u16 = 80;

/// Lines longer than this are hard to read on any terminal.
const WIDEST: u16 = 100;

/// What the table of blocks needs; a narrower terminal breaks lines itself.
const NARROWEST: u16 = 72;

/// A page under construction.
pub(super) struct Page<'o> {
    out: &'o mut dyn io::Write,
    width: u16,
}

impl<'o> Page<'o> {
    pub(super) fn new(out: &'o mut dyn io::Write, width: Option<u16>) -> Self {
        let width = width.unwrap_or(USUAL).clamp(NARROWEST, WIDEST);
        Self { out, width }
    }

    pub(super) fn blank(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// A section's title between blank lines.
    pub(super) fn heading(&mut self, title: &str) -> io::Result<()> {
        writeln!(self.out, "\n{title}\n")
    }

    /// Text from anywhere, wrapped: every word escaped, every line indented.
    pub(super) fn text(&mut self, indent: usize, text: &str) -> io::Result<()> {
        self.hanging(indent, indent, text)
    }

    /// As [`Page::text`], the first line indented differently from those after it.
    pub(super) fn hanging(&mut self, first: usize, then: usize, text: &str) -> io::Result<()> {
        let width = usize::from(self.width);
        let mut line = " ".repeat(first);
        let mut used = first;
        let mut empty = true;
        for word in text.split_whitespace() {
            let word = Printable(word).to_string();
            let mut rest = word.as_str();
            while !rest.is_empty() {
                let gap = usize::from(!empty);
                let length = rest.chars().count();
                if !empty && used + gap + length > width {
                    writeln!(self.out, "{line}")?;
                    line = " ".repeat(then);
                    (used, empty) = (then, true);
                    continue;
                }
                // A word longer than a line is cut where the line ends.
                let room = width.saturating_sub(used + gap).max(8);
                let end = rest
                    .char_indices()
                    .nth(room)
                    .map_or(rest.len(), |(place, _)| place);
                if gap == 1 {
                    line.push(' ');
                }
                line.push_str(&rest[..end]);
                used += gap + length.min(room);
                empty = false;
                rest = &rest[end..];
            }
        }
        if empty {
            return Ok(());
        }
        writeln!(self.out, "{line}")
    }

    /// Aligned columns, indented by two.
    pub(super) fn grid(&mut self, columns: &[GridColumn]) -> io::Result<()> {
        let mut lines = Vec::new();
        grid::write(columns, Some(self.width.saturating_sub(2)), &mut lines)?;
        for line in String::from_utf8_lossy(&lines).lines() {
            writeln!(self.out, "  {line}")?;
        }
        Ok(())
    }
}

/// A column of figures, aligned to the right.
pub(super) fn figures(title: &str, cells: Vec<String>) -> GridColumn {
    GridColumn {
        title: title.to_owned(),
        right: true,
        floor: None,
        cells,
    }
}

/// A column of texts that may be cut.
pub(super) fn texts(title: &str, floor: Option<u16>, cells: Vec<String>) -> GridColumn {
    GridColumn {
        title: title.to_owned(),
        right: false,
        floor,
        cells,
    }
}

/// Millionths with all their digits: `11.321034`.
pub(super) fn exact_micro(micro: i64) -> String {
    format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000)
}

/// Billionths with all their digits.
pub(super) fn exact_nano(nano: i64) -> String {
    format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000)
}

/// A count with its noun: `1 day`, `3 days`.
pub(super) fn counted(n: i64, one: &str, many: &str) -> String {
    if n == 1 {
        format!("1 {one}")
    } else {
        format!("{n} {many}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Page<'_>)) -> String {
        let mut out = Vec::new();
        let mut page = Page {
            out: &mut out,
            width: 40,
        };
        write(&mut page);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn words_wrap_and_longer_words_are_cut_at_the_width() {
        let text = written(|page| {
            let long = "q".repeat(50);
            page.text(
                4,
                &format!("one two three four five six seven eight {long} end"),
            )
            .unwrap();
        });
        for line in text.lines() {
            assert!(line.len() <= 40, "{line:?}");
            assert!(line.starts_with("    "));
        }
        assert_eq!(text.matches('q').count(), 50);
        assert!(text.ends_with("end\n"), "{text:?}");
    }

    #[test]
    fn no_control_character_gets_through() {
        let text = written(|page| page.text(0, "a\u{1b}[31m b\u{0}c\nd \u{202e}e").unwrap());
        assert_eq!(text, "a\\u{1b}[31m b\\u{0}c d \\u{202e}e\n");
    }

    #[test]
    fn nothing_is_no_line() {
        assert_eq!(written(|page| page.text(4, " \n ").unwrap()), "");
    }
}
