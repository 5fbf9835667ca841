//! `Link` headers (RFC 8288): where the next page is.

use reqwest::Url;
use reqwest::header::{HeaderMap, LINK};

/// A `Link` header that cannot be read. It is never taken for "no further page": that would end a
/// stream with events left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// The target of `rel="next"` over all `Link` lines, made absolute against the URL that was asked.
/// The first one counts when there are several.
pub(crate) fn next(headers: &HeaderMap, asked: &Url) -> Result<Option<Url>, Unreadable> {
    let mut found = None;
    for line in headers.get_all(LINK) {
        // All of a line is read, so that a broken one is noticed wherever it breaks.
        let line = std::str::from_utf8(line.as_bytes()).map_err(|_| Unreadable)?;
        for link in parse(line)? {
            if link.is_next && found.is_none() {
                found = Some(asked.join(link.target).map_err(|_| Unreadable)?);
            }
        }
    }
    Ok(found)
}

struct Entry<'a> {
    target: &'a str,
    is_next: bool,
}

/// `<target>; name=value; name="quoted, value", <target>…`
fn parse(line: &str) -> Result<Vec<Entry<'_>>, Unreadable> {
    let mut entries = Vec::new();
    let mut rest = line;
    loop {
        // Empty elements of a list are allowed.
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return Ok(entries);
        }
        let (target, after) = rest
            .strip_prefix('<')
            .and_then(|inner| inner.split_once('>'))
            .ok_or(Unreadable)?;
        let (is_next, after) = parameters(after)?;
        entries.push(Entry {
            target: target.trim(),
            is_next,
        });
        rest = after;
    }
}

/// Reads the parameters behind a target: whether its first `rel` names `next`, and what follows.
fn parameters(text: &str) -> Result<(bool, &str), Unreadable> {
    let mut rest = text.trim_start_matches([' ', '\t']);
    let mut relation = None;
    while let Some(inner) = rest.strip_prefix(';') {
        let inner = inner.trim_start_matches([' ', '\t']);
        let end = inner
            .find(['=', ';', ',', ' ', '\t'])
            .unwrap_or(inner.len());
        let (name, after) = inner.split_at(end);
        let after = after.trim_start_matches([' ', '\t']);
        let (is_next, after) = match after.strip_prefix('=') {
            Some(value) => value_names_next(value.trim_start_matches([' ', '\t']))?,
            None => (false, after),
        };
        if relation.is_none() && name.eq_ignore_ascii_case("rel") {
            relation = Some(is_next);
        }
        rest = after.trim_start_matches([' ', '\t']);
    }
    if rest.is_empty() || rest.starts_with(',') {
        Ok((relation.unwrap_or(false), rest))
    } else {
        Err(Unreadable)
    }
}

/// Reads a token or a quoted string: whether `next` is one of its words, and what follows.
fn value_names_next(text: &str) -> Result<(bool, &str), Unreadable> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ',', ' ', '\t']).unwrap_or(text.len());
        let (token, after) = text.split_at(end);
        return Ok((token.eq_ignore_ascii_case("next"), after));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                let is_next = value
                    .split_ascii_whitespace()
                    .any(|word| word.eq_ignore_ascii_case("next"));
                return Ok((is_next, &quoted[at + 1..]));
            }
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => value.push(character),
        }
    }
    Err(Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use reqwest::header::HeaderValue;

    fn next_of(lines: &[&[u8]]) -> Result<Option<String>, Unreadable> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(LINK, HeaderValue::from_bytes(line).unwrap());
        }
        let asked = Url::parse("https://acme.okta.com/api/v1/logs?limit=2").unwrap();
        next(&headers, &asked).map(|url| url.map(String::from))
    }

    fn one(line: &str) -> Result<Option<String>, Unreadable> {
        next_of(&[line.as_bytes()])
    }

    const NEXT: &str = "https://acme.okta.com/api/v1/logs?after=1,2;3";

    #[test]
    fn every_spelling_of_next_is_found() {
        for line in [
            "<https://acme.okta.com/api/v1/logs?after=1,2;3>; rel=\"next\"",
            "<https://acme.okta.com/api/v1/logs?after=1,2;3>;rel=next",
            "<https://acme.okta.com/api/v1/logs?after=1,2;3> ; REL = \"Next\"",
            "<https://acme.okta.com/a>; rel=\"self\", <https://acme.okta.com/api/v1/logs?after=1,2;3>; rel=\"next\"",
            ", ,<https://acme.okta.com/api/v1/logs?after=1,2;3>; title=\"a, b; rel=\\\"self\\\"\"; rel=\"prev next\",",
            "<https://acme.okta.com/api/v1/logs?after=1,2;3>; rel=\"next\"; rel=\"self\"",
            "<https://acme.okta.com/api/v1/logs?after=1,2;3>; flag; rel=next; x=",
            "</api/v1/logs?after=1,2;3>; rel=\"next\"",
            "<?after=1,2;3>; rel=next",
        ] {
            assert_eq!(one(line), Ok(Some(NEXT.to_owned())), "{line}");
        }
    }

    #[test]
    fn all_lines_are_looked_at() {
        let lines: [&[u8]; 2] = [
            b"<https://acme.okta.com/a>; rel=\"self\"",
            b"<https://acme.okta.com/api/v1/logs?after=1,2;3>; rel=\"next\"",
        ];
        assert_eq!(next_of(&lines), Ok(Some(NEXT.to_owned())));
    }

    #[test]
    fn other_relations_are_no_next_page() {
        for line in [
            "",
            "<https://acme.okta.com/a>; rel=\"self\"",
            "<https://acme.okta.com/a>",
            "<https://acme.okta.com/a>; title=\"rel=next\"",
            "<https://acme.okta.com/a>; rel=self; rel=next",
            "<https://acme.okta.com/a>; xrel=next",
            "<https://acme.okta.com/a>; rel=nextish",
        ] {
            assert_eq!(one(line), Ok(None), "{line}");
        }
    }

    #[test]
    fn a_broken_header_is_not_the_last_page() {
        for line in [
            "https://acme.okta.com/a; rel=next",
            "<https://acme.okta.com/a; rel=next",
            "<https://acme.okta.com/a>; rel=\"next",
            "<https://acme.okta.com/a> rel=next",
            "<https://acme.okta.com/a>; rel=\"next\" x",
            "<http://[broken>; rel=next",
            "<https://acme.okta.com/a>; rel=next, nonsense",
        ] {
            assert_eq!(one(line), Err(Unreadable), "{line}");
        }
        assert_eq!(
            next_of(&[b"<https://acme.okta.com/\xff>; rel=next"]),
            Err(Unreadable)
        );
    }

    #[test]
    fn a_link_to_elsewhere_is_reported_as_it_is() {
        assert_eq!(
            one("<//evil.example/x>; rel=next"),
            Ok(Some("https://evil.example/x".to_owned()))
        );
    }

    proptest! {
        #[test]
        fn any_line_is_read_without_a_panic(line in "[<>;,=\" \\\\a-zA-Z:/?.é\\[\\]]{0,60}") {
            let _ = one(&line);
        }

        /// A link written by the rules is found behind any number of others, in one line or several.
        #[test]
        fn what_is_written_is_read(
            others in prop::collection::vec(("[a-z0-9,;=?&]{0,12}", "[a-z ,;<>]{0,12}"), 0..4),
            after in "[a-zA-Z0-9,;=_-]{1,40}",
            one_line in any::<bool>(),
        ) {
            let mut links: Vec<String> = others
                .iter()
                .map(|(path, title)| format!("<https://acme.okta.com/{path}>; title=\"{title}\"; rel=\"self\""))
                .collect();
            links.push(format!("<https://acme.okta.com/x?after={after}>; rel=\"next\""));
            let found = if one_line {
                one(&links.join(", "))
            } else {
                next_of(&links.iter().map(String::as_bytes).collect::<Vec<_>>())
            };
            prop_assert_eq!(found, Ok(Some(format!("https://acme.okta.com/x?after={after}"))));
        }
    }
}
