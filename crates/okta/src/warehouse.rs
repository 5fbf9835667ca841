//! Events that went through a table: nested objects became texts, lists or columns.
//!
//! A warehouse that knows no nesting keeps `actor` as a text of JSON, or as columns `actor.id` or
//! `actor_id`; one that knows lists only keeps `debugContext` as a list of one. Such an event has its
//! three own fields, so it is readable; what it lacks is put back here.

use serde_json::{Map, Value};

use crate::json_text::members;

/// The outermost fields that hold objects, and `target`, which holds a list of them.
const HEADS: [&str; 10] = [
    "actor",
    "client",
    "device",
    "outcome",
    "target",
    "transaction",
    "authenticationContext",
    "securityContext",
    "request",
    "debugContext",
];

/// Names below them whose case a warehouse may have lost.
const NAMES: [&str; 22] = [
    "alternateId",
    "displayName",
    "ipAddress",
    "userAgent",
    "rawUserAgent",
    "geographicalContext",
    "postalCode",
    "debugData",
    "credentialType",
    "externalSessionId",
    "rootSessionId",
    "asNumber",
    "asOrg",
    "isProxy",
    "ipChain",
    "userBehaviors",
    "ipDetails",
    "ipServiceCategories",
    "previousLevel",
    "detectionName",
    "geolocation",
    "reasons",
];

/// Most elements of a list that was spread over columns.
const MOST_ELEMENTS: usize = 100;

/// The event with its nesting back, or `None` if it never lost any.
pub(crate) fn restored(json: &str) -> Option<String> {
    // Most events that get here merely have no details; they are not read twice.
    if !members(json).any(|(key, value)| is_odd(&key, value)) {
        return None;
    }
    let Ok(Value::Object(event)) = serde_json::from_str(json) else {
        return None;
    };
    let mut restored = Map::new();
    let mut columns = Vec::new();
    let mut changed = false;
    for (key, value) in event {
        if let Some(head) = head(&key) {
            let (value, unpacked) = unpacked(value, head != "target");
            changed |= unpacked;
            restored.insert(head.to_owned(), value);
        } else if let Some(path) = path(&key) {
            // A detail is a text, also where the text is JSON.
            let is_detail = path.iter().any(|name| name == "debugData");
            let value = if is_detail {
                value
            } else {
                unpacked(value, false).0
            };
            columns.push((path, value));
        } else {
            restored.insert(key, value);
        }
    }
    for (path, value) in columns {
        changed |= put(&mut restored, &path, value);
    }
    if let Some(Value::Object(debug)) = restored.get_mut("debugContext")
        && let Some(data) = debug.remove("debugData")
    {
        let (data, unpacked) = details(data);
        changed |= unpacked;
        debug.insert("debugData".to_owned(), data);
    }
    changed.then(|| Value::Object(restored).to_string())
}

/// Whether a member may have lost its nesting. `debugContext` may have lost it further inside.
fn is_odd(key: &str, value: &str) -> bool {
    match head(key) {
        Some("target") => value.starts_with('"'),
        Some("debugContext") => value != "null",
        Some(_) => value.starts_with(['"', '[']),
        None => path(key).is_some(),
    }
}

fn head(key: &str) -> Option<&'static str> {
    HEADS
        .into_iter()
        .find(|head| head.eq_ignore_ascii_case(key))
}

/// A column such as `client.userAgent.os` or `target_0_id` as its way through the event.
fn path(key: &str) -> Option<Vec<String>> {
    let separator = key.find(['.', '_'])?;
    let head = head(&key[..separator])?;
    let separator = if key[separator..].starts_with('.') {
        '.'
    } else {
        '_'
    };
    let mut path = vec![head.to_owned()];
    let mut rest = &key[head.len() + 1..];
    // A detail's name may hold the separator itself.
    while path.last().is_none_or(|name| name != "debugData")
        && let Some((name, behind)) = rest.split_once(separator)
    {
        path.push(known(name));
        rest = behind;
    }
    path.push(known(rest));
    (path.iter().all(|name| !name.is_empty())).then_some(path)
}

fn known(name: &str) -> String {
    let known = NAMES
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(name));
    known.unwrap_or(name).to_owned()
}

/// Puts a column's value where it belongs, unless something stands there.
fn put(event: &mut Map<String, Value>, path: &[String], value: Value) -> bool {
    let Some((name, rest)) = path.split_first() else {
        return false;
    };
    if rest.is_empty() {
        if value.is_null() || event.get(name).is_some_and(|have| !have.is_null()) {
            return false;
        }
        event.insert(name.clone(), value);
        return true;
    }
    if let Ok(index) = rest[0].parse::<usize>() {
        let list = event.entry(name.clone()).or_insert(Value::Null);
        if list.is_null() {
            *list = Value::Array(Vec::new());
        }
        let Value::Array(items) = list else {
            return false;
        };
        if index >= MOST_ELEMENTS || rest.len() < 2 {
            return false;
        }
        while items.len() <= index {
            items.push(Value::Object(Map::new()));
        }
        return match &mut items[index] {
            Value::Object(item) => put(item, &rest[1..], value),
            _ => false,
        };
    }
    let inner = event.entry(name.clone()).or_insert(Value::Null);
    if inner.is_null() {
        *inner = Value::Object(Map::new());
    }
    match inner {
        Value::Object(inner) => put(inner, rest, value),
        _ => false,
    }
}

/// A text of JSON as what it says, and a list as the one object that it should be.
fn unpacked(value: Value, one: bool) -> (Value, bool) {
    match value {
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => {
            match serde_json::from_str(&text) {
                Ok(inner) => (unpacked(inner, one).0, true),
                Err(_) => (Value::String(text), false),
            }
        }
        Value::Array(items) if one && items.iter().any(Value::is_object) => {
            let mut merged = Map::new();
            for item in items {
                if let Value::Object(item) = item {
                    merged.extend(item);
                }
            }
            (Value::Object(merged), true)
        }
        value => (value, false),
    }
}

/// `debugData` as a map: also from a text, from a list of maps, or from a list of keys and values.
fn details(value: Value) -> (Value, bool) {
    let pair = |item: &Value| {
        let key = item.get("key").or_else(|| item.get("name"))?.as_str()?;
        Some((key.to_owned(), item.get("value")?.clone()))
    };
    if let Value::Array(items) = &value
        && !items.is_empty()
        && let Some(pairs) = items.iter().map(pair).collect::<Option<Map<_, _>>>()
    {
        return (Value::Object(pairs), true);
    }
    unpacked(value, true)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(event: &Value) -> Option<Value> {
        restored(&event.to_string()).map(|text| serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn an_event_that_kept_its_nesting_stays_as_it_is() {
        let event = json!({"uuid": "e1", "actor": {"id": "00u1"}, "target": [{"id": "1"}],
            "debugContext": {"debugData": {"a_b": "1"}}, "p_log_type": "x", "outcome": null});
        assert_eq!(of(&event), None);
        assert_eq!(restored("[1]"), None);
        assert_eq!(of(&json!({"actor": "not {json", "debugContext": []})), None);
    }

    #[test]
    fn texts_lists_and_columns_become_objects_again() {
        let expected = json!({"uuid": "e1",
            "actor": {"id": "00u1", "alternateId": "joe@example.com"},
            "target": [{"id": "t0"}, {"id": "t1", "type": "User"}],
            "debugContext": {"debugData": {"risk": "{level=HIGH}", "my_key": "1"}}});
        let texts = json!({"uuid": "e1",
            "actor": r#"{"id":"00u1","alternateId":"joe@example.com"}"#,
            "target": r#"[{"id":"t0"},{"id":"t1","type":"User"}]"#,
            "debugcontext": r#"{"debugData":"{\"risk\":\"{level=HIGH}\",\"my_key\":\"1\"}"}"#});
        assert_eq!(of(&texts), Some(expected.clone()));
        let dotted = json!({"uuid": "e1", "actor.id": "00u1", "actor.alternateId": "joe@example.com",
            "target.0.id": "t0", "target.1.id": "t1", "target.1.type": "User",
            "debugContext.debugData.risk": "{level=HIGH}", "debugContext.debugData.my_key": "1"});
        assert_eq!(of(&dotted), Some(expected.clone()));
        let underscored = json!({"uuid": "e1", "actor_id": "00u1", "actor_alternateid": "joe@example.com",
            "target_0_id": "t0", "target_1_id": "t1", "target_1_type": "User",
            "debugcontext_debugdata_risk": "{level=HIGH}", "debugcontext_debugdata_my_key": "1"});
        assert_eq!(of(&underscored), Some(expected.clone()));
        let lists = json!({"uuid": "e1", "actor": [{"id": "00u1"}, {"alternateId": "joe@example.com"}],
            "target": [{"id": "t0"}, {"id": "t1", "type": "User"}],
            "debugContext": [{"debugData": [{"key": "risk", "value": "{level=HIGH}"}, {"key": "my_key", "value": "1"}]}]});
        assert_eq!(of(&lists), Some(expected));
    }

    #[test]
    fn a_column_never_overwrites_what_the_event_holds() {
        let event = json!({"actor": {"id": "00u1"}, "actor.id": "00u2", "actor.type": "User",
            "target_9999999_id": "x", "outcome": "SUCCESS", "outcome.result": "FAILURE"});
        let restored = of(&event).unwrap();
        assert_eq!(restored["actor"], json!({"id": "00u1", "type": "User"}));
        assert_eq!(restored["outcome"], "SUCCESS");
        assert_eq!(restored["target"], json!([]));
    }
}
