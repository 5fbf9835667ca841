//! The `filter` and `search` parameters: comparisons joined by `and` and `or`.

use serde_json::Value;

use crate::answer::Refusal;

/// A filter: one of its groups must hold, which holds when all its comparisons do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter(Vec<Vec<Comparison>>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Comparison {
    path: Vec<String>,
    operator: Operator,
    value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Starts,
    Ends,
    Contains,
    Present,
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// What Okta refuses: brackets, unknown operators, `published`, `co` on the URL fields.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let invalid = || Refusal::filter("The filter is not a valid SCIM expression");
        let mut groups = vec![Vec::new()];
        let mut words = words(text).ok_or_else(invalid)?.into_iter();
        loop {
            let path = words.next().ok_or_else(invalid)?;
            if path.quoted || path.text.contains(['[', ']', '(', ')']) {
                return Err(invalid());
            }
            let word = words.next().ok_or_else(invalid)?;
            let operator = match word.text.to_ascii_lowercase().as_str() {
                "eq" => Operator::Equal,
                "ne" => Operator::NotEqual,
                "sw" => Operator::Starts,
                "ew" => Operator::Ends,
                "co" => Operator::Contains,
                "pr" => Operator::Present,
                _ => return Err(invalid()),
            };
            let value = match operator {
                Operator::Present => String::new(),
                _ => words.next().ok_or_else(invalid)?.text,
            };
            if path.text == "published" || path.text.contains("changeDetails") {
                return Err(Refusal::filter("Invalid field in filter"));
            }
            let is_url = [
                "debugContext.debugData.url",
                "debugContext.debugData.requestUri",
            ]
            .contains(&path.text.as_str());
            if is_url && operator == Operator::Contains {
                return Err(Refusal::search(
                    "The operator is not supported for the field",
                ));
            }
            groups
                .last_mut()
                .expect("one group at least")
                .push(Comparison {
                    path: path.text.split('.').map(str::to_owned).collect(),
                    operator,
                    value,
                });
            match words.next().map(|word| word.text.to_ascii_lowercase()) {
                None => return Ok(Self(groups)),
                Some(word) if word == "and" => {}
                Some(word) if word == "or" => groups.push(Vec::new()),
                Some(_) => return Err(invalid()),
            }
        }
    }

    /// Whether an event is like this.
    pub(crate) fn holds(&self, event: &[u8]) -> bool {
        let Ok(event) = serde_json::from_slice::<Value>(event) else {
            return false;
        };
        self.0.iter().any(|group| {
            group
                .iter()
                .all(|comparison| comparison.holds(&event, &comparison.path))
        })
    }
}

impl Comparison {
    fn holds(&self, value: &Value, path: &[String]) -> bool {
        match (value, path.split_first()) {
            (Value::Array(items), _) => items.iter().any(|item| self.holds(item, path)),
            (Value::Object(object), Some((name, rest))) => match object.get(name) {
                Some(value) => self.holds(value, rest),
                None => self.operator == Operator::NotEqual,
            },
            (_, Some(_)) | (Value::Null, None) => self.operator == Operator::NotEqual,
            (Value::String(text), None) => self.compare(text),
            (other, None) => self.compare(&other.to_string()),
        }
    }

    fn compare(&self, text: &str) -> bool {
        match self.operator {
            Operator::Equal => text == self.value,
            Operator::NotEqual => text != self.value,
            Operator::Starts => text.starts_with(&self.value),
            Operator::Ends => text.ends_with(&self.value),
            Operator::Contains => text.contains(&self.value),
            Operator::Present => true,
        }
    }
}

struct Word {
    text: String,
    quoted: bool,
}

/// Words and quoted texts; none if a quote does not end.
fn words(text: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(&first) = chars.peek() {
        if first.is_whitespace() {
            chars.next();
            continue;
        }
        let quoted = first == '"';
        let mut word = String::new();
        if quoted {
            chars.next();
            loop {
                match chars.next()? {
                    '"' => break,
                    '\\' => word.push(chars.next()?),
                    other => word.push(other),
                }
            }
        } else {
            while let Some(next) = chars.next_if(|next| !next.is_whitespace()) {
                word.push(next);
            }
        }
        words.push(Word { text: word, quoted });
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EVENT: &[u8] = br#"{"eventType":"user.session.start","outcome":{"result":"FAILURE"},
        "target":[{"id":"1"},{"id":"2"}],"debugContext":{"debugData":{"risk":"{level=HIGH}"}}}"#;

    fn holds(filter: &str) -> bool {
        Filter::parse(filter).unwrap().holds(EVENT)
    }

    #[test]
    fn comparisons_are_made_as_okta_makes_them() {
        for right in [
            r#"eventType eq "user.session.start""#,
            r#"eventType sw "user." and eventType ew "start""#,
            r#"target.id eq "2""#,
            r#"eventType eq "x" or outcome.result eq "FAILURE""#,
            r#"debugContext.debugData.risk co "level=HIGH""#,
            r#"eventType ne "x""#,
            "outcome.result pr",
        ] {
            assert!(holds(right), "{right}");
        }
        for wrong in [
            r#"eventType eq "user.session""#,
            r#"target.id eq "3""#,
            r#"eventType eq "user.session.start" and outcome.result eq "SUCCESS""#,
            "outcome.reason pr",
        ] {
            assert!(!holds(wrong), "{wrong}");
        }
    }

    #[test]
    fn what_okta_refuses_is_refused() {
        for (filter, code) in [
            ("", "E0000053"),
            ("eventType", "E0000053"),
            ("eventType eq \"x", "E0000053"),
            ("eventType like \"x\"", "E0000053"),
            ("target[type eq \"User\"]", "E0000053"),
            ("published gt \"2026-01-01\"", "E0000053"),
            ("eventType eq \"x\" xor eventType eq \"y\"", "E0000053"),
            ("debugContext.debugData.url co \"x\"", "E0000031"),
        ] {
            assert_eq!(Filter::parse(filter).unwrap_err().code, code, "{filter}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = Filter::parse(&text).map(|filter| filter.holds(EVENT));
        }
    }
}
