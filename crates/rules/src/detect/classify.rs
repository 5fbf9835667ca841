//! One class for every event, and at most one signal per person and component.

use std::cmp::Reverse;

use af_model::accounting::{ClassAccount, PerTenant};
use af_model::{Level, UtcMillis};
use arrow::array::RecordBatch;
use rayon::prelude::*;

use crate::columns::field::Field;
use crate::columns::frame::Frame;
use crate::columns::rows::Rows;
use crate::detect::account::{Classes, account};
use crate::detect::evaluate::matching_rows;
use crate::detect::excluded::Excluded;
use crate::detect::signal::{Attack, People};
use crate::detect::transaction::Transactions;
use crate::rule::{Class, Rule, Subject};

/// What a batch of events came to.
#[derive(Clone, Debug)]
pub struct Classified {
    /// Every event of the batch in exactly one class, per tenant; each account closes.
    pub accounts: PerTenant<ClassAccount>,
    /// `attack_signals` in file schema, in the order of the events, unsorted otherwise.
    pub signals: RecordBatch,
}

/// The rows that each rule about one event matches and does not leave alone; none for the others, and for those not `wanted`.
pub(crate) fn matches(
    rules: &[Rule],
    excluded: &Excluded,
    frame: &Frame,
    wanted: impl Fn(usize) -> bool + Sync,
) -> Vec<Rows> {
    rules
        .par_iter()
        .enumerate()
        .map(|(place, rule)| match rule.selection() {
            Some(compiled) if wanted(place) => {
                excluded.without(rule, frame, matching_rows(compiled, frame))
            }
            _ => Rows::none(frame.len()),
        })
        .collect()
}

/// One class for every event of a frame, and the attack on each person, component by component.
pub(crate) fn classify<'a>(
    rules: &'a [Rule],
    frame: &'a Frame,
    matches: &[Rows],
    known_type: &dyn Fn(&str) -> bool,
) -> (PerTenant<ClassAccount>, Vec<Attack<'a>>) {
    let of_class = |class: Class| {
        let of_class = rules.iter().zip(matches);
        let of_class = of_class.filter(|(rule, _)| rule.class == class);
        Rows::union(frame.len(), of_class.map(|(_, rows)| rows))
    };
    let context = of_class(Class::Context);
    let attack = of_class(Class::Attack).without(&context);
    let behavior = of_class(Class::Behavior).without(&context).without(&attack);
    let classes = Classes {
        context,
        attack,
        behavior,
    };
    let accounts = account(frame, &classes, known_type);
    (accounts, strongest(rules, matches, &classes.attack, frame))
}

/// The rule that speaks for each (event, person, component): highest level, then lowest precedence,
/// then smallest rule id.
fn strongest<'a>(
    rules: &'a [Rule],
    matches: &[Rows],
    attack: &Rows,
    frame: &'a Frame,
) -> Vec<Attack<'a>> {
    let people = People::of(frame);
    let ingested = frame.instant_column("ingested_at");
    let mut candidates: Vec<Attack<'a>> = Vec::new();
    for (rule, rows) in rules.iter().zip(matches) {
        if rule.class != Class::Attack {
            continue;
        }
        let level_field = rule.level_field.map(Field::Column);
        let levels = level_field.as_ref().map(|field| frame.column(field));
        for row in rows.and(attack).iter() {
            let own: Option<Level> = levels
                .as_ref()
                .and_then(|levels| levels.text(row)?.parse().ok());
            candidates.push(Attack {
                row,
                rule,
                level: own.unwrap_or(rule.level),
                named: people.named(rule.subject, row),
                known_at: UtcMillis(ingested.value(row)),
                window: None,
            });
        }
    }
    find_people(&mut candidates, &people, frame);
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

/// Attacks on nobody get the person of their transaction. One who became known later than the attack
/// gives a second one beside the first, which may have been published.
fn find_people<'a>(attacks: &mut Vec<Attack<'a>>, people: &People<'a>, frame: &'a Frame) {
    let is_anonymous = |attack: &Attack<'_>| {
        attack.rule.subject == Subject::Victim && attack.named.reference.is_none()
    };
    let anonymous = attacks.iter().filter(|attack| is_anonymous(attack));
    let transactions = Transactions::of(frame, people, anonymous.map(|attack| attack.row));
    let mut later = Vec::new();
    for attack in attacks.iter_mut().filter(|attack| is_anonymous(attack)) {
        let Some(lent) = transactions.person(attack.row) else {
            continue;
        };
        let since = UtcMillis(lent.since);
        if since == attack.known_at {
            attack.named = lent.named;
        } else {
            later.push(Attack {
                row: attack.row,
                rule: attack.rule,
                level: attack.level,
                named: lent.named,
                known_at: since,
                window: None,
            });
        }
    }
    attacks.append(&mut later);
}

fn key<'s>(attack: &'s Attack<'_>) -> (usize, &'s str, Option<&'s str>) {
    (
        attack.row,
        attack.rule.component.as_str(),
        attack.named.reference.as_deref(),
    )
}
