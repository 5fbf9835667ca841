//! JSON: one object a line, objects one after the other, or an array of them; our columns, anybody's
//! names, or Okta's user objects.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::value::RawValue;
use serde_json::{Deserializer, Value};

use af_model::UtcMillis;
use af_model::cell::Alias;

use crate::cell::{Cell, Fields};
use crate::columns::{self, Mapping};
use crate::error::{Error, ErrorKind};
use crate::field::Field;
use crate::format::Format;
use crate::import::Intake;
use crate::instant;
use crate::lines::LineCounter;

type Object<'a> = BTreeMap<String, &'a RawValue>;

/// One element of the file.
enum Item<'a> {
    Refused(&'static str),
    Okta(&'a str),
    /// Values by the number of their key.
    Plain(Vec<(usize, &'a RawValue)>),
}

/// Reads all elements into `intake`. `bytes` carry no byte order mark.
pub(crate) fn read(
    path: &Path,
    bytes: &[u8],
    format: Format,
    intake: &mut Intake<'_>,
) -> Result<Mapping, Error> {
    let elements = match format {
        Format::JsonArray => array(path, bytes)?,
        _ => sequence(bytes),
    };
    let mut keys: BTreeMap<String, usize> = BTreeMap::new();
    let mut lines = LineCounter::new(bytes);
    let items: Vec<(u64, Item<'_>)> = elements
        .into_iter()
        .map(|(place, element)| (lines.line_of(place), item(element, &mut keys)))
        .collect();

    let mut headers = vec![String::new(); keys.len()];
    for (key, number) in keys {
        headers[number] = key;
    }
    let only_okta = items
        .iter()
        .all(|(_, item)| !matches!(item, Item::Plain(_)));
    let mapping = if only_okta && intake.options().map.is_empty() {
        Mapping::default()
    } else {
        columns::resolve(path, &headers, &intake.options().map)?
    };
    if items.iter().any(|(_, item)| matches!(item, Item::Okta(_))) {
        intake.check_tenant_given(path)?;
    }
    if !only_okta {
        intake.check_tenant_column(path, &mapping)?;
    }
    let mut fields_of: Vec<Vec<Field>> = vec![Vec::new(); headers.len()];
    for &(column, field) in &mapping.used {
        fields_of[column].push(field);
    }
    for (line, item) in items {
        match item {
            Item::Refused(reason) => intake.refuse(line, reason, None),
            Item::Okta(user) => intake.okta_user(line, user),
            Item::Plain(values) => {
                let mut row = Fields::default();
                for (key, value) in values {
                    for &field in &fields_of[key] {
                        if let Some(cell) = cell(value) {
                            row.set(field, cell);
                        }
                    }
                }
                intake.row(line, row);
            }
        }
    }
    Ok(mapping)
}

/// An element's place in the file and its text, or why it is none.
type Element<'a> = (usize, Result<&'a str, &'static str>);

fn place_of(bytes: &[u8], part: &str) -> usize {
    part.as_ptr().addr().saturating_sub(bytes.as_ptr().addr())
}

/// The elements of one array. It is read as a whole: a download that broke off must not pass for
/// a smaller organization.
fn array<'a>(path: &Path, bytes: &'a [u8]) -> Result<Vec<Element<'a>>, Error> {
    let elements: Vec<&RawValue> = serde_json::from_slice(bytes).map_err(|error| {
        let problem = match error.classify() {
            serde_json::error::Category::Eof => "breaks off",
            _ => "is no JSON array",
        };
        Error::new(
            path,
            ErrorKind::Broken,
            format!(
                "{problem} at line {}, column {}",
                error.line(),
                error.column()
            ),
        )
    })?;
    Ok(elements
        .into_iter()
        .map(|element| (place_of(bytes, element.get()), Ok(element.get())))
        .collect())
}

/// The elements of a file that has one object a line. Objects written over several lines are
/// accepted if the whole file consists of them.
fn sequence(bytes: &[u8]) -> Vec<Element<'_>> {
    let whole_lines = bytes
        .split(|&byte| byte == b'\n')
        .find(|line| !line.trim_ascii().is_empty())
        .is_some_and(|line| serde_json::from_slice::<&RawValue>(line).is_ok());
    if !whole_lines
        && let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(values) = Deserializer::from_str(text)
            .into_iter::<&RawValue>()
            .collect::<Result<Vec<_>, _>>()
    {
        return values
            .into_iter()
            .map(|value| (place_of(bytes, value.get()), Ok(value.get())))
            .collect();
    }
    let mut place = 0;
    let mut elements = Vec::new();
    for line in bytes.split(|&byte| byte == b'\n') {
        if !line.trim_ascii().is_empty() {
            let text = std::str::from_utf8(line).map_err(|_| "not_utf8");
            elements.push((place, text));
        }
        place += line.len() + 1;
    }
    elements
}

fn item<'a>(
    element: Result<&'a str, &'static str>,
    keys: &mut BTreeMap<String, usize>,
) -> Item<'a> {
    let text = match element {
        Ok(text) => text,
        Err(reason) => return Item::Refused(reason),
    };
    let object = match serde_json::from_str::<Object<'a>>(text) {
        Ok(object) => object,
        Err(_) if text.trim_start().starts_with('{') => return Item::Refused("not_json"),
        Err(_) => return Item::Refused("not_an_object"),
    };
    if is_okta_user(&object) {
        return Item::Okta(text);
    }
    // Collectors wrap what they fetched.
    if let Some(inner) = object.get("object")
        && let Ok(unwrapped) = serde_json::from_str::<Object<'a>>(inner.get())
        && is_okta_user(&unwrapped)
    {
        return Item::Okta(inner.get());
    }
    let values = object
        .into_iter()
        .map(|(key, value)| {
            let next = keys.len();
            (*keys.entry(key).or_insert(next), value)
        })
        .collect();
    Item::Plain(values)
}

fn is_okta_user(object: &Object<'_>) -> bool {
    let starts = |key: &str, with: char| {
        object
            .get(key)
            .is_some_and(|value| value.get().starts_with(with))
    };
    starts("id", '"') && starts("profile", '{')
}

fn cell(value: &RawValue) -> Option<Cell> {
    Some(match serde_json::from_str(value.get()) {
        Ok(Value::Null) => return None,
        Ok(Value::Bool(flag)) => Cell::Flag(flag),
        Ok(Value::Number(number)) => Cell::Text(number.to_string()),
        Ok(Value::String(text)) => Cell::Text(text),
        Ok(Value::Array(values)) => list(values),
        // Also what nests deeper than the decoder follows.
        Ok(Value::Object(_)) | Err(_) => Cell::Foreign,
    })
}

/// A list of texts, or of aliases as our own table would write them.
fn list(values: Vec<Value>) -> Cell {
    let mut texts = Vec::new();
    let mut aliases = Vec::new();
    for value in values {
        match value {
            Value::Null => {}
            Value::String(text) => texts.push(text),
            value => match alias(&value) {
                Some(alias) => aliases.push(alias),
                None => return Cell::Foreign,
            },
        }
    }
    if aliases.is_empty() {
        return Cell::Texts(texts);
    }
    aliases.extend(texts.into_iter().map(|key| Alias {
        key,
        ..Alias::default()
    }));
    Cell::Aliases(aliases)
}

fn alias(value: &Value) -> Option<Alias> {
    let bound = |name: &str| -> Option<Option<UtcMillis>> {
        match value.get(name) {
            None | Some(Value::Null) => Some(None),
            Some(Value::String(text)) => instant::parse(text).map(Some),
            Some(_) => None,
        }
    };
    Some(Alias {
        key: value.get("key")?.as_str()?.to_owned(),
        valid_from: bound("valid_from")?,
        valid_to: bound("valid_to")?,
    })
}
