//! Which call a fault strikes.

use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::Fault;
use crate::random::Random;
use crate::request::Call;

/// When a fault strikes.
///
/// ```
/// use af_okta_sim::{Fault, Rule};
///
/// // The third and fourth call of the log fail.
/// let rule = Rule::new(Fault::Status { status: 500 })
///     .on("/api/v1/logs")
///     .after(2)
///     .times(2);
/// assert_eq!(rule.skip, 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// A path, with `{id}` or with an id in its place; with a `*` at its end everything that begins
    /// so. Empty = every call.
    #[serde(default)]
    pub on: String,
    /// Calls that are left alone first.
    #[serde(default)]
    pub skip: u32,
    /// How often it strikes; none = from then on.
    #[serde(default)]
    pub times: Option<u32>,
    /// What happens.
    pub fault: Fault,
}

impl Rule {
    /// Strikes every call.
    pub fn new(fault: Fault) -> Self {
        Self {
            on: String::new(),
            skip: 0,
            times: None,
            fault,
        }
    }

    /// Strikes calls of a path only.
    #[must_use]
    pub fn on(mut self, path: &str) -> Self {
        path.clone_into(&mut self.on);
        self
    }

    /// Leaves so many calls alone first.
    #[must_use]
    pub fn after(mut self, calls: u32) -> Self {
        self.skip = calls;
        self
    }

    /// Strikes so often.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Strikes once.
    #[must_use]
    pub fn once(self) -> Self {
        self.times(1)
    }
}

/// Faults by chance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomFaults {
    /// The same seed strikes the same calls, counted from now.
    pub seed: u64,
    /// Calls in a thousand.
    pub per_mille: u32,
    /// As [`Rule::on`].
    #[serde(default)]
    pub on: String,
    /// One of these. One that cannot strike a call, because the call follows no link or carries no
    /// proof, spares it.
    pub faults: Vec<Fault>,
    /// How often at the most; none = without end.
    #[serde(default)]
    pub at_most: Option<u32>,
}

/// The faults of an org; shared with whoever commands them.
#[derive(Debug, Default)]
pub struct Faults(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    rules: Vec<Active>,
    random: Option<(RandomFaults, Drawn)>,
    struck: u64,
}

#[derive(Debug)]
struct Active {
    rule: Rule,
    seen: u32,
    struck: u32,
}

#[derive(Debug, Default)]
struct Drawn {
    calls: u64,
    struck: u32,
}

impl Faults {
    /// Adds a rule. Of several that match a call the first one strikes; the others wait.
    pub fn add(&self, rule: Rule) {
        let mut state = self.state();
        state.rules.push(Active {
            rule,
            seen: 0,
            struck: 0,
        });
    }

    /// Lets chance strike, besides the rules.
    pub fn random(&self, faults: RandomFaults) {
        self.state().random = Some((faults, Drawn::default()));
    }

    /// Takes everything back.
    pub fn clear(&self) {
        let mut state = self.state();
        state.rules.clear();
        state.random = None;
    }

    /// How many calls were struck.
    pub fn struck(&self) -> u64 {
        self.state().struck
    }

    /// What strikes a call, with the number of its strike.
    pub(crate) fn strike(&self, call: &Call, template: &str) -> Option<(Fault, u64)> {
        let mut state = self.state();
        let mut fault = None;
        for active in &mut state.rules {
            let rule = &active.rule;
            if !is_on(&rule.on, &call.path, template) || !can_strike(&rule.fault, call) {
                continue;
            }
            active.seen = active.seen.saturating_add(1);
            let is_due =
                active.seen > rule.skip && rule.times.is_none_or(|times| active.struck < times);
            if is_due {
                active.struck = active.struck.saturating_add(1);
                fault = Some(rule.fault.clone());
                break;
            }
        }
        if fault.is_none()
            && let Some((random, drawn)) = &mut state.random
            && is_on(&random.on, &call.path, template)
        {
            drawn.calls += 1;
            let mut dice =
                Random::new(random.seed ^ drawn.calls.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let strikes = dice.next_u64() % 1000 < u64::from(random.per_mille);
            if strikes
                && !random.faults.is_empty()
                && random.at_most.is_none_or(|most| drawn.struck < most)
            {
                let drawn_fault = dice.pick(&random.faults);
                if can_strike(drawn_fault, call) {
                    drawn.struck += 1;
                    fault = Some(drawn_fault.clone());
                }
            }
        }
        let fault = fault?;
        state.struck += 1;
        Some((fault, state.struck))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics with the faults")
    }
}

fn is_on(on: &str, path: &str, template: &str) -> bool {
    match on.strip_suffix('*') {
        Some(start) => path.starts_with(start),
        None => on.is_empty() || on == path || on == template,
    }
}

/// Whether a fault means anything to a call, so that none is used up in vain.
fn can_strike(fault: &Fault, call: &Call) -> bool {
    let by_token = || {
        call.header("authorization").is_some_and(|value| {
            let scheme = value.split(' ').next().unwrap_or_default();
            scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("dpop")
        })
    };
    let follows = call.parameter("after").is_some();
    match fault {
        Fault::StaleCursor | Fault::Repeat { .. } => follows,
        Fault::NewNonce => call.headers.contains_key("dpop"),
        Fault::ExpireTokens => by_token(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, Method};

    use super::*;

    fn call(path: &str, query: &str) -> Call {
        Call::new(Method::GET, path, Some(query), HeaderMap::new(), Vec::new())
    }

    fn struck(faults: &Faults, path: &str, query: &str) -> Option<Fault> {
        let struck = faults.strike(&call(path, query), path);
        struck.map(|(fault, _)| fault)
    }

    #[test]
    fn a_rule_strikes_after_so_many_calls_so_often() {
        let faults = Faults::default();
        faults.add(Rule::new(Fault::Cut).on("/a").after(1).times(2));
        let of = |path: &str| struck(&faults, path, "").is_some();
        assert_eq!(
            [of("/a"), of("/b"), of("/a"), of("/a"), of("/a")],
            [false, false, true, true, false]
        );
        assert_eq!(faults.struck(), 2);
    }

    #[test]
    fn the_first_rule_strikes_and_the_second_waits() {
        let faults = Faults::default();
        faults.add(Rule::new(Fault::Cut).once());
        faults.add(Rule::new(Fault::Drop).on("/a*").once());
        let of = |path: &str| struck(&faults, path, "");
        assert_eq!(of("/ab"), Some(Fault::Cut));
        assert_eq!(of("/ba"), None);
        assert_eq!(of("/ab"), Some(Fault::Drop));
        assert_eq!(of("/ab"), None);
    }

    #[test]
    fn a_fault_that_means_nothing_to_a_call_is_not_used_up() {
        let faults = Faults::default();
        faults.add(Rule::new(Fault::StaleCursor).once());
        assert_eq!(struck(&faults, "/a", ""), None);
        assert_eq!(struck(&faults, "/a", "after=x"), Some(Fault::StaleCursor));
    }

    #[test]
    fn chance_strikes_as_often_as_it_should_and_the_same_calls_again() {
        let run = |seed| {
            let faults = Faults::default();
            faults.random(RandomFaults {
                seed,
                per_mille: 250,
                on: String::new(),
                faults: vec![Fault::Cut, Fault::Drop],
                at_most: None,
            });
            (0..400)
                .map(|_| struck(&faults, "/a", ""))
                .collect::<Vec<_>>()
        };
        let first = run(1);
        assert_eq!(first, run(1));
        assert_ne!(first, run(2));
        // 100 are expected, with a standard deviation below 9.
        let count = first.iter().flatten().count();
        assert!((60..140).contains(&count), "{count}");
    }

    #[test]
    fn a_rule_is_written_as_json() {
        let rule: Rule = serde_json::from_str(
            r#"{"on":"/api/v1/logs","times":2,"fault":{"kind":"status","status":503}}"#,
        )
        .unwrap();
        let expected = Rule::new(Fault::Status { status: 503 })
            .on("/api/v1/logs")
            .times(2);
        assert_eq!(rule, expected);
    }
}
