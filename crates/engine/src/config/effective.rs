//! Every setting with the value that holds and where it comes from.

use super::document::Value;
use super::key::Key;
use super::keys::KEYS;
use super::settings::Config;

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// Its path; credentials, tenants and their sources by number: `tenant[0].okta[0].files`.
    pub key: String,
    /// The value that holds, as it would be written; empty when nothing does.
    pub value: String,
    /// `default`, or `file:line`.
    pub from: String,
}

/// All settings in the order of [`KEYS`], then credentials and tenants in the order of the file.
pub fn effective(config: &Config) -> Vec<Effective> {
    let document = &config.document;
    let file = config
        .file
        .as_ref()
        .and_then(|file| file.file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let from = |path: &str| match document.place(path) {
        Some(place) => format!("{file}:{}", place.line),
        None => "default".to_owned(),
    };
    let mut all = Vec::new();
    let repeats = |key: &&Key| {
        ["credential.", "tenant."]
            .iter()
            .any(|list| key.path.starts_with(list))
    };
    for key in KEYS.iter().filter(|key| !repeats(key)) {
        let written: Vec<(&str, &Value)> = document
            .values()
            .filter(|(path, _)| below(path, key.path))
            .collect();
        if written.is_empty() {
            all.push(Effective {
                key: key.path.to_owned(),
                value: key.default.to_owned(),
                from: "default".to_owned(),
            });
        }
        for (path, value) in written {
            all.push(Effective {
                key: path.to_owned(),
                value: shown(value),
                from: from(path),
            });
        }
    }
    // Numbers of two digits would sort wrongly as text: tables come in the order of their lines.
    let mut tables: Vec<(&str, &Value)> = document
        .values()
        .filter(|(path, _)| path.starts_with("credential[") || path.starts_with("tenant["))
        .collect();
    tables.sort_by_key(|(path, _)| document.place(path));
    all.extend(tables.into_iter().map(|(path, value)| Effective {
        key: path.to_owned(),
        value: shown(value),
        from: from(path),
    }));
    all
}

/// Whether a path is a key or one of its entries.
fn below(path: &str, key: &str) -> bool {
    path.strip_prefix(key)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("{text:?}"),
        Value::Integer(integer) => integer.to_string(),
        Value::Boolean(boolean) => boolean.to_string(),
        Value::Texts(texts) => {
            let texts: Vec<&str> = texts.iter().map(|(text, _)| text.as_str()).collect();
            format!("{texts:?}")
        }
    }
}
