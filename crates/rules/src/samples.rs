//! Events that must fire a rule and events that must not: `<stem>.samples.jsonl` beside the rule.

use arrow::array::RecordBatch;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::columns::Frame;
use crate::evaluate::matching_rows;
use crate::problem::Reporter;
use crate::rule::{Class, Rule};
use crate::set::RuleSet;

/// One sample of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The line in the samples file, counted from 1.
    pub line: u32,
    /// Whether the event must fire the rule.
    pub fires: bool,
    /// What the sample shows.
    pub why: String,
    /// The raw event, as the source writes it.
    pub event: String,
}

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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    fires: bool,
    why: String,
    #[serde(borrow)]
    event: &'a RawValue,
}

/// Reads a samples file; lines that are no samples are reported.
pub(crate) fn parse(text: &str, reporter: &mut Reporter<'_>) -> Vec<Sample> {
    let mut samples = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        match serde_json::from_str::<Line<'_>>(line) {
            Ok(sample) if sample.event.get().starts_with('{') => samples.push(Sample {
                line: number,
                fires: sample.fires,
                why: sample.why,
                event: sample.event.get().to_owned(),
            }),
            Ok(_) => reporter.error(Some(number), "the event is no object".to_owned(), None),
            // The position is enough: the message may quote the event.
            Err(error) => reporter.error(
                Some(number),
                format!("the sample cannot be read at column {}", error.column()),
                Some(r#"a sample is {"fires": true, "why": "…", "event": {…}}"#.to_owned()),
            ),
        }
    }
    samples
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
            Ok((fired, class)) => {
                result.fired = Some(fired);
                result.class = class;
                result.problem = verdict(rule, sample.fires, fired, class);
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
    ) -> Result<(bool, Option<Class>), String> {
        let event = normalize(sample.event.as_bytes())?;
        if event.num_rows() != 1 {
            return Err(format!("became {} events, not one", event.num_rows()));
        }
        let frame = Frame::new(&event).map_err(|error| error.to_string())?;
        let fired = matching_rows(&rule.compiled, &frame).value(0);
        let found = self
            .classify(&event, &|_| true)
            .map_err(|error| error.to_string())?;
        let class = found.accounts.values().find_map(|account| {
            [
                (account.context, Class::Context),
                (account.attack, Class::Attack),
                (account.behavior, Class::Behavior),
            ]
            .into_iter()
            .find_map(|(count, class)| (count > 0).then_some(class))
        });
        Ok((fired, class))
    }
}

fn verdict(rule: &Rule, expected: bool, fired: bool, class: Option<Class>) -> Option<String> {
    if fired != expected {
        let not = if expected { "does not fire" } else { "fires" };
        return Some(format!("{not}, though the sample says otherwise"));
    }
    if expected && class != Some(rule.class) {
        let class = class.map_or("no class", Class::as_str);
        return Some(format!("fires, but with all rules the event is {class}"));
    }
    None
}
