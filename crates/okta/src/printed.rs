//! Java maps printed as text: `{reasons=Anomalous Device, New IP, level=HIGH}`.

/// The keys that a printed risk may hold.
const KEYS: [&str; 6] = [
    "previousLevel",
    "level",
    "detectionName",
    "reasons",
    "issuer",
    "name",
];

/// The known keys of one or several maps printed as text, with their values in order.
///
/// Such a text cannot be cut at commas, for values hold them. A value reaches to the next known key
/// that stands at the start of the text or behind `{` or `,`, or to the next `}`.
pub(crate) fn pairs(text: &str) -> impl Iterator<Item = (&'static str, &str)> {
    let mut rest = key_from(text, 0, true);
    std::iter::from_fn(move || {
        let (_, key, value_start) = rest?;
        let next = key_from(text, value_start, false);
        let key_bound = next.map_or(text.len(), |(prefix_start, ..)| prefix_start);
        let value = &text[value_start..key_bound];
        let value = value.find('}').map_or(value, |brace| &value[..brace]);
        rest = next;
        Some((key, value.trim()))
    })
}

/// The next known key from `from` on: where its prefix (`{` or `,`) starts, the key, and where
/// its value starts.
fn key_from(text: &str, from: usize, at_start: bool) -> Option<(usize, &'static str, usize)> {
    let key_at = |place: usize| {
        let behind = text[place..].trim_start();
        let start = text.len() - behind.len();
        KEYS.into_iter().find_map(|key| {
            let value = behind.strip_prefix(key)?.strip_prefix('=')?;
            Some((key, start, text.len() - value.len()))
        })
    };
    if at_start && let Some((key, start, value)) = key_at(from) {
        return Some((start, key, value));
    }
    text[from..]
        .match_indices(['{', ','])
        .find_map(|(offset, _)| {
            let prefix = from + offset;
            key_at(prefix + 1).map(|(key, _, value)| (prefix, key, value))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_reaches_to_the_next_known_key_or_brace() {
        let found: Vec<_> =
            pairs("Risk{reasons=a, b=c, d, level=HIGH, name=x} level=LOW, issuer=").collect();
        assert_eq!(
            found,
            [
                ("reasons", "a, b=c, d"),
                ("level", "HIGH"),
                ("name", "x"),
                ("issuer", "")
            ]
        );
    }

    #[test]
    fn a_key_counts_only_at_the_start_or_behind_a_separator() {
        assert_eq!(pairs("newlevel=HIGH; level=HIGH").count(), 0);
        assert_eq!(
            pairs(" level=HIGH").collect::<Vec<_>>(),
            [("level", "HIGH")]
        );
        assert_eq!(pairs("[{level=LOW}, {level=HIGH}]").count(), 2);
    }
}
