//! Texts as numbers: equal texts get equal symbols, so that the hot path compares integers.

use std::sync::Arc;

use hashbrown::HashMap;

/// A text's number. Symbols never leave the crate and never decide an order.
pub(crate) type Symbol = u32;

/// The symbol of a null.
pub(crate) const NONE: Symbol = Symbol::MAX;

/// The symbols of the whole input.
#[derive(Default)]
pub(crate) struct Names {
    symbols: HashMap<Arc<str>, Symbol>,
    all: Vec<Arc<str>>,
}

impl Names {
    /// The symbol of a text.
    pub(crate) fn intern(&mut self, text: &str) -> Symbol {
        if let Some(&known) = self.symbols.get(text) {
            return known;
        }
        let name: Arc<str> = Arc::from(text);
        self.all.push(Arc::clone(&name));
        let new = position(self.all.len() - 1);
        self.symbols.insert(name, new);
        new
    }

    /// The text of a symbol; `None` for [`NONE`].
    pub(crate) fn get(&self, symbol: Symbol) -> Option<&Arc<str>> {
        (symbol != NONE).then(|| &self.all[symbol as usize])
    }
}

/// A position as a number of 32 bits, which is not that of a null.
pub(crate) fn position(index: usize) -> u32 {
    u32::try_from(index)
        .ok()
        .filter(|&position| position != NONE)
        .expect("fewer than 2^32 rows and names fit into memory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_share_a_symbol_and_null_has_its_own() {
        let mut names = Names::default();
        let (a, b) = (names.intern("a"), names.intern("b"));
        assert_ne!(a, b);
        assert_eq!(names.intern("a"), a);
        assert_eq!(names.get(b).map(|name| &**name), Some("b"));
        assert_eq!(names.get(NONE), None);
    }
}
