//! The risk of an event, in every encoding that Okta uses.
//!
//! | order | where | how |
//! |---|---|---|
//! | 1 | `securityContext.risk` | an object |
//! | 2 | `debugData.risk` | a map printed as text: `{reasons=…, level=HIGH}`, `Risk{level=LOW}` |
//! | 3 | `debugData.logOnlySecurityData` | JSON inside a text |
//! | 4 | `debugData.riskChange` | JSON inside a text, other names |
//! | 5 | `debugData.riskLevel`, `riskReasons` | plain texts; seen in third-party scripts only |
//!
//! The first encoding that tells a level decides, and everything is taken from it. If none tells a
//! level, the first that tells anything is taken. What third parties report (`partnerRisk`) is kept
//! apart.

use std::borrow::Cow;

use crate::event::{LogOnlySecurityData, RiskField, RiskObject};
use crate::lenient::{List, Text, TextMap, is_sentinel, trim};
use crate::printed::pairs;

/// Level of a risk or threat: 1 low, 2 medium, 3 high, as OCSF's `risk_level_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RiskLevel {
    /// LOW.
    Low = 1,
    /// MEDIUM.
    Medium = 2,
    /// HIGH.
    High = 3,
}

impl RiskLevel {
    /// Reads Okta's word, whatever its case; NONE and anything unknown are no level.
    pub(crate) fn of(word: &str) -> Option<Self> {
        let word = word.trim();
        [Self::Low, Self::Medium, Self::High]
            .into_iter()
            .find(|level| level.word().eq_ignore_ascii_case(word))
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
        }
    }

    /// The number written in tables.
    pub(crate) const fn id(self) -> i64 {
        self as i64
    }
}

/// What an event says about risk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Risk<'a> {
    /// The level now.
    pub(crate) level: Option<RiskLevel>,
    /// The level before.
    pub(crate) previous: Option<RiskLevel>,
    /// Why. From a map printed as text it is one entry: a reason may hold commas, so such a text
    /// cannot be split safely.
    pub(crate) reasons: Vec<Cow<'a, str>>,
    /// The detection.
    pub(crate) detection_name: Option<Cow<'a, str>>,
    /// Who says so.
    pub(crate) issuer: Option<Cow<'a, str>>,
}

impl<'a> Risk<'a> {
    /// The risk of an event: the first encoding that tells a level, else the first that tells anything.
    pub(crate) fn of_event(field: RiskField<'a>, debug_data: &TextMap<'a>) -> Self {
        let mut fallback = Self::default();
        let encodings: [&dyn Fn() -> Self; 4] = [
            &|| {
                debug_data
                    .get("risk")
                    .map(Self::of_value)
                    .unwrap_or_default()
            },
            &|| {
                let packed = debug_data.get("logOnlySecurityData");
                packed.map(Self::of_log_only).unwrap_or_default()
            },
            &|| {
                let change = debug_data.get("riskChange");
                change.map(Self::of_value).unwrap_or_default()
            },
            &|| Self {
                level: debug_data
                    .get("riskLevel")
                    .and_then(|word| RiskLevel::of(word)),
                reasons: debug_data.get("riskReasons").cloned().into_iter().collect(),
                ..Self::default()
            },
        ];
        let structured = Self::of_field(field);
        for risk in std::iter::once(structured).chain(encodings.iter().map(|encoding| encoding())) {
            if risk.level.is_some() {
                return risk;
            }
            if fallback == Self::default() {
                fallback = risk;
            }
        }
        fallback
    }

    fn of_field(field: RiskField<'a>) -> Self {
        match field {
            RiskField::Absent => Self::default(),
            RiskField::Text(text) => Self::of_value(&text),
            RiskField::Object(object) => Self::of_object(*object),
        }
    }

    fn of_object(object: RiskObject<'a>) -> Self {
        let level = |words: [&Text<'a>; 4]| {
            words
                .into_iter()
                .find_map(|word| word.as_str().and_then(RiskLevel::of))
        };
        Self {
            level: level([
                &object.level,
                &object.risk_level,
                &object.current_level,
                &object.current_level_snake,
            ]),
            previous: level([
                &object.previous_level,
                &object.prior_risk_level,
                &Text(None),
                &Text(None),
            ]),
            reasons: if object.reasons.0.is_empty() {
                object.reason_code.0
            } else {
                object.reasons.0
            },
            detection_name: object.detection_name.0,
            issuer: object.issuer.0,
        }
    }

    /// A text that is JSON, a map printed as text, or a bare level.
    fn of_value(text: &Cow<'a, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Self::of_text(text),
            Cow::Owned(text) => Risk::of_text(text).into_owned(),
        }
    }

    /// Reads one printed risk; see the module's table.
    pub(crate) fn of_text(text: &'a str) -> Self {
        if let Some(object) = json_object::<RiskObject<'a>>(text) {
            return Self::of_object(object);
        }
        let mut risk = Self {
            level: RiskLevel::of(text),
            ..Self::default()
        };
        let set = |slot: &mut Option<Cow<'a, str>>, value| {
            if slot.is_none() {
                *slot = Text(Some(Cow::Borrowed(value))).into_meaning();
            }
        };
        let (mut level, mut previous, mut reasons) = (None, None, None);
        for (key, value) in pairs(text) {
            match key {
                "level" => set(&mut level, value),
                "previousLevel" => set(&mut previous, value),
                "detectionName" => set(&mut risk.detection_name, value),
                "reasons" => set(&mut reasons, value),
                "issuer" => set(&mut risk.issuer, value),
                _ => {}
            }
        }
        risk.level = risk.level.or(level.as_deref().and_then(RiskLevel::of));
        risk.previous = previous.as_deref().and_then(RiskLevel::of);
        risk.reasons = reasons.into_iter().collect();
        risk
    }

    fn of_log_only(packed: &Cow<'a, str>) -> Self {
        fn unpack(text: &str) -> Risk<'_> {
            json_object::<LogOnlySecurityData<'_>>(text)
                .map(|data| Risk::of_field(data.risk))
                .unwrap_or_default()
        }
        match packed {
            Cow::Borrowed(text) => unpack(text),
            Cow::Owned(text) => unpack(text).into_owned(),
        }
    }

    fn into_owned(self) -> Risk<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Risk {
            level: self.level,
            previous: self.previous,
            reasons: self.reasons.into_iter().map(own).collect(),
            detection_name: self.detection_name.map(own),
            issuer: self.issuer.map(own),
        }
    }
}

impl<'a> Text<'a> {
    /// Trimmed, and nothing if it is a sentinel.
    fn into_meaning(self) -> Option<Cow<'a, str>> {
        self.0.map(trim).filter(|text| !is_sentinel(text))
    }
}

/// A lenient object from JSON inside a text; `None` unless the text is a JSON object.
pub(crate) fn json_object<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Option<T> {
    // A map printed as text opens with the same brace; JSON goes on with a quote.
    let inside = text.trim_start().strip_prefix('{')?.trim_start();
    if !inside.starts_with(['"', '}']) {
        return None;
    }
    serde_json::from_str(text).ok()
}

/// The highest level that third parties reported.
pub(crate) fn partner_level(debug_data: &TextMap<'_>) -> Option<RiskLevel> {
    [
        "partnerRisk",
        "securityEventsProviderReportedRisk",
        "partnerRiskReportData",
    ]
    .into_iter()
    .filter_map(|key| debug_data.get(key))
    .filter_map(|text| highest_level(text))
    .max()
}

fn highest_level(text: &str) -> Option<RiskLevel> {
    if let Some(object) = json_object::<RiskObject<'_>>(text) {
        return Risk::of_object(object).level;
    }
    if let Ok(list) = serde_json::from_str::<List<RiskObject<'_>>>(text) {
        let levels = list
            .0
            .into_iter()
            .map(|object| Risk::of_object(object).level);
        return levels.max().flatten();
    }
    let printed = pairs(text)
        .filter(|(key, _)| *key == "level")
        .filter_map(|(_, word)| RiskLevel::of(word))
        .max();
    printed.or_else(|| RiskLevel::of(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn debug(json: &str) -> TextMap<'_> {
        serde_json::from_str(json).unwrap()
    }

    fn risk_of(json: &str) -> Risk<'_> {
        Risk::of_event(RiskField::Absent, &debug(json))
    }

    #[test]
    fn a_printed_map_keeps_reasons_with_commas_whole() {
        let risk = Risk::of_text("{reasons=Anomalous Location, Anomalous Device, level=HIGH}");
        assert_eq!(risk.level, Some(RiskLevel::High));
        assert_eq!(risk.reasons, ["Anomalous Location, Anomalous Device"]);
    }

    #[test]
    fn a_fall_from_high_to_low_is_low() {
        let risk = Risk::of_text(
            "{previousLevel=HIGH, level=LOW, detectionName=Admin Reported User Risk, reasons=cleared, issuer=OKTA}",
        );
        assert_eq!(risk.level, Some(RiskLevel::Low));
        assert_eq!(risk.previous, Some(RiskLevel::High));
        assert_eq!(
            risk.detection_name.as_deref(),
            Some("Admin Reported User Risk")
        );
        assert_eq!(risk.issuer.as_deref(), Some("OKTA"));
    }

    #[test]
    fn only_a_previous_level_is_no_level() {
        assert_eq!(Risk::of_text("{previousLevel=HIGH}").level, None);
        assert_eq!(Risk::of_text("{mylevel=HIGH, xlevel=HIGH}").level, None);
    }

    #[test]
    fn every_opening_is_read() {
        for text in [
            "{level=HIGH}",
            "Risk{level=HIGH}",
            "level=HIGH",
            "{reasons=a,level=HIGH}",
            "{ level=HIGH }",
            "HIGH",
            "{\"level\":\"HIGH\"}",
        ] {
            assert_eq!(Risk::of_text(text).level, Some(RiskLevel::High), "{text}");
        }
    }

    #[test]
    fn the_first_encoding_with_a_level_decides() {
        let everything = r#"{"risk":"{level=LOW}","riskChange":"{\"riskLevel\":\"HIGH\"}",
            "logOnlySecurityData":"{\"risk\":{\"level\":\"MEDIUM\"}}","riskLevel":"HIGH"}"#;
        assert_eq!(risk_of(everything).level, Some(RiskLevel::Low));
        let no_level_first = r#"{"risk":"{reasons=x}",
            "logOnlySecurityData":"{\"risk\":{\"reasons\":\"New, odd\",\"level\":\"MEDIUM\"}}"}"#;
        let risk = risk_of(no_level_first);
        assert_eq!(risk.level, Some(RiskLevel::Medium));
        assert_eq!(risk.reasons, ["New, odd"]);
        let change = risk_of(
            r#"{"logOnlySecurityData":"{\"risk\":{}}","riskChange":
            "{\"riskLevel\": \"HIGH\",\"priorRiskLevel\": \"LOW\",\"reasonCode\": \"High threat IP observed!\"}"}"#,
        );
        assert_eq!(change.level, Some(RiskLevel::High));
        assert_eq!(change.previous, Some(RiskLevel::Low));
        assert_eq!(change.reasons, ["High threat IP observed!"]);
        assert_eq!(
            risk_of(r#"{"riskLevel":"high"}"#).level,
            Some(RiskLevel::High)
        );
    }

    #[test]
    fn the_structured_risk_comes_first_and_its_reasons_are_a_list() {
        let field: RiskField<'_> = serde_json::from_str(
            r#"{"level":"HIGH","reasons":["Anomalous Device","New, odd"],"detectionName":"D"}"#,
        )
        .unwrap();
        let risk = Risk::of_event(field, &debug(r#"{"risk":"{level=LOW}"}"#));
        assert_eq!(risk.level, Some(RiskLevel::High));
        assert_eq!(risk.reasons, ["Anomalous Device", "New, odd"]);
        let empty: RiskField<'_> = serde_json::from_str("{}").unwrap();
        let risk = Risk::of_event(empty, &debug(r#"{"risk":"{level=LOW}"}"#));
        assert_eq!(risk.level, Some(RiskLevel::Low));
    }

    #[test]
    fn partners_highest_level_counts() {
        let partners =
            r#"{"partnerRisk":"[{reasons=a, b, level=LOW, name=x}, {level=HIGH, name=y}]"}"#;
        assert_eq!(partner_level(&debug(partners)), Some(RiskLevel::High));
        let json = r#"{"partnerRisk":[{"level":"LOW"},{"level":"MEDIUM"}]}"#;
        assert_eq!(partner_level(&debug(json)), Some(RiskLevel::Medium));
        assert_eq!(partner_level(&debug(r#"{"partnerRisk":"[]"}"#)), None);
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(
            level in prop::sample::select(vec!["LOW", "MEDIUM", "HIGH"]),
            previous in prop::sample::select(vec!["LOW", "MEDIUM", "HIGH"]),
            // Commas, equal signs and words that look like keys may occur; a brace ends the map.
            reasons in "[A-Za-z][A-Za-z =:.]{0,10}(, [A-Z][a-z =]{0,10}){0,3}[a-z.]",
            name in "[A-Z][A-Za-z ]{0,20}[a-z]",
        ) {
            let orders = [
                format!("{{previousLevel={previous}, level={level}, detectionName={name}, reasons={reasons}, issuer=OKTA}}"),
                format!("{{reasons={reasons}, issuer=OKTA, level={level}, detectionName={name}, previousLevel={previous}}}"),
            ];
            for text in orders {
                let risk = Risk::of_text(&text);
                prop_assert_eq!(risk.level, RiskLevel::of(level));
                prop_assert_eq!(risk.previous, RiskLevel::of(previous));
                prop_assert_eq!(&risk.reasons, &[reasons.as_str()]);
                prop_assert_eq!(risk.detection_name.as_deref(), Some(name.as_str()));
                prop_assert_eq!(risk.issuer.as_deref(), Some("OKTA"));
            }
        }

        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,60}", glue in "[{},= ]{0,10}") {
            Risk::of_text(&format!("{glue}level={text}{glue}reasons={text}"));
        }
    }
}
