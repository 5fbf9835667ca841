//! One class for every event, and at most one signal per person and component.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use af_model::Level;
use af_model::accounting::{ClassAccount, PerTenant};
use arrow::array::{Array, RecordBatch};
use arrow::buffer::BooleanBuffer;
use rayon::prelude::*;

use crate::columns::Frame;
use crate::error::Error;
use crate::evaluate::matching_rows;
use crate::field::Field;
use crate::rule::{Class, Rule};
use crate::signal::{Attack, People, signals};

/// What a batch of events came to.
#[derive(Clone, Debug)]
pub struct Classified {
    /// Every event of the batch in exactly one class, per tenant; each account closes.
    pub accounts: PerTenant<ClassAccount>,
    /// `attack_signals` in file schema, in the order of the events, unsorted otherwise.
    pub signals: RecordBatch,
}

/// Classifies a batch with some rules.
pub(crate) fn classify(
    rules: &[Rule],
    events: &RecordBatch,
    known_type: &dyn Fn(&str) -> bool,
) -> Result<Classified, Error> {
    let frame = Frame::new(events)?;
    let matches: Vec<BooleanBuffer> = rules
        .par_iter()
        .map(|rule| matching_rows(&rule.compiled, &frame))
        .collect();
    let of_class = |class: Class| {
        let none = BooleanBuffer::new_unset(frame.len());
        rules
            .iter()
            .zip(&matches)
            .filter(|(rule, _)| rule.class == class)
            .fold(none, |all, (_, rows)| &all | rows)
    };
    let context = of_class(Class::Context);
    let attack = &of_class(Class::Attack) & &!&context;
    let behavior = of_class(Class::Behavior);
    let accounts = account(&frame, &context, &attack, &behavior, known_type);
    let attacks = strongest(rules, &matches, &attack, &frame);
    Ok(Classified {
        accounts,
        signals: signals(&frame, &attacks),
    })
}

fn account(
    frame: &Frame,
    context: &BooleanBuffer,
    attack: &BooleanBuffer,
    behavior: &BooleanBuffer,
    known_type: &dyn Fn(&str) -> bool,
) -> PerTenant<ClassAccount> {
    let types = frame.event_types();
    let known: Vec<bool> = (0..types.len())
        .map(|place| types.is_valid(place) && known_type(types.value(place)))
        .collect();
    let (type_keys, _) = frame.dictionary("metadata_event_code");
    let (tenant_keys, tenants) = frame.dictionary("tenant_uid");
    let mut by_place = vec![ClassAccount::default(); tenants.len()];
    let place = |key: i32| usize::try_from(key).expect("dictionary keys never sink");
    for row in 0..frame.len() {
        let account = &mut by_place[place(tenant_keys.value(row))];
        account.normalized += 1;
        let class = if context.value(row) {
            &mut account.context
        } else if attack.value(row) {
            &mut account.attack
        } else if behavior.value(row) {
            &mut account.behavior
        } else if known[place(type_keys.value(row))] {
            &mut account.unclassified
        } else {
            &mut account.unknown_type
        };
        *class += 1;
    }
    let mut accounts: PerTenant<ClassAccount> = BTreeMap::new();
    for (place, account) in by_place.into_iter().enumerate() {
        if account.normalized > 0 {
            let tenant = if tenants.is_valid(place) {
                tenants.value(place)
            } else {
                ""
            };
            *accounts.entry(tenant.to_owned()).or_default() += account;
        }
    }
    accounts
}

/// The rule that speaks for each (event, person, component): highest level, then lowest precedence,
/// then smallest rule id.
fn strongest<'a>(
    rules: &'a [Rule],
    matches: &[BooleanBuffer],
    attack: &BooleanBuffer,
    frame: &'a Frame,
) -> Vec<Attack<'a>> {
    let people = People::of(frame);
    let mut candidates: Vec<Attack<'a>> = Vec::new();
    for (rule, rows) in rules.iter().zip(matches) {
        if rule.class != Class::Attack {
            continue;
        }
        let level_field = rule.level_field.map(Field::Column);
        let levels = level_field.as_ref().map(|field| frame.column(field));
        for row in (rows & attack).set_indices() {
            let own: Option<Level> = levels
                .as_ref()
                .and_then(|levels| levels.text(row)?.parse().ok());
            candidates.push(Attack {
                row,
                rule,
                level: own.unwrap_or(rule.level),
                named: people.named(rule.subject, row),
            });
        }
    }
    candidates.sort_by(|a, b| {
        key(a).cmp(&key(b)).then_with(|| {
            let strength = |attack: &Attack<'a>| (Reverse(attack.level), attack.rule.precedence);
            strength(a)
                .cmp(&strength(b))
                .then_with(|| a.rule.id.cmp(&b.rule.id))
        })
    });
    candidates.dedup_by(|later, earlier| key(later) == key(earlier));
    candidates
}

fn key<'s>(attack: &'s Attack<'_>) -> (usize, &'s str, Option<&'s str>) {
    (
        attack.row,
        attack.rule.component.as_str(),
        attack.named.reference.as_deref(),
    )
}
