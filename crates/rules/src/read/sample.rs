//! Events that must fire a rule and events that must not: `<stem>.samples.jsonl` beside the rule.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::problem::Reporter;
use crate::set::network::Network;

/// One sample of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The line in the samples file, counted from 1.
    pub line: u32,
    /// Whether the events must fire the rule.
    pub fires: bool,
    /// What the sample shows.
    pub why: String,
    /// The raw events, as the source writes them; one for a rule about one event.
    pub events: Vec<String>,
    /// How many different people a correlation must find, if the sample says so.
    pub people: Option<usize>,
    /// Networks that are the organization's own, for rules that ask about them.
    pub own_networks: Vec<Network>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    fires: bool,
    why: String,
    /// The event, or what several have in common.
    event: Option<Map<String, Value>>,
    /// What each of several has of its own, merged over `event` (RFC 7396).
    events: Option<Vec<Map<String, Value>>>,
    people: Option<usize>,
    #[serde(default)]
    own_networks: Vec<String>,
}

/// Reads a samples file; lines that are no samples are reported.
pub(crate) fn parse(text: &str, reporter: &mut Reporter<'_>) -> Vec<Sample> {
    let mut samples = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        match serde_json::from_str::<Line>(line) {
            Ok(sample) => match events(sample.event, sample.events) {
                Some(events) => samples.push(Sample {
                    own_networks: networks(&sample.own_networks, number, reporter),
                    line: number,
                    fires: sample.fires,
                    why: sample.why,
                    events,
                    people: sample.people,
                }),
                None => reporter.error(Some(number), "the sample has no event".to_owned(), None),
            },
            // The position is enough: the message may quote the event.
            Err(error) => reporter.error(
                Some(number),
                format!("the sample cannot be read at column {}", error.column()),
                Some(
                    r#"a sample is {"fires": true, "why": "…", "event": {…}}, of a correlation with "events": [{…}, …] merged over "event""#
                        .to_owned(),
                ),
            ),
        }
    }
    samples
}

fn networks(written: &[String], line: u32, reporter: &mut Reporter<'_>) -> Vec<Network> {
    let mut networks = Vec::new();
    for text in written {
        match text.parse::<Network>() {
            Ok(network) => networks.push(network),
            Err(error) => reporter.error(
                Some(line),
                format!("own_networks: {text} is {error}"),
                Some(error.hint().to_owned()),
            ),
        }
    }
    networks
}

fn events(
    common: Option<Map<String, Value>>,
    several: Option<Vec<Map<String, Value>>>,
) -> Option<Vec<String>> {
    match (common, several) {
        (Some(event), None) => Some(vec![Value::Object(event).to_string()]),
        (common, Some(several)) if !several.is_empty() => {
            let common = Value::Object(common.unwrap_or_default());
            let merged = several.into_iter().map(|own| {
                let mut event = common.clone();
                merge(&mut event, Value::Object(own));
                event.to_string()
            });
            Some(merged.collect())
        }
        _ => None,
    }
}

/// JSON Merge Patch: objects merge, null removes, everything else replaces.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(target) = target.as_object_mut() else {
        return;
    };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(&key);
        } else {
            merge(target.entry(key).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_merges_objects_removes_by_null_and_replaces_the_rest() {
        let mut event = json!({"a": {"b": 1, "c": [1, 2]}, "d": 4});
        merge(
            &mut event,
            json!({"a": {"b": null, "c": [3], "e": {"f": null, "g": 5}}, "d": 6}),
        );
        assert_eq!(event, json!({"a": {"c": [3], "e": {"g": 5}}, "d": 6}));
    }

    #[test]
    fn each_of_several_events_is_merged_over_what_they_have_in_common() {
        let text = r#"{"fires": true, "why": "w", "event": {"x": {"y": 1}}, "events": [{"u": 1}, {"x": {"y": 2}}], "people": 2}"#;
        let mut reporter = Reporter::new("s.jsonl", text);
        let samples = parse(text, &mut reporter);
        assert!(!reporter.has_errors());
        assert_eq!(samples[0].people, Some(2));
        let events: Vec<Value> = samples[0]
            .events
            .iter()
            .map(|event| serde_json::from_str(event).unwrap())
            .collect();
        assert_eq!(
            events,
            [json!({"x": {"y": 1}, "u": 1}), json!({"x": {"y": 2}})]
        );
    }

    #[test]
    fn a_sample_without_events_is_reported_with_its_line() {
        let text = "\n{\"fires\": true, \"why\": \"w\", \"events\": []}\n{\"fires\": 1}\n";
        let mut reporter = Reporter::new("s.jsonl", text);
        assert!(parse(text, &mut reporter).is_empty());
        let lines: Vec<_> = reporter
            .into_problems()
            .iter()
            .map(|problem| problem.line)
            .collect();
        assert_eq!(lines, [Some(2), Some(3)]);
    }
}
