//! Finding a text inside another one although it was percent-encoded, escaped or re-cased on the way.

use std::collections::BTreeSet;
use std::ops::Range;

use memchr::memmem::Finder;

/// How many encodings may lie on top of each other.
const LAYERS: usize = 3;

/// One character as it reads, and the bytes of the original text that say it.
#[derive(Clone, Debug)]
struct Glyph {
    character: char,
    place: Range<usize>,
}

/// A text to be found, whatever its case.
#[derive(Debug)]
pub struct Needle {
    finder: Finder<'static>,
}

impl Needle {
    /// `None` for a text that is empty once case is taken away.
    pub fn new(text: &str) -> Option<Self> {
        let folded: String = text.chars().flat_map(char::to_lowercase).collect();
        (!folded.is_empty()).then(|| Self {
            finder: Finder::new(folded.as_bytes()).into_owned(),
        })
    }

    /// The folded text, to tell needles apart.
    pub fn folded(&self) -> &[u8] {
        self.finder.needle()
    }
}

/// A text in all its readings: as it stands, and with up to three layers of percent-encoding (`+`
/// for a blank included), JSON escapes and HTML entities taken off, in any order.
#[derive(Debug)]
pub struct Readings {
    readings: Vec<Reading>,
}

#[derive(Debug)]
struct Reading {
    folded: String,
    /// For each byte of `folded` the glyph it comes from.
    origin: Vec<usize>,
    glyphs: Vec<Glyph>,
}

impl Readings {
    /// Reads a text in every way.
    pub fn of(text: &str) -> Self {
        let plain: Vec<Glyph> = text
            .char_indices()
            .map(|(at, character)| Glyph {
                character,
                place: at..at + character.len_utf8(),
            })
            .collect();
        let mut seen = BTreeSet::new();
        let mut readings = vec![Reading::new(plain)];
        let mut fresh = 0..1;
        for _ in 0..LAYERS {
            let mut next = Vec::new();
            for reading in &readings[fresh.clone()] {
                for decode in [percent, json_escapes, entities] {
                    if let Some(glyphs) = decode(&reading.glyphs) {
                        let reading = Reading::new(glyphs);
                        if seen.insert(reading.folded.clone()) {
                            next.push(reading);
                        }
                    }
                }
            }
            if next.is_empty() {
                break;
            }
            fresh = readings.len()..readings.len() + next.len();
            readings.extend(next);
        }
        Self { readings }
    }

    /// The text in each reading, in lower case.
    pub fn folded(&self) -> impl Iterator<Item = &str> {
        self.readings.iter().map(|reading| reading.folded.as_str())
    }

    /// Where the needle stands, as byte ranges of the original text, in no order. With
    /// `whole_words`, only where no letter or digit touches it.
    pub fn places(&self, needle: &Needle, whole_words: bool) -> Vec<Range<usize>> {
        let mut places = Vec::new();
        for reading in &self.readings {
            for start in needle.finder.find_iter(reading.folded.as_bytes()) {
                let end = start + needle.folded().len() - 1;
                let (first, last) = (reading.origin[start], reading.origin[end]);
                let touches = |glyph: Option<usize>| {
                    glyph
                        .and_then(|glyph| reading.glyphs.get(glyph))
                        .is_some_and(|glyph| glyph.character.is_alphanumeric())
                };
                if whole_words && (touches(first.checked_sub(1)) || touches(Some(last + 1))) {
                    continue;
                }
                places.push(reading.glyphs[first].place.start..reading.glyphs[last].place.end);
            }
        }
        places
    }
}

impl Reading {
    fn new(glyphs: Vec<Glyph>) -> Self {
        let mut folded = String::with_capacity(glyphs.len());
        let mut origin = Vec::with_capacity(glyphs.len());
        for (at, glyph) in glyphs.iter().enumerate() {
            folded.extend(glyph.character.to_lowercase());
            origin.resize(folded.len(), at);
        }
        Self {
            folded,
            origin,
            glyphs,
        }
    }
}

fn hex(glyph: Option<&Glyph>) -> Option<u32> {
    glyph?.character.to_digit(16)
}

/// Takes `%41` and `+` off; bytes that are no UTF-8 read as Latin-1. `None` if there are none.
fn percent(glyphs: &[Glyph]) -> Option<Vec<Glyph>> {
    if !glyphs
        .iter()
        .any(|glyph| matches!(glyph.character, '%' | '+'))
    {
        return None;
    }
    let byte_at = |at: usize| -> Option<u8> {
        if glyphs.get(at)?.character != '%' {
            return None;
        }
        let (high, low) = (hex(glyphs.get(at + 1))?, hex(glyphs.get(at + 2))?);
        u8::try_from(high * 16 + low).ok()
    };
    let mut decoded = Vec::with_capacity(glyphs.len());
    let mut at = 0;
    while let Some(glyph) = glyphs.get(at) {
        let mut bytes = Vec::new();
        while let Some(byte) = byte_at(at + 3 * bytes.len()) {
            bytes.push(byte);
        }
        if bytes.is_empty() {
            let character = match glyph.character {
                '+' => ' ',
                other => other,
            };
            decoded.push(Glyph {
                character,
                place: glyph.place.clone(),
            });
            at += 1;
            continue;
        }
        // `count` bytes of the run say one character.
        let mut push = |character: char, count: usize| {
            let place = glyphs[at].place.start..glyphs[at + 3 * count - 1].place.end;
            decoded.push(Glyph { character, place });
            at += 3 * count;
        };
        for chunk in bytes.utf8_chunks() {
            for character in chunk.valid().chars() {
                push(character, character.len_utf8());
            }
            for byte in chunk.invalid() {
                push(char::from(*byte), 1);
            }
        }
    }
    Some(decoded)
}

/// Takes `\"`, `\\`, `\n`, `\u0041` off. `None` if there is no backslash.
fn json_escapes(glyphs: &[Glyph]) -> Option<Vec<Glyph>> {
    if !glyphs.iter().any(|glyph| glyph.character == '\\') {
        return None;
    }
    let unit_at = |at: usize| -> Option<u32> {
        if glyphs.get(at)?.character != '\\' || glyphs.get(at + 1)?.character != 'u' {
            return None;
        }
        (2..6).try_fold(0, |unit, offset| {
            Some(unit * 16 + hex(glyphs.get(at + offset))?)
        })
    };
    rewrite(glyphs, |at| {
        if let Some(unit) = unit_at(at) {
            if let Some(character) = char::from_u32(unit) {
                return Some((character, 6));
            }
            let low = unit_at(at + 6).filter(|low| (0xDC00..0xE000).contains(low))?;
            let high = unit.checked_sub(0xD800).filter(|high| *high < 0x400)?;
            return Some((
                char::from_u32(0x1_0000 + high * 0x400 + (low - 0xDC00))?,
                12,
            ));
        }
        if glyphs[at].character != '\\' {
            return None;
        }
        let character = match glyphs.get(at + 1)?.character {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            same @ ('"' | '\\' | '/' | '\'') => same,
            _ => return None,
        };
        Some((character, 2))
    })
}

/// Takes `&amp;`, `&#39;`, `&#x27;` off. `None` if there is no ampersand.
fn entities(glyphs: &[Glyph]) -> Option<Vec<Glyph>> {
    if !glyphs.iter().any(|glyph| glyph.character == '&') {
        return None;
    }
    rewrite(glyphs, |at| {
        if glyphs[at].character != '&' {
            return None;
        }
        // The longest entity read here is `&#x10FFFF;`.
        let name: String = glyphs[at + 1..]
            .iter()
            .take(9)
            .map(|glyph| glyph.character)
            .take_while(|character| *character != ';')
            .collect();
        let length = name.chars().count();
        if glyphs.get(at + 1 + length)?.character != ';' {
            return None;
        }
        let character = match name.as_str() {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            number => {
                let number = number.strip_prefix('#')?;
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code)?
            }
        };
        Some((character, length + 2))
    })
}

/// Replaces what `decode` reads at a place (a character, and how many glyphs say it). `None` when
/// nothing was replaced.
fn rewrite(
    glyphs: &[Glyph],
    decode: impl Fn(usize) -> Option<(char, usize)>,
) -> Option<Vec<Glyph>> {
    let mut decoded = Vec::with_capacity(glyphs.len());
    let mut at = 0;
    while at < glyphs.len() {
        let (character, length) = decode(at).unwrap_or((glyphs[at].character, 1));
        let place = glyphs[at].place.start..glyphs[at + length - 1].place.end;
        decoded.push(Glyph { character, place });
        at += length;
    }
    (decoded.len() < glyphs.len()).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn found(needle: &str, text: &str) -> Vec<String> {
        let needle = Needle::new(needle).unwrap();
        let mut places = Readings::of(text).places(&needle, false);
        places.sort_by_key(|place| (place.start, place.end));
        places.dedup();
        places
            .into_iter()
            .map(|place| text[place].to_owned())
            .collect()
    }

    #[test]
    fn every_disguise_is_seen_through() {
        for (needle, text, as_written) in [
            ("Secret 1", "x secret 1 y", "secret 1"),
            ("a@b.c", "?u=a%40b.c&v=1", "a%40b.c"),
            ("a@b.c", "?u=%61%40%62%2e%63&v=1", "%61%40%62%2e%63"),
            ("a@b.c", "?u=a%2540b.c", "a%2540b.c"),
            ("a b+c", "?u=a+b%2Bc", "a+b%2Bc"),
            ("pä ß", "?u=p%C3%A4%20%c3%9f.", "p%C3%A4%20%c3%9f"),
            ("pä", "?u=p%E4.", "p%E4"),
            ("q\"uote\\", r#"{"x":"q\"uote\\"}"#, r#"q\"uote\\"#),
            ("naïve", r#"{"x":"na\u00efve"}"#, r"na\u00efve"),
            ("a😀b", r#"{"x":"a\ud83d\ude00b"}"#, r"a\ud83d\ude00b"),
            ("C%41\"x", r#"{"x":"C%41\"x"}"#, r#"C%41\"x"#),
            ("<b&'", "for &lt;b&amp;&#39; now", "&lt;b&amp;&#39;"),
        ] {
            assert_eq!(found(needle, text), [as_written], "{needle} in {text}");
        }
    }

    #[test]
    fn whole_words_leave_longer_words_alone() {
        let needle = Needle::new("ab").unwrap();
        let text = "ab cab abc 'AB' x=ab&y";
        let mut places = Readings::of(text).places(&needle, true);
        places.sort_by_key(|place| place.start);
        assert_eq!(places, [0..2, 12..14, 18..20]);
    }

    proptest! {
        #[test]
        fn any_percent_encoding_of_anything_is_found(
            needle in "\\PC{1,12}",
            before in "[a-z?&=/]{0,8}",
            encode in prop::collection::vec(any::<bool>(), 12),
        ) {
            let mut encoded = String::new();
            for (character, encode) in needle.chars().zip(encode.into_iter().cycle()) {
                let mut bytes = [0; 4];
                if encode || character == '%' || character == '+' {
                    for byte in character.encode_utf8(&mut bytes).bytes() {
                        write!(encoded, "%{byte:02X}").unwrap();
                    }
                } else {
                    encoded.push(character);
                }
            }
            let text = format!("{before}{encoded}&z=1");
            let places = Readings::of(&text).places(&Needle::new(&needle).unwrap(), false);
            // A match may start earlier and overlap; what matters is that the text is not left whole.
            let written = before.len()..before.len() + encoded.len();
            prop_assert!(
                places.iter().any(|place| place.start < written.end && written.start < place.end),
                "{:?} in {:?}: {:?}", needle, text, places
            );
        }

        #[test]
        fn readings_never_panic(text in "[%+&;#x0-9a-fA-F\\\\u\"äİ]{0,60}", needle in "\\PC{1,4}") {
            let needle = Needle::new(&needle).unwrap();
            for place in Readings::of(&text).places(&needle, false) {
                prop_assert!(text.is_char_boundary(place.start) && text.is_char_boundary(place.end));
            }
        }
    }
}
