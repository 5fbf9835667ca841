//! Texts as numbers: equal texts get equal symbols, so that the hot path compares integers.

use std::borrow::Cow;
use std::sync::Arc;

use hashbrown::HashMap;

/// A text's number. Symbols never leave the crate and never decide an order.
pub(crate) type Symbol = u32;

/// The symbol of a null.
pub(crate) const NONE: Symbol = Symbol::MAX;

/// The symbols of one chunk; texts are borrowed from its columns.
#[derive(Default)]
pub(crate) struct ChunkNames<'a> {
    texts: HashMap<&'a str, Symbol>,
    lists: HashMap<String, Symbol>,
    all: Vec<Cow<'a, str>>,
}

impl<'a> ChunkNames<'a> {
    /// The symbol of a text.
    pub(crate) fn text(&mut self, text: &'a str) -> Symbol {
        let Self { texts, all, .. } = self;
        *texts.entry(text).or_insert_with(|| {
            all.push(Cow::Borrowed(text));
            symbol(all.len() - 1)
        })
    }

    /// The symbol of a list's written form, which lives in the caller's scratch buffer.
    pub(crate) fn list(&mut self, written: &str) -> Symbol {
        let Self { lists, all, .. } = self;
        *lists.entry_ref(written).or_insert_with(|| {
            all.push(Cow::Owned(written.to_owned()));
            symbol(all.len() - 1)
        })
    }

    /// The text of a symbol; `None` for [`NONE`].
    pub(crate) fn get(&self, symbol: Symbol) -> Option<&str> {
        (symbol != NONE).then(|| &*self.all[symbol as usize])
    }

    /// All texts in the order of their symbols.
    pub(crate) fn into_texts(self) -> Vec<String> {
        self.all.into_iter().map(Cow::into_owned).collect()
    }
}

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
        let new = symbol(self.all.len() - 1);
        self.symbols.insert(name, new);
        new
    }

    /// The text of a symbol; `None` for [`NONE`].
    pub(crate) fn get(&self, symbol: Symbol) -> Option<&Arc<str>> {
        (symbol != NONE).then(|| &self.all[symbol as usize])
    }
}

fn symbol(index: usize) -> Symbol {
    Symbol::try_from(index)
        .ok()
        .filter(|&symbol| symbol != NONE)
        .expect("fewer than 2^32 distinct names fit into memory")
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

    #[test]
    fn a_text_and_a_list_written_alike_are_two_things() {
        let mut names = ChunkNames::default();
        assert_ne!(names.text("1:a"), names.list("1:a"));
        assert_eq!(names.into_texts(), ["1:a", "1:a"]);
    }
}
