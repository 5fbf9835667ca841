//! Random correlations over random events, and how both are written down.

use std::fmt::Write;

use af_model::tables::identity_events::Row;
use af_model::{UtcDay, UtcMillis};
use af_rules::{RuleFile, RuleSet};
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::{event, events, rule, set};

/// 2026-11-19T00:00:00Z; the events lie on this day and the three after it.
pub(crate) const START: i64 = 1_795_046_400_000;

pub(crate) const DAY: i64 = 86_400_000;

const TYPES: [&str; 3] = ["type.a", "type.b", "type.c"];

/// The base rules: `a`, `b` and `ac`; an event of `type.a` matches two of them.
pub(crate) const BASES: [(&str, &[&str]); 3] = [
    ("a", &["type.a"]),
    ("b", &["type.b"]),
    ("ac", &["type.a", "type.c"]),
];

#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) uid: String,
    pub(crate) kind: &'static str,
    pub(crate) time: i64,
    pub(crate) ingested_at: i64,
    pub(crate) person: Option<&'static str>,
    pub(crate) address: Option<&'static str>,
    pub(crate) system: Option<&'static str>,
}

impl Event {
    pub(crate) fn row(&self) -> Row<'static> {
        Row {
            time: UtcMillis(self.time),
            ingested_at: UtcMillis(self.ingested_at),
            subject_ref: self.person.map(Into::into),
            user_uid: self.person.map(|person| person[4..].to_owned().into()),
            user_name: None,
            src_endpoint_ip: self.address.map(Into::into),
            device_os_name: self.system.map(Into::into),
            ..event(&self.uid, self.kind)
        }
    }

    pub(crate) fn field(&self, name: &str) -> Option<&'static str> {
        match name {
            "derived.subject" => self.person,
            "client.ipAddress" => self.address,
            "client.userAgent.os" => self.system,
            _ => panic!("the case has no field {name}"),
        }
    }
}

/// Times of whole seconds, close together and often equal; what is known grows in up to four steps.
pub(crate) fn any_events() -> impl Strategy<Value = Vec<Event>> {
    let one = (
        select(&TYPES[..]),
        0_i64..3,
        select(vec![0_i64, 30, 43_200, 86_100]),
        0_i64..40,
        0_i64..4,
        select(vec![Some("uid:u1"), Some("uid:u2"), Some("uid:u3"), None]),
        select(vec![Some("198.51.100.1"), Some("198.51.100.2"), None]),
        select(vec![Some("Linux"), Some("Windows"), Some("Android"), None]),
    );
    prop::collection::vec(one, 0..40).prop_map(|found| {
        let events = found.into_iter().enumerate();
        events
            .map(
                |(number, (kind, day, base, step, known, person, address, system))| Event {
                    uid: format!("e{number:02}"),
                    kind,
                    time: START + day * DAY + (base + step * 10) * 1000,
                    ingested_at: START + 5 * DAY + known * 1000,
                    person,
                    address,
                    system,
                },
            )
            .collect()
    })
}

#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) kind: &'static str,
    pub(crate) rules: Vec<&'static str>,
    pub(crate) group_by: Vec<&'static str>,
    pub(crate) field: &'static str,
    pub(crate) timespan_seconds: i64,
    pub(crate) least: usize,
    pub(crate) most: Option<usize>,
    pub(crate) subject: &'static str,
}

pub(crate) fn any_case() -> impl Strategy<Value = Case> {
    let kinds = ["event_count", "value_count", "temporal", "temporal_ordered"];
    (
        select(kinds.to_vec()),
        prop::sample::subsequence(vec!["a", "b", "ac"], 1..=3).prop_shuffle(),
        prop::sample::subsequence(vec!["derived.subject", "client.ipAddress"], 0..=2),
        select(vec!["derived.subject", "client.userAgent.os"]),
        select(vec![10_i64, 100, 3_600, 86_400, 172_800]),
        1_usize..4,
        prop::option::of(0_usize..3),
        select(vec!["victim", "all_in_group"]),
    )
        .prop_map(
            |(kind, rules, group_by, field, timespan_seconds, least, most, subject)| {
                let temporal = kind.starts_with("temporal");
                // A value that the whole group shares is refused.
                let is_fixed = group_by.contains(&field);
                let field = if is_fixed {
                    "client.userAgent.os"
                } else {
                    field
                };
                // An order hits the person of its last step.
                let subject = if kind == "temporal_ordered" {
                    "victim"
                } else {
                    subject
                };
                let least = if temporal { rules.len() } else { least };
                Case {
                    kind,
                    rules,
                    group_by,
                    field,
                    timespan_seconds,
                    least,
                    most: most.filter(|_| !temporal).map(|more| least + more),
                    subject,
                }
            },
        )
}

impl Case {
    /// The document, which refers to rules by id as rsigma needs it.
    pub(crate) fn document(&self, name: &str, number: u8, class: &str) -> String {
        let mut text = format!(
            "title: {name}\nid: {}\ndate: 2026-11-22\nlevel: high\ncorrelation:\n  type: {}\n  rules: [{}]\n  timespan: {}s\n",
            id(number),
            self.kind,
            self.rules
                .iter()
                .map(|rule| id_of(rule))
                .collect::<Vec<_>>()
                .join(", "),
            self.timespan_seconds,
        );
        if !self.group_by.is_empty() {
            let _ = writeln!(text, "  group-by: [{}]", self.group_by.join(", "));
        }
        if !self.kind.starts_with("temporal") {
            let _ = write!(text, "  condition: {{gte: {}", self.least);
            if let Some(most) = self.most {
                let _ = write!(text, ", lte: {most}");
            }
            if self.kind == "value_count" {
                let _ = write!(text, ", field: {}", self.field);
            }
            text.push_str("}\n");
        }
        let _ = writeln!(
            text,
            "attack_factor: {{class: {class}, component: identity, family: other, subject: {}}}",
            self.subject
        );
        text
    }

    pub(crate) fn rules(&self) -> RuleSet {
        let file = RuleFile {
            path: "rules/case.yml".to_owned(),
            text: self.document("case", 0xcc, "attack"),
            samples: None,
        };
        set(bases().into_iter().chain([file]))
    }
}

pub(crate) fn bases() -> Vec<RuleFile> {
    BASES
        .iter()
        .zip(1_u8..)
        .map(|((name, types), number)| {
            let detection = format!(
                "  selection: {{eventType: [{}]}}\n  condition: selection",
                types.join(", ")
            );
            rule(name, number, &detection, "  class: base")
        })
        .collect()
}

pub(crate) fn id(number: u8) -> String {
    format!("00000000-0000-4000-8000-0000000000{number:02x}")
}

fn id_of(rule: &str) -> String {
    let place = BASES
        .iter()
        .position(|(name, _)| *name == rule)
        .expect("the case is sound");
    id(u8::try_from(place + 1).expect("the case is sound"))
}

pub(crate) fn matches(rule: &str, event: &Event) -> bool {
    let (_, types) = BASES
        .iter()
        .find(|(name, _)| *name == rule)
        .expect("the case is sound");
    types.contains(&event.kind)
}

/// What a correlation says: whom, when, known since when, because of what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Said {
    pub(crate) time: i64,
    pub(crate) known_at: i64,
    pub(crate) person: Option<String>,
    pub(crate) events: Vec<String>,
}

/// What the engine says, as it stands in the signals; sorted.
pub(crate) fn said(rules: &RuleSet, rows: &[Row<'_>]) -> Vec<Said> {
    let found = rules
        .classify(&events(rows), &|_| true)
        .expect("the case is sound");
    of_signals(&crate::support::signals(&found))
}

/// The same, a day after the other.
pub(crate) fn said_day_by_day(rules: &RuleSet, rows: &[Row<'_>]) -> Vec<Said> {
    let mut walk = rules.walk();
    let mut said = Vec::new();
    let first = UtcMillis(START).day().0;
    for day in (first..first + 4).map(UtcDay) {
        let own: Vec<Row<'_>> = rows
            .iter()
            .filter(|row| row.time.day() == day)
            .cloned()
            .collect();
        let found = walk
            .detect(day, &events(&own), &|_| true)
            .expect("the case is sound");
        said.extend(of_signals(&crate::support::signals(&found)));
    }
    said.sort();
    said
}

fn of_signals(signals: &[af_model::tables::attack_signals::Row<'_>]) -> Vec<Said> {
    let mut said: Vec<Said> = signals
        .iter()
        .map(|signal| Said {
            time: signal.time.0,
            known_at: signal.ingested_at.expect("the case is sound").0,
            person: signal.subject_ref.as_ref().map(ToString::to_string),
            events: signal
                .event_uids
                .iter()
                .flatten()
                .map(ToString::to_string)
                .collect(),
        })
        .collect();
    said.sort();
    said
}
