//! Rows as texts, in batches.

use std::borrow::Cow;
use std::fmt::Write as _;

use af_model::tables::attack_signals;
use arrow::array::RecordBatch;

use super::plan::{KINDS, LEVELS, Plan, Signal, Spelling};
use super::population::push_tenant;

/// Writes rows into a batch; texts that repeat are made once, others in room that is used again.
pub(super) struct Writer<'p> {
    plan: &'p Plan,
    builder: attack_signals::Builder,
    tenants: Vec<String>,
    rules: Vec<String>,
    uid: String,
    email: String,
    subject_uid: String,
    subject_ref: String,
    incident: String,
    events: [String; 3],
}

impl<'p> Writer<'p> {
    pub(super) fn new(plan: &'p Plan) -> Self {
        let tenants = (0..plan.population().tenants()).map(|tenant| {
            let mut text = String::new();
            push_tenant(&mut text, tenant);
            text
        });
        let rules = KINDS.iter().flat_map(|kind| {
            (0..super::plan::RULES)
                .map(move |rule| format!("{}.{}.{rule}", kind.source, kind.family))
        });
        Self {
            plan,
            builder: attack_signals::Builder::default(),
            tenants: tenants.collect(),
            rules: rules.collect(),
            uid: String::new(),
            email: String::new(),
            subject_uid: String::new(),
            subject_ref: String::new(),
            incident: String::new(),
            events: Default::default(),
        }
    }

    /// Rows since the last batch.
    pub(super) fn len(&self) -> usize {
        self.builder.len()
    }

    pub(super) fn finish(&mut self) -> RecordBatch {
        self.builder.finish()
    }

    pub(super) fn push(&mut self, signal: &Signal) {
        let people = self.plan.population();
        let kind = &KINDS[signal.kind];
        for text in [
            &mut self.uid,
            &mut self.email,
            &mut self.subject_uid,
            &mut self.subject_ref,
            &mut self.incident,
        ] {
            text.clear();
        }
        // Writing to a String cannot fail.
        let _ = write!(self.uid, "{:032x}", signal.uid);
        people.push_email(&mut self.email, signal.person);
        people.push_uid(&mut self.subject_uid, signal.person);
        if signal.names_uid {
            let _ = write!(self.subject_ref, "uid:{}", self.subject_uid);
        } else {
            let _ = write!(self.subject_ref, "email:{}", self.email);
        }
        match signal.spelling {
            Spelling::Normal => {}
            Spelling::Upper => self.email.make_ascii_uppercase(),
            Spelling::Padded => {
                self.email.insert_str(0, "  ");
                self.email.push(' ');
            }
        }
        if let Some(incident) = signal.incident {
            let _ = write!(self.incident, "incident-{incident:016x}");
        }
        for (text, event) in self.events.iter_mut().zip(&signal.events) {
            text.clear();
            push_uuid(text, *event);
        }
        let events = self.events.iter().take(signal.events.len());
        let rule = signal.kind * usize::try_from(super::plan::RULES).expect("a few")
            + usize::try_from(signal.rule).expect("a few");
        self.builder.append(&attack_signals::Row {
            tenant_uid: borrowed(&self.tenants[people.tenant_of(signal.person)]),
            signal_uid: borrowed(&self.uid),
            time: signal.time,
            ingested_at: signal.ingested_at,
            subject_ref: signal.has_ref.then(|| borrowed(&self.subject_ref)),
            subject_uid: signal.names_uid.then(|| borrowed(&self.subject_uid)),
            subject_login: None,
            subject_email: Some(borrowed(&self.email)),
            component: borrowed(kind.component),
            family: borrowed(kind.family),
            level: borrowed(LEVELS[signal.level].0),
            rule_id: borrowed(&self.rules[rule]),
            rule_version: Some(borrowed("1")),
            incident_uid: signal.incident.map(|_| borrowed(&self.incident)),
            event_uids: Some(events.map(|text| borrowed(text)).collect()),
            source: borrowed(kind.source),
            integration: None,
            attack_techniques: Some(kind.techniques.iter().map(|id| borrowed(id)).collect()),
        });
    }
}

fn borrowed(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}

/// A random UUID's text: version 4, variant 1.
fn push_uuid(text: &mut String, bits: u128) {
    let bits = bits & !(0xf000_u128 << 64) & !(0xc000_u128 << 48)
        | (0x4000_u128 << 64)
        | (0x8000_u128 << 48);
    let part = |shift: u32, bits_wide: u32| (bits >> shift) & ((1 << bits_wide) - 1);
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        part(96, 32),
        part(80, 16),
        part(64, 16),
        part(48, 16),
        part(0, 48)
    );
}
