//! From TOML text to values by path, each with its place; everything unexpected is a problem.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use af_model::name::Printable;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::key::{self, Key, Kind};
use super::nearest;
use super::problem::{Place, Problem, Severity};
use super::secrets;

/// A configuration larger than this is none.
const MAX_BYTES: usize = 1 << 20;

/// One value as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Boolean(bool),
    Texts(Vec<(String, Place)>),
}

/// The values of a file by path: `formula.lambda`, `tenant[0].okta[1].files`.
#[derive(Clone, Debug, Default)]
pub(super) struct Document {
    values: BTreeMap<String, Value>,
    places: BTreeMap<String, Place>,
    /// Entries of every list of tables.
    lengths: BTreeMap<String, usize>,
}

impl Document {
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        match self.values.get(path) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn integer(&self, path: &str) -> Option<i64> {
        match self.values.get(path) {
            Some(Value::Integer(integer)) => Some(*integer),
            _ => None,
        }
    }

    pub(super) fn boolean(&self, path: &str) -> Option<bool> {
        match self.values.get(path) {
            Some(Value::Boolean(boolean)) => Some(*boolean),
            _ => None,
        }
    }

    pub(super) fn texts(&self, path: &str) -> &[(String, Place)] {
        match self.values.get(path) {
            Some(Value::Texts(texts)) => texts,
            _ => &[],
        }
    }

    /// The entries below a path that holds names with values.
    pub(super) fn entries(&self, path: &str) -> impl Iterator<Item = (&str, &Value)> {
        let prefix = format!("{path}.");
        self.values
            .range(prefix.clone()..)
            .take_while({
                let prefix = prefix.clone();
                move |(key, _)| key.starts_with(&prefix)
            })
            .map(move |(key, value)| (&key[prefix.len()..], value))
    }

    /// How many tables a list has.
    pub(super) fn length(&self, path: &str) -> usize {
        self.lengths.get(path).copied().unwrap_or(0)
    }

    /// Where a path stands; for a value inside a list, where its list stands.
    pub(super) fn place(&self, path: &str) -> Option<Place> {
        self.places.get(path).copied()
    }

    pub(super) fn values(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values
            .iter()
            .map(|(path, value)| (path.as_str(), value))
    }
}

/// Reads the text; what cannot be used is left out and said.
pub(super) fn parse(file: &Path, text: &str) -> (Document, Vec<Problem>) {
    let mut parser = Parser {
        file: Printable(&file.display().to_string()).to_string(),
        text,
        line_starts: std::iter::once(0)
            .chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1))
            .collect(),
        document: Document::default(),
        problems: Vec::new(),
    };
    if text.len() > MAX_BYTES {
        let message = format!("larger than {MAX_BYTES} bytes; no configuration is");
        parser.say(None, message, None);
        return (parser.document, parser.problems);
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let place = error.span().map(|span| parser.place(&span));
        parser.say(place, error.message().to_owned(), None);
    }
    parser.table(table.get_ref(), "", "");
    (parser.document, parser.problems)
}

struct Parser<'t> {
    file: String,
    text: &'t str,
    line_starts: Vec<usize>,
    document: Document,
    problems: Vec<Problem>,
}

impl Parser<'_> {
    fn say(&mut self, place: Option<Place>, message: String, hint: Option<String>) {
        self.problems.push(Problem {
            file: self.file.clone(),
            place,
            severity: Severity::Error,
            message,
            hint,
        });
    }

    fn place(&self, span: &Range<usize>) -> Place {
        let line = self
            .line_starts
            .partition_point(|&start| start <= span.start);
        let start = self.line_starts[line - 1];
        // A span may end inside a character when the text is broken.
        let before = self.text.get(start..span.start).unwrap_or_default();
        let small = |figure: usize| u32::try_from(figure).unwrap_or(u32::MAX);
        Place {
            line: small(line),
            column: small(before.chars().count() + 1),
        }
    }

    /// A table at `path`; `known` is the same path without the numbers of lists.
    fn table(&mut self, table: &DeTable<'_>, path: &str, known: &str) {
        for (key, value) in table {
            let name: &str = key.get_ref();
            let place = self.place(&key.span());
            let join = |parent: &str| match parent {
                "" => name.to_owned(),
                parent => format!("{parent}.{name}"),
            };
            let (path, known) = (join(path), join(known));
            self.document.places.insert(path.clone(), place);
            let below = key::children(&known);
            if let Some(key) = Key::of(&known) {
                self.leaf(key, &path, value);
            } else if below.is_empty() {
                self.unknown(place, &path, name, &known);
            } else if key::repeats(&known) {
                self.tables(&path, &known, value);
            } else if let DeValue::Table(inner) = value.get_ref() {
                self.table(inner, &path, &known);
            } else {
                self.wrong_type(value, &path, &format!("a table, written [{known}]"));
            }
        }
    }

    fn tables(&mut self, path: &str, known: &str, value: &Spanned<DeValue<'_>>) {
        let expected = format!("a list of tables, written [[{known}]]");
        let DeValue::Array(array) = value.get_ref() else {
            self.wrong_type(value, path, &expected);
            return;
        };
        let mut length = 0;
        for item in array {
            let DeValue::Table(table) = item.get_ref() else {
                self.wrong_type(item, path, &expected);
                continue;
            };
            let entry = format!("{path}[{length}]");
            let place = self.place(&item.span());
            self.document.places.insert(entry.clone(), place);
            self.table(table, &entry, known);
            length += 1;
        }
        self.document.lengths.insert(path.to_owned(), length);
    }

    fn leaf(&mut self, key: &Key, path: &str, value: &Spanned<DeValue<'_>>) {
        let keep = match (key.kind, value.get_ref()) {
            (Kind::Text | Kind::TextOrDate, DeValue::String(text)) => {
                if self.refused_as_secret(text, value, path) {
                    return;
                }
                Some(Value::Text(text.clone().into_owned()))
            }
            (Kind::TextOrDate, DeValue::Datetime(date)) => Some(Value::Text(date.to_string())),
            (Kind::Boolean, DeValue::Boolean(boolean)) => Some(Value::Boolean(*boolean)),
            (Kind::Texts, DeValue::Array(array)) => Some(self.texts(path, array)),
            (Kind::Integer(least, most), DeValue::Integer(_)) => {
                self.integer(value, path, least, most).map(Value::Integer)
            }
            (Kind::Integers | Kind::TextMap, DeValue::Table(table)) => {
                self.map(key, path, table);
                return;
            }
            (Kind::TextsMap(names), DeValue::Table(table)) => {
                self.map_of_lists(names, path, table);
                return;
            }
            _ => {
                self.wrong_type(value, path, key.kind.describe());
                None
            }
        };
        if let Some(keep) = keep {
            self.document.values.insert(path.to_owned(), keep);
        }
    }

    fn texts(&mut self, path: &str, array: &DeArray<'_>) -> Value {
        let mut texts = Vec::new();
        for item in array {
            match item.get_ref() {
                DeValue::String(text) if self.refused_as_secret(text, item, path) => {}
                DeValue::String(text) => {
                    texts.push((text.clone().into_owned(), self.place(&item.span())));
                }
                _ => self.wrong_type(item, path, Kind::Texts.describe()),
            }
        }
        Value::Texts(texts)
    }

    /// Names, each with a table of lists: `names` are the keys that such a table may have.
    fn map_of_lists(&mut self, names: &[&str], path: &str, table: &DeTable<'_>) {
        for (entry, value) in table {
            let path = format!("{path}.{}", entry.get_ref());
            let place = self.place(&entry.span());
            self.document.places.insert(path.clone(), place);
            let DeValue::Table(lists) = value.get_ref() else {
                let expected = format!("a table with {}", names.join(" and "));
                self.wrong_type(value, &path, &expected);
                continue;
            };
            for (name, value) in lists {
                let place = self.place(&name.span());
                let path = format!("{path}.{}", name.get_ref());
                if !names.contains(&&**name.get_ref()) {
                    let hint = nearest::hint(name.get_ref(), names);
                    let message = format!("unknown key {}", Printable(&path));
                    self.say(Some(place), message, hint);
                    continue;
                }
                self.document.places.insert(path.clone(), place);
                if let DeValue::Array(array) = value.get_ref() {
                    let texts = self.texts(&path, array);
                    self.document.values.insert(path, texts);
                } else {
                    self.wrong_type(value, &path, Kind::Texts.describe());
                }
            }
        }
    }

    fn map(&mut self, key: &Key, path: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let path = format!("{path}.{}", name.get_ref());
            let place = self.place(&name.span());
            self.document.places.insert(path.clone(), place);
            let keep = match (key.kind, value.get_ref()) {
                (Kind::TextMap, DeValue::String(text)) => {
                    if self.refused_as_secret(text, value, &path) {
                        continue;
                    }
                    Some(Value::Text(text.clone().into_owned()))
                }
                (Kind::Integers, DeValue::Integer(_)) => self
                    .integer(value, &path, i64::MIN, i64::MAX)
                    .map(Value::Integer),
                (Kind::TextMap, _) => {
                    self.wrong_type(value, &path, Kind::Text.describe());
                    None
                }
                _ => {
                    self.wrong_type(value, &path, "a whole number");
                    None
                }
            };
            if let Some(keep) = keep {
                self.document.values.insert(path, keep);
            }
        }
    }

    fn integer(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        path: &str,
        least: i64,
        most: i64,
    ) -> Option<i64> {
        let DeValue::Integer(written) = value.get_ref() else {
            return None;
        };
        let found = i64::from_str_radix(written.as_str(), written.radix()).ok();
        let fits = found.filter(|integer| (least..=most).contains(integer));
        if fits.is_none() {
            let place = self.place(&value.span());
            let limits = if (least, most) == (i64::MIN, i64::MAX) {
                "a whole number of 64 bits".to_owned()
            } else {
                format!("from {least} to {most}")
            };
            let message = format!("{} is {written}, must be {limits}", Printable(path));
            self.say(Some(place), message, None);
        }
        fits
    }

    fn refused_as_secret(&mut self, text: &str, value: &Spanned<DeValue<'_>>, path: &str) -> bool {
        // The id of a key may be a hash, which looks random and is no secret.
        let is_key_id = path.starts_with("credential[") && path.ends_with("].key_id");
        if !secrets::begins_as_secret(text) && (is_key_id || !secrets::looks_random(text)) {
            return false;
        }
        let place = self.place(&value.span());
        let message = format!("{} looks like a secret", Printable(path));
        self.say(Some(place), message, Some(secrets::HINT.to_owned()));
        true
    }

    fn unknown(&mut self, place: Place, path: &str, name: &str, known: &str) {
        let path = Printable(path);
        let parent = known.rsplit_once('.').map_or("", |(parent, _)| parent);
        let names = key::children(parent);
        if secrets::is_secret_name(name) && !nearest::is_slip(name, &names) {
            let message = format!("{path} looks like a secret");
            self.say(Some(place), message, Some(secrets::HINT.to_owned()));
            return;
        }
        let hint = nearest::hint(name, &names);
        self.say(Some(place), format!("unknown key {path}"), hint);
    }

    fn wrong_type(&mut self, value: &Spanned<DeValue<'_>>, path: &str, expected: &str) {
        let found = match value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let place = self.place(&value.span());
        let message = format!("{} is {found}, must be {expected}", Printable(path));
        self.say(Some(place), message, None);
    }
}
