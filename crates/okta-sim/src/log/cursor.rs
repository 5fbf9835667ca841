//! The opaque part of a `next` link.

use super::index::{Order, Position};
use crate::random::{Random, hash};

/// Writes and reads cursors of one org. The same org started again understands them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursors {
    key: u64,
}

impl Cursors {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            key: hash(seed, b"cursor"),
        }
    }

    fn veil(self, position: Position) -> (u64, u64) {
        let mut random = Random::new(self.key);
        (
            position.millis.cast_unsigned() ^ random.next_u64(),
            position.number ^ random.next_u64(),
        )
    }

    fn check(self, order: Order, millis: u64, number: u64) -> u64 {
        let order = u8::from(order == Order::Persisted);
        let mut bytes = vec![order];
        bytes.extend_from_slice(&millis.to_le_bytes());
        bytes.extend_from_slice(&number.to_le_bytes());
        hash(self.key, &bytes)
    }

    /// A position as text that means nothing to anybody.
    pub(crate) fn write(self, order: Order, position: Position) -> String {
        let (millis, number) = self.veil(position);
        let check = self.check(order, millis, number);
        format!("{check:016x}{number:016x}{millis:016x}")
    }

    /// The position of a text that this org wrote for the same kind of query.
    pub(crate) fn read(self, order: Order, text: &str) -> Option<Position> {
        if text.len() != 48 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let part = |at: usize| u64::from_str_radix(&text[at..at + 16], 16).ok();
        let (check, number, millis) = (part(0)?, part(16)?, part(32)?);
        if check != self.check(order, millis, number) {
            return None;
        }
        let veiled = Position {
            millis: millis.cast_signed(),
            number,
        };
        let (millis, number) = self.veil(veiled);
        Some(Position {
            millis: millis.cast_signed(),
            number,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_comes_back_and_no_other_text_does(
            millis in any::<i64>(),
            number in any::<u64>(),
            at in 0..48_usize,
        ) {
            let cursors = Cursors::new(3);
            let position = Position { millis, number };
            let text = cursors.write(Order::Persisted, position);
            prop_assert_eq!(cursors.read(Order::Persisted, &text), Some(position));
            prop_assert_eq!(cursors.read(Order::Published, &text), None);
            prop_assert_eq!(Cursors::new(4).read(Order::Persisted, &text), None);
            let mut other = text.into_bytes();
            other[at] = if other[at] == b'0' { b'1' } else { b'0' };
            let other = String::from_utf8(other).unwrap();
            prop_assert_eq!(cursors.read(Order::Persisted, &other), None);
        }
    }
}
