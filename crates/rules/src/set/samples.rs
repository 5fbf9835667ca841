//! Running the samples of rules: events that must fire a rule and events that must not.

use std::collections::{BTreeMap, BTreeSet};

use af_model::accounting::{ClassAccount, PerTenant};
use af_model::tables::attack_signals;
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;

use crate::columns::frame::Frame;
use crate::detect::evaluate::matching_rows;
use crate::detect::walk::Walk;
use crate::error::Error;
use crate::problem::{Problem, Severity};
use crate::read::sample::Sample;
use crate::rule::{Class, Rule};
use crate::set::rules::RuleSet;
use crate::set::tuning::Tuned;

/// What became of one sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleResult {
    /// The rule's name.
    pub rule: String,
    /// Which of the rule's samples, counted from 1.
    pub number: usize,
    /// The line in the samples file.
    pub line: u32,
    /// What the sample shows.
    pub why: String,
    /// Whether it must fire the rule.
    pub expected: bool,
    /// Whether it did; none when the event could not be normalized.
    pub fired: Option<bool>,
    /// What the event is taken for with all rules of the set; none when no rule speaks about it.
    pub class: Option<Class>,
    /// What went wrong; none when the sample shows what it must.
    pub problem: Option<String>,
}

impl SampleResult {
    /// Whether the sample shows what it must.
    pub fn passed(&self) -> bool {
        self.problem.is_none()
    }
}

impl RuleSet {
    /// Runs every sample of every rule, in the order of [`RuleSet::rules`].
    ///
    /// `normalize` turns one raw event into one row of `identity_events`. A sample passes when the
    /// rule alone fires as expected, and, if it must fire, when the event gets the rule's class with
    /// all rules of the set loaded: a context rule that silences an attack fails the attack's sample.
    pub fn run_samples(
        &self,
        normalize: &dyn Fn(&[u8]) -> Result<RecordBatch, String>,
    ) -> Vec<SampleResult> {
        self.rules()
            .iter()
            .flat_map(|rule| {
                rule.samples
                    .iter()
                    .enumerate()
                    .map(|(index, sample)| self.run_sample(rule, index + 1, sample, normalize))
            })
            .collect()
    }

    fn run_sample(
        &self,
        rule: &Rule,
        number: usize,
        sample: &Sample,
        normalize: &dyn Fn(&[u8]) -> Result<RecordBatch, String>,
    ) -> SampleResult {
        let mut result = SampleResult {
            rule: rule.name.clone(),
            number,
            line: sample.line,
            why: sample.why.clone(),
            expected: sample.fires,
            fired: None,
            class: None,
            problem: None,
        };
        match self.fire(rule, sample, normalize) {
            Ok(fire) => {
                result.fired = Some(fire.fired);
                result.class = fire.class;
                result.problem = verdict(rule, sample, &fire);
            }
            Err(problem) => result.problem = Some(problem),
        }
        result
    }

    fn fire(
        &self,
        rule: &Rule,
        sample: &Sample,
        normalize: &dyn Fn(&[u8]) -> Result<RecordBatch, String>,
    ) -> Result<Fire, String> {
        let events = normalized(sample, normalize)?;
        // What a sample shows does not depend on whom a configuration leaves alone.
        let tuned = || Tuned::of_sample(&sample.own_networks);
        let text = |error: crate::error::Error| error.to_string();
        let walk = Walk::new(self.rules(), tuned());
        let frame = walk.frame(&events).map_err(text)?;
        let found = walk.classify(&events, &|_| true).map_err(text)?;
        let mut fire = match rule.selection() {
            Some(_) if events.num_rows() > 1 => {
                return Err("a rule about one event has samples of one event".to_owned());
            }
            Some(compiled) => Fire {
                fired: matching_rows(compiled, &frame).contains(0),
                class: class_of(&found.accounts),
                people: 0,
            },
            None => Fire {
                fired: self.fires(rule, tuned(), &frame),
                class: None,
                people: 0,
            },
        };
        let signals =
            (0..found.signals.num_rows()).map(|row| attack_signals::row(&found.signals, row));
        let own = signals.filter(|signal| signal.rule_id == rule.id);
        let people: BTreeSet<_> = own.map(|signal| signal.subject_ref).collect();
        fire.people = people.len();
        Ok(fire)
    }

    fn fires(&self, rule: &Rule, tuned: Tuned, frame: &Frame) -> bool {
        let place = self.rules().iter().position(|other| other.id == rule.id);
        place.is_some_and(|place| {
            let walk = Walk::new(self.rules(), tuned);
            walk.firing(frame).contains(&place)
        })
    }

    /// Attack rules that fire on the same samples, of all those that any rule has: probably one attack,
    /// found twice. Warnings, sorted by path.
    ///
    /// `normalize` is that of [`RuleSet::run_samples`]; samples that it refuses are left out.
    ///
    /// # Errors
    /// [`crate::ErrorKind::BrokenTable`] when what it gives breaks the contract of `identity_events`.
    pub fn check_twins(
        &self,
        normalize: &dyn Fn(&[u8]) -> Result<RecordBatch, String>,
    ) -> Result<Vec<Problem>, Error> {
        let rules = self.rules();
        let mut fired: Vec<Vec<usize>> = vec![Vec::new(); rules.len()];
        let samples = rules.iter().flat_map(|rule| &rule.samples);
        for (number, sample) in samples.enumerate() {
            let Ok(events) = normalized(sample, normalize) else {
                continue;
            };
            let walk = Walk::new(rules, Tuned::of_sample(&sample.own_networks));
            let frame = walk.frame(&events)?;
            for place in walk.firing(&frame) {
                fired[place].push(number);
            }
            for (place, rule) in rules.iter().enumerate() {
                let matched = rule
                    .selection()
                    .map(|compiled| matching_rows(compiled, &frame));
                if matched.is_some_and(|rows| !rows.is_empty()) {
                    fired[place].push(number);
                }
            }
        }
        let mut first: BTreeMap<&[usize], &Rule> = BTreeMap::new();
        let mut problems = Vec::new();
        for (rule, samples) in rules.iter().zip(&fired) {
            if rule.class != Class::Attack || samples.is_empty() {
                continue;
            }
            if let Some(other) = first.insert(samples, rule) {
                problems.push(Problem {
                    path: rule.path.clone(),
                    line: None,
                    severity: Severity::Warning,
                    message: format!("the rule fires on the same samples as {}", other.name),
                    hint: Some(
                        "if they find one attack, keep one; else show the difference in a sample"
                            .to_owned(),
                    ),
                });
            }
        }
        problems.sort();
        Ok(problems)
    }
}

/// What a sample's events did.
struct Fire {
    fired: bool,
    class: Option<Class>,
    people: usize,
}

fn normalized(
    sample: &Sample,
    normalize: &dyn Fn(&[u8]) -> Result<RecordBatch, String>,
) -> Result<RecordBatch, String> {
    let mut batches = Vec::with_capacity(sample.events.len());
    for (number, event) in (1..).zip(&sample.events) {
        let batch =
            normalize(event.as_bytes()).map_err(|problem| format!("event {number}: {problem}"))?;
        if batch.num_rows() != 1 {
            return Err(format!(
                "event {number} became {} events, not one",
                batch.num_rows()
            ));
        }
        batches.push(batch);
    }
    let schema = batches.first().ok_or("the sample has no event")?.schema();
    concat_batches(&schema, &batches).map_err(|error| error.to_string())
}

fn class_of(accounts: &PerTenant<ClassAccount>) -> Option<Class> {
    accounts.values().find_map(|account| {
        [
            (account.context, Class::Context),
            (account.attack, Class::Attack),
            (account.behavior, Class::Behavior),
        ]
        .into_iter()
        .find_map(|(count, class)| (count > 0).then_some(class))
    })
}

fn verdict(rule: &Rule, sample: &Sample, fire: &Fire) -> Option<String> {
    if fire.fired != sample.fires {
        let not = if sample.fires {
            "does not fire"
        } else {
            "fires"
        };
        return Some(format!("{not}, though the sample says otherwise"));
    }
    if let Some(people) = sample.people
        && people != fire.people
    {
        return Some(format!("finds {} people, not {people}", fire.people));
    }
    // A window is beside its events, not one of them; a base rule says nothing about them.
    let is_judged = rule.selection().is_some() && rule.class != Class::Base;
    if sample.fires && is_judged && fire.class != Some(rule.class) {
        let class = fire.class.map_or("no class", Class::as_str);
        return Some(format!("fires, but with all rules the event is {class}"));
    }
    None
}
