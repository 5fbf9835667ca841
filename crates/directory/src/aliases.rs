//! Further names of a person, written into one cell.

use af_model::cell::Alias;
use af_model::key::normalize_key;

use crate::instant;

/// Reads `key; key[from..to], key|key`: separated by semicolon, comma, bar or line break, each with
/// an optional validity whose either end may be empty and which is half-open. `SMTP:` in front of
/// a key, as Active Directory writes proxy addresses, is dropped. Also says how many entries were
/// not understood: a bound that cannot be read must not become "always".
pub(crate) fn parse_list(text: &str) -> (Vec<Alias>, u64) {
    let mut aliases = Vec::new();
    let mut bad = 0;
    for entry in text.split([';', ',', '|', '\n', '\r']) {
        if entry.trim().is_empty() {
            continue;
        }
        match parse_entry(entry.trim()) {
            Some(alias) => aliases.push(alias),
            None => bad += 1,
        }
    }
    (aliases, bad)
}

fn parse_entry(entry: &str) -> Option<Alias> {
    let (key, validity) = match entry.strip_suffix(']') {
        Some(open) => open.split_once('[')?,
        None => (entry, ".."),
    };
    let (from, to) = validity.split_once("..")?;
    let bound = |text: &str| match text.trim() {
        "" => Some(None),
        text => instant::parse(text).map(Some),
    };
    normalized(&Alias {
        key: key.to_owned(),
        valid_from: bound(from)?,
        valid_to: bound(to)?,
    })
}

/// The alias with its key made comparable; `None` if it can never mean anybody: an empty or
/// unprintable key, or a validity that ends before it starts.
pub(crate) fn normalized(alias: &Alias) -> Option<Alias> {
    let bare = match alias.key.trim().split_at_checked(5) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("smtp:") => rest,
        _ => alias.key.as_str(),
    };
    let key = normalize_key(bare).into_owned();
    let empty_span =
        matches!((alias.valid_from, alias.valid_to), (Some(from), Some(to)) if from >= to);
    let unusable = key.is_empty()
        || key.len() > crate::build::KEY_BYTES
        || key.chars().any(char::is_control)
        || empty_span;
    (!unusable).then_some(Alias { key, ..*alias })
}

#[cfg(test)]
mod tests {
    use af_model::UtcMillis;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cell_of_aliases_is_read_whatever_separates_them() {
        let (aliases, bad) = parse_list(
            "SMTP:Joe@Example.com; j.doe|old@example.com[2024-01-01..2025-06-30],,x[..2025-01-01]",
        );
        let day = |text| Some(UtcMillis::parse(text).unwrap());
        let expected = [
            ("joe@example.com", None, None),
            ("j.doe", None, None),
            (
                "old@example.com",
                day("2024-01-01T00:00:00Z"),
                day("2025-06-30T00:00:00Z"),
            ),
            ("x", None, day("2025-01-01T00:00:00Z")),
        ]
        .map(|(key, valid_from, valid_to)| Alias {
            key: key.to_owned(),
            valid_from,
            valid_to,
        });
        assert_eq!(aliases, expected);
        assert_eq!(bad, 0);
    }

    #[test]
    fn a_bound_that_cannot_be_read_drops_the_alias() {
        let (aliases, bad) =
            parse_list("a[03/04/2025..];b[2025-02-01..2025-01-01];c[2025-01-01];d]");
        assert_eq!((aliases.len(), bad), (0, 4));
    }

    proptest! {
        #[test]
        fn every_entry_is_an_alias_or_counted(text in "[a-z@\\[\\].0-9;,| -]{0,60}|\\PC{0,40}") {
            let (aliases, bad) = parse_list(&text);
            let entries = text.split([';', ',', '|', '\n', '\r']).filter(|entry| !entry.trim().is_empty()).count();
            prop_assert_eq!(aliases.len() as u64 + bad, entries as u64);
        }
    }
}
