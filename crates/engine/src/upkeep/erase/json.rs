//! One person in JSON as it was received.

use serde_json::Value;

use super::REPLACEMENT;
use super::scrub::Scrubber;

/// Members that hold a key of somebody as a whole, and never a word of a text.
const KEYS: [&str; 12] = [
    "id",
    "alternateId",
    "user",
    "userId",
    "userName",
    "username",
    "login",
    "email",
    "secondEmail",
    "manager",
    "managerId",
    "value",
];

/// Members of an event that tell it apart or come from fixed lists.
const FIXED: [&str; 8] = [
    "uuid",
    "eventType",
    "legacyEventType",
    "published",
    "severity",
    "version",
    "type",
    "result",
];

/// Replaces the person in every text; says whether they were in one.
pub(super) fn clean(value: &mut Value, scrubber: &Scrubber) -> bool {
    edit(value, "", scrubber, &mut |member, text| {
        key(member, text, scrubber).or_else(|| scrubber.clean_inside(text))
    })
}

/// The same for an event, of which what tells it apart stays. Where a member is one of the person's
/// keys, their name and keys that may be ordinary words leave the texts beside it as well.
pub(super) fn clean_event(event: &mut Value, scrubber: &Scrubber) -> bool {
    let mut is_about_them = false;
    let is_named = edit(event, "", scrubber, &mut |member, text| {
        if FIXED.contains(&member) {
            return None;
        }
        let key = key(member, text, scrubber);
        is_about_them |= key.is_some();
        key.or_else(|| scrubber.clean_inside(text))
    });
    if is_about_them {
        edit(event, "", scrubber, &mut |member, text| {
            let is_text = !FIXED.contains(&member) && !KEYS.contains(&member);
            is_text.then(|| scrubber.clean_beside_key(text)).flatten()
        });
    }
    is_named
}

/// What stands in the place of a text that is one of the person's keys.
fn key(member: &str, text: &str, scrubber: &Scrubber) -> Option<String> {
    (KEYS.contains(&member) && scrubber.is_them(text)).then(|| REPLACEMENT.to_owned())
}

/// Puts what `new` gives in the place of texts, and takes the person out of the names of members;
/// says whether anything changed. `member` is the name of the member that holds the value; `new` is
/// told it, too.
fn edit(
    value: &mut Value,
    member: &str,
    scrubber: &Scrubber,
    new: &mut dyn FnMut(&str, &str) -> Option<String>,
) -> bool {
    match value {
        Value::String(text) => {
            let edited = new(member, text);
            let is_changed = edited.is_some();
            if let Some(edited) = edited {
                *text = edited;
            }
            is_changed
        }
        Value::Array(items) => items.iter_mut().fold(false, |changed, item| {
            edit(item, member, scrubber, new) | changed
        }),
        Value::Object(members) => {
            let mut is_changed = false;
            for (name, mut item) in std::mem::take(members) {
                is_changed |= edit(&mut item, &name, scrubber, new);
                let cleaned = scrubber.clean_inside(&name);
                is_changed |= cleaned.is_some();
                members.insert(cleaned.unwrap_or(name), item);
            }
            is_changed
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
