//! Behaviors, threat detections and anonymizing services: lists that Okta prints in several ways.

use std::borrow::Cow;

use crate::event::{IpDetails, IpService, LogOnlySecurityData, UserBehavior};
use crate::lenient::{List, Text, TextMap, is_sentinel};
use crate::risk::{RiskLevel, json_object};

/// The behaviors that were out of the ordinary, sorted, each once; `None` when nothing was evaluated.
///
/// Taken together from `debugData.behaviors`, `debugData.logOnlySecurityData` and
/// `securityContext.userBehaviors`.
pub(crate) fn positive<'a>(
    evaluated: List<UserBehavior<'a>>,
    debug_data: &TextMap<'a>,
) -> Option<Vec<Cow<'a, str>>> {
    let mut any = !evaluated.0.is_empty();
    let mut names: Vec<Cow<'a, str>> = evaluated
        .0
        .into_iter()
        .filter(|behavior| behavior.result.as_str().is_some_and(is_positive))
        .filter_map(|behavior| behavior.name.0)
        .collect();
    if let Some(text) = debug_data.get("behaviors") {
        any = true;
        if may_be_positive(text) {
            names.extend(map(text, positive_of_text));
        }
    }
    if let Some(text) = debug_data.get("logOnlySecurityData")
        && let Some(packed) = json_object::<LogOnlySecurityData<'_>>(text)
        && !packed.behaviors.entries().is_empty()
    {
        any = true;
        names.extend(positive_of_map(packed.behaviors).map(own));
    }
    names.sort();
    names.dedup();
    any.then_some(names)
}

fn is_positive(result: &str) -> bool {
    result.trim().eq_ignore_ascii_case("POSITIVE")
}

/// Whether any result in a text may be positive: a cheap look before a thorough one, for hardly any is. In
/// JSON the word may be spelled with escapes.
fn may_be_positive(text: &str) -> bool {
    let text = text.as_bytes();
    memchr::memchr3_iter(b'P', b'p', b'\\', text).any(|at| {
        let word = text[at..].get(..8);
        text[at] == b'\\' || word.is_some_and(|word| word.eq_ignore_ascii_case(b"POSITIVE"))
    })
}

fn own<'a>(text: Cow<'_, str>) -> Cow<'a, str> {
    Cow::Owned(text.into_owned())
}

/// Applies a borrowing reader; what it read of an owned text is copied.
fn map<'a>(
    text: &Cow<'a, str>,
    read: impl for<'t> Fn(&'t str) -> Vec<Cow<'t, str>>,
) -> Vec<Cow<'a, str>> {
    match text {
        Cow::Borrowed(text) => read(text),
        Cow::Owned(text) => read(text).into_iter().map(own).collect(),
    }
}

fn positive_of_text(text: &str) -> Vec<Cow<'_, str>> {
    if let Some(behaviors) = json_object::<TextMap<'_>>(text) {
        return positive_of_map(behaviors).collect();
    }
    // Forwarders that turn the printed map into a list keep its entries.
    if text.trim_start().starts_with('[')
        && let Ok(entries) = serde_json::from_str::<Vec<Text<'_>>>(text)
    {
        return entries
            .iter()
            .filter_map(|entry| printed_entry(entry.as_str()?))
            .filter(|(_, result)| is_positive(result))
            .map(|(name, _)| Cow::Owned(name.to_owned()))
            .collect();
    }
    printed_map(text)
        .filter(|(_, result)| is_positive(result))
        .map(|(name, _)| Cow::Borrowed(name))
        .collect()
}

fn positive_of_map(behaviors: TextMap<'_>) -> impl Iterator<Item = Cow<'_, str>> {
    behaviors
        .into_entries()
        .into_iter()
        .filter(|(name, result)| is_positive(result) && !name.trim().is_empty())
        .map(|(name, _)| name)
}

/// The entries of a map printed as text, `{New Device=POSITIVE, Place: Country=NEGATIVE}`.
///
/// Names are chosen by administrators and may hold `=` or `: `; each piece between `, ` is cut at
/// its last `=`. Pieces without `=` are passed over.
fn printed_map(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let text = text.trim();
    let text = text.strip_suffix('}').unwrap_or(text);
    let text = text.split_once('{').map_or(text, |(before, inside)| {
        let is_type_name = before.chars().all(char::is_alphanumeric);
        if is_type_name { inside } else { text }
    });
    text.split(", ").filter_map(printed_entry)
}

fn printed_entry(entry: &str) -> Option<(&str, &str)> {
    let (name, value) = entry.rsplit_once('=')?;
    let name = name.trim();
    (!is_sentinel(name)).then_some((name, value.trim()))
}

/// `ThreatInsight`'s detections by name, with their levels as written.
pub(crate) type Detections<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// `ThreatInsight`'s detections in name order, and the highest level among them.
pub(crate) fn threats<'a>(debug_data: &TextMap<'a>) -> (Option<Detections<'a>>, Option<RiskLevel>) {
    let Some(text) = debug_data.get("threatDetections") else {
        return (None, None);
    };
    let mut detections: Detections<'a> = match json_object::<TextMap<'_>>(text) {
        Some(map) => map
            .into_entries()
            .into_iter()
            .map(|(name, level)| (own(name), own(level)))
            .collect(),
        None => printed_map(text)
            .map(|(name, level)| (own(name.into()), own(level.into())))
            .collect(),
    };
    detections.sort();
    detections.dedup_by(|(later, _), (kept, _)| later == kept);
    let level = detections
        .iter()
        .filter_map(|(_, level)| RiskLevel::of(level))
        .max();
    ((!detections.is_empty()).then_some(detections), level)
}

/// Anonymizing services of the client address, sorted, each once: from
/// `securityContext.ipDetails.ipServiceCategories` and `debugData.tunnels`.
pub(crate) fn ip_services<'a>(
    known: List<IpService<'a>>,
    debug_data: &TextMap<'a>,
) -> Option<Vec<Cow<'a, str>>> {
    let mut services: Vec<Cow<'a, str>> = known
        .0
        .into_iter()
        .filter_map(|service| service.kind.0)
        .collect();
    if let Some(text) = debug_data.get("tunnels")
        && let Ok(tunnels) = serde_json::from_str::<List<IpService<'_>>>(text)
    {
        services.extend(
            tunnels
                .0
                .into_iter()
                .filter_map(|tunnel| tunnel.kind.0)
                .map(own),
        );
    }
    services.sort();
    services.dedup();
    (!services.is_empty()).then_some(services)
}

impl<'a> IpDetails<'a> {
    /// Takes the services out.
    pub(crate) fn take_services(&mut self) -> List<IpService<'a>> {
        std::mem::take(&mut self.services)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_text_that_is_passed_over_holds_nothing_positive(
            text in r#"[\[{]?("?(New IP|a|P|p\\u006f|POSITIVE|positive|NEGATIVE)"?[=:, ]{0,2}){0,6}[\]}]?"#
        ) {
            prop_assert!(may_be_positive(&text) || positive_of_text(&text).is_empty());
        }
    }

    fn debug(json: &str) -> TextMap<'_> {
        serde_json::from_str(json).unwrap()
    }

    fn positives(json: &str) -> Option<Vec<Cow<'_, str>>> {
        positive(List::default(), &debug(json))
    }

    #[test]
    fn names_may_hold_colons_and_equal_signs() {
        let found = positives(
            r#"{"behaviors":"{New IP=NEGATIVE, Anomalous Location: Country=POSITIVE, a=b=POSITIVE, Velocity=POSITIVE, New City=BAD_REQUEST}"}"#,
        );
        assert_eq!(
            found.unwrap(),
            ["Anomalous Location: Country", "Velocity", "a=b"]
        );
    }

    #[test]
    fn entries_may_stand_in_a_list() {
        let found = positives(
            r#"{"behaviors":["New Device=POSITIVE","New \u0049P=POSITIVE","New City=NEGATIVE",7,"x"]}"#,
        );
        assert_eq!(found.unwrap(), ["New Device", "New IP"]);
        assert_eq!(positives(r#"{"behaviors":[]}"#), Some(vec![]));
    }

    #[test]
    fn both_sources_add_up_without_repeats() {
        let found = positives(
            r#"{"behaviors":"{New Device=POSITIVE, New IP=NEGATIVE}",
                "logOnlySecurityData":"{\"behaviors\":{\"New Device\":\"POSITIVE\",\"Velocity\":\"POSITIVE\",\"New State\":\"BAD_REQUEST\"}}"}"#,
        );
        assert_eq!(found.unwrap(), ["New Device", "Velocity"]);
    }

    #[test]
    fn nothing_evaluated_differs_from_nothing_found() {
        assert_eq!(positives("{}"), None);
        assert_eq!(
            positives(r#"{"behaviors":"{New IP=NEGATIVE}"}"#),
            Some(vec![])
        );
        assert_eq!(
            positives(r#"{"logOnlySecurityData":"{\"behaviors\":{}}"}"#),
            None
        );
    }

    #[test]
    fn structured_behaviors_count_too() {
        let list: List<UserBehavior<'_>> = serde_json::from_str(
            r#"[{"id":"b1","name":"New Device","result":"POSITIVE"},{"name":"Velocity","result":"NEGATIVE"}]"#,
        )
        .unwrap();
        assert_eq!(positive(list, &debug("{}")).unwrap(), ["New Device"]);
    }

    #[test]
    fn threats_come_with_their_highest_level() {
        let data = debug(
            r#"{"threatDetections":"{\"Password Spray\":\"HIGH\",\"Login Failures\":\"MEDIUM\"}"}"#,
        );
        let (detections, level) = threats(&data);
        let detections = detections.unwrap();
        assert_eq!(detections[0], ("Login Failures".into(), "MEDIUM".into()));
        assert_eq!(detections[1], ("Password Spray".into(), "HIGH".into()));
        assert_eq!(level, Some(RiskLevel::High));
        let (detections, level) = threats(&debug(r#"{"threatDetections":"{}"}"#));
        assert_eq!((detections, level), (None, None));
    }

    #[test]
    fn services_come_from_tunnels_and_address_details() {
        let known: List<IpService<'_>> =
            serde_json::from_str(r#"[{"type":"Tor","isAnonymous":true},{"type":"VPN"}]"#).unwrap();
        let data = debug(
            r#"{"tunnels":"[{\"operator\":\"SOME_VPN\",\"type\":\"VPN\",\"anonymous\":true}]"}"#,
        );
        assert_eq!(ip_services(known, &data).unwrap(), ["Tor", "VPN"]);
        assert_eq!(
            ip_services(List::default(), &debug(r#"{"tunnels":"x"}"#)),
            None
        );
    }
}
