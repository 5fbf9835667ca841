//! Line numbers of places in a file.

/// Counts lines as it walks forward through a file, so that a whole file costs one pass.
pub(crate) struct LineCounter<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> LineCounter<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            line: 1,
        }
    }

    /// The 1-based line of a place. Places must not go backwards; one that does keeps the line.
    pub(crate) fn line_of(&mut self, place: usize) -> u64 {
        let place = place.min(self.bytes.len());
        if place > self.at {
            self.line += occurrences(&self.bytes[self.at..place], b'\n');
            self.at = place;
        }
        self.line
    }
}

/// How often a byte occurs.
pub(crate) fn occurrences(bytes: &[u8], wanted: u8) -> u64 {
    bytes.iter().map(|&byte| u64::from(byte == wanted)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_from_one() {
        let mut lines = LineCounter::new(b"a\nb\r\n\nc");
        assert_eq!(
            [0, 1, 2, 5, 6, 99].map(|place| lines.line_of(place)),
            [1, 1, 2, 3, 4, 4]
        );
    }
}
