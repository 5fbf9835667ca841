//! What was found against what was seeded.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use af_model::time::DAY_MILLIS;
use af_okta_sim::organization::{Kind, Story, Truth};

use super::kinds::{is_related, strength};
use super::pipeline::{Found, Lived};

/// The verdict over stories and rules.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// By kind of attack.
    pub(super) kinds: BTreeMap<Kind, OfKind>,
    /// By name of the rule.
    pub(super) rules: BTreeMap<String, OfRule>,
    /// What nobody found, by story.
    pub(super) missed: Vec<Missed>,
}

/// How the attacks of one kind were found.
#[derive(Debug, Default)]
pub(super) struct OfKind {
    pub(super) stories: u64,
    /// Stories of which at least one victim was found.
    pub(super) stories_found: u64,
    pub(super) victims: u64,
    /// Victims found, by the strongest level: low, medium, high, critical.
    pub(super) found: [u64; 4],
    /// Of those, the victims on whom a finding names an event of the attack.
    pub(super) by_event: u64,
}

impl OfKind {
    pub(super) fn found(&self) -> u64 {
        self.found.iter().sum()
    }
}

/// How right one rule was.
#[derive(Debug, Default)]
pub(super) struct OfRule {
    pub(super) findings: u64,
    /// Findings that name an event of an attack.
    pub(super) by_event: u64,
    /// Findings that name no such event but a victim, at the time, in a related family.
    pub(super) by_time: u64,
    /// People of the directory whom findings of no attack name.
    pub(super) false_people: BTreeSet<String>,
    /// Victims that the rule found, by story.
    pub(super) victims: BTreeSet<(usize, String)>,
}

impl OfRule {
    pub(super) fn right(&self) -> u64 {
        self.by_event + self.by_time
    }
}

/// Victims of one story that nothing was found about.
#[derive(Debug)]
pub(super) struct Missed {
    pub(super) story: Story,
    pub(super) victims: u64,
    /// The fewest and the most events of the attack on one of them.
    pub(super) events: (u64, u64),
    pub(super) reason: String,
}

/// The stories a finding touches: by an event, and only by person and time.
struct Touched {
    by_event: BTreeSet<usize>,
    by_time: BTreeSet<usize>,
}

/// Judges every finding and every story.
pub(super) fn judge(lived: &Lived, truth: &Truth) -> Judged {
    let events: HashMap<u128, usize> = truth.events.iter().copied().collect();
    let mut of_person: HashMap<&str, Vec<usize>> = HashMap::new();
    for story in &truth.stories {
        for victim in &story.victims {
            of_person.entry(&victim.uid).or_default().push(story.id);
        }
    }
    let mut judged = Judged::default();
    for rule in &lived.rules {
        judged.rules.entry(rule.clone()).or_default();
    }
    // Per story and victim: the strongest finding, and whether one names an event.
    let mut best: HashMap<(usize, &str), (usize, bool)> = HashMap::new();
    // Per story: findings that carry its events without naming a victim of it.
    let mut astray: HashMap<usize, u64> = HashMap::new();
    for found in &lived.found {
        let touched = touched(found, truth, &events, &of_person);
        let rule = judged.rules.entry(found.rule.clone()).or_default();
        rule.findings += 1;
        if !touched.by_event.is_empty() {
            rule.by_event += 1;
        } else if !touched.by_time.is_empty() {
            rule.by_time += 1;
        } else if let Some(person) = &found.person {
            rule.false_people.insert(person.clone());
        }
        let stories = touched.by_event.iter().map(|story| (*story, true));
        for (story, by_event) in stories.chain(touched.by_time.iter().map(|story| (*story, false)))
        {
            let Some(victim) = victim_of(&truth.stories[story], found) else {
                *astray.entry(story).or_default() += 1;
                continue;
            };
            let entry = best.entry((story, victim)).or_insert((0, false));
            entry.0 = entry.0.max(strength(&found.level));
            entry.1 |= by_event;
            rule.victims.insert((story, victim.to_owned()));
        }
    }
    for story in &truth.stories {
        let kind = judged.kinds.entry(story.kind).or_default();
        kind.stories += 1;
        let mut missed = Vec::new();
        for victim in &story.victims {
            kind.victims += 1;
            match best.get(&(story.id, victim.uid.as_str())) {
                Some((strength, by_event)) => {
                    kind.found[*strength] += 1;
                    kind.by_event += u64::from(*by_event);
                }
                None => missed.push(victim),
            }
        }
        kind.stories_found += u64::from(missed.len() < story.victims.len());
        if !missed.is_empty() {
            let counts = || missed.iter().map(|victim| victim.events);
            judged.missed.push(Missed {
                victims: missed.len() as u64,
                events: (counts().min().unwrap_or(0), counts().max().unwrap_or(0)),
                reason: reason(story, &missed[0].uid, lived, astray.get(&story.id)),
                story: story.clone(),
            });
        }
    }
    judged
}

fn touched(
    found: &Found,
    truth: &Truth,
    events: &HashMap<u128, usize>,
    of_person: &HashMap<&str, Vec<usize>>,
) -> Touched {
    let by_event: BTreeSet<usize> = found
        .events
        .iter()
        .filter_map(|event| events.get(event).copied())
        .collect();
    let stories = found
        .person
        .as_deref()
        .and_then(|person| of_person.get(person));
    let by_time = stories
        .into_iter()
        .flatten()
        .copied()
        .filter(|story| !by_event.contains(story))
        .filter(|story| {
            let story = &truth.stories[*story];
            is_near(story, found) && is_related(story.kind, &found.family)
        })
        .collect();
    Touched { by_event, by_time }
}

/// Within a day of the story.
fn is_near(story: &Story, found: &Found) -> bool {
    let time = found.time.0;
    (story.start.0 - DAY_MILLIS..=story.end.0 + DAY_MILLIS).contains(&time)
}

fn victim_of<'t>(story: &'t Story, found: &Found) -> Option<&'t str> {
    let person = found.person.as_deref()?;
    let victim = story.victims.iter().find(|victim| victim.uid == person);
    victim.map(|victim| victim.uid.as_str())
}

/// Why nothing was found about a victim, as far as the findings tell.
fn reason(story: &Story, victim: &str, lived: &Lived, astray: Option<&u64>) -> String {
    let others: BTreeSet<&str> = lived
        .found
        .iter()
        .filter(|found| found.person.as_deref() == Some(victim) && is_near(story, found))
        .map(|found| found.rule.as_str())
        .collect();
    if let Some(findings) = astray {
        format!("{findings} findings on its events name nobody attacked")
    } else if others.is_empty() {
        "no rule speaks".to_owned()
    } else {
        let others: Vec<&str> = others.into_iter().collect();
        format!("at that time only {}", others.join(", "))
    }
}
