//! Texts of a row in one flat buffer, written so that equal bytes mean equal content.
//!
//! A text is its length plus one as four bytes and then its bytes; a null is four zero bytes; a
//! list is its length plus one (or zero for null) and then its texts.

/// Appends a text or a null.
pub(crate) fn put_text(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        None => put_len(out, None),
        Some(text) => {
            put_len(out, Some(text.len()));
            out.extend_from_slice(text.as_bytes());
        }
    }
}

/// Appends a list of texts or a null.
pub(crate) fn put_list<'a>(out: &mut Vec<u8>, list: Option<impl Iterator<Item = &'a str> + Clone>) {
    match list {
        None => put_len(out, None),
        Some(list) => {
            put_len(out, Some(list.clone().count()));
            for text in list {
                put_text(out, Some(text));
            }
        }
    }
}

fn put_len(out: &mut Vec<u8>, len: Option<usize>) {
    let written = len.map_or(0, |len| {
        u32::try_from(len + 1).expect("a cell of an Arrow column is shorter than 2 GiB")
    });
    out.extend_from_slice(&written.to_le_bytes());
}

/// Reads back what was put, in the same order.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next text or null.
    pub(crate) fn text(&mut self) -> Option<&'a [u8]> {
        let len = self.len()?;
        let (text, rest) = self.0.split_at(len);
        self.0 = rest;
        Some(text)
    }

    /// The next list, or null as an empty one.
    pub(crate) fn list(mut self) -> impl Iterator<Item = &'a [u8]> {
        let len = self.len().unwrap_or(0);
        (0..len).map(move |_| self.text().expect("a list holds texts, not nulls"))
    }

    fn len(&mut self) -> Option<usize> {
        let (written, rest) = self
            .0
            .split_first_chunk::<4>()
            .expect("a record is read as it was written");
        self.0 = rest;
        (u32::from_le_bytes(*written) as usize).checked_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_is_read() {
        let mut out = Vec::new();
        put_text(&mut out, Some("id"));
        put_text(&mut out, None);
        put_text(&mut out, Some(""));
        put_list(&mut out, Some(["a", "", "bc"].into_iter()));
        let mut reader = Reader(&out);
        assert_eq!(reader.text(), Some(&b"id"[..]));
        assert_eq!(reader.text(), None);
        assert_eq!(reader.text(), Some(&b""[..]));
        assert_eq!(
            reader.list().collect::<Vec<_>>(),
            [&b"a"[..], &b""[..], &b"bc"[..]]
        );
    }

    #[test]
    fn null_and_empty_and_differently_cut_texts_differ() {
        let written = |parts: &[Option<&str>]| {
            let mut out = Vec::new();
            for part in parts {
                put_text(&mut out, *part);
            }
            out
        };
        assert_ne!(written(&[None]), written(&[Some("")]));
        assert_ne!(
            written(&[Some("ab"), Some("")]),
            written(&[Some("a"), Some("b")])
        );
        let mut null_list = Vec::new();
        put_list(&mut null_list, None::<std::iter::Empty<&str>>);
        let mut empty_list = Vec::new();
        put_list(&mut empty_list, Some(std::iter::empty()));
        assert_ne!(null_list, empty_list);
        assert_eq!(Reader(&null_list).list().count(), 0);
    }
}
