//! Putting an explanation together.

use std::collections::BTreeSet;

use af_model::FORMULA;
use af_model::manifest::Manifest;
use af_model::tables::{signal_attribution, user_scores};
use af_model::view::{Evidence, ExplainView, ExplainedFeed, ExplainedRule};

use super::evidence::{StoreEvidence, add_evidence};
use super::measure::Measure;
use super::rows::Rows;
use super::{blocks, outlook};
use crate::error::{Error, ErrorKind};
use crate::find::PersonKey;
use crate::snapshot::Snapshot;

/// Why one person has their score, being put together.
///
/// [`Explanation::of`] takes the score apart with nothing but a snapshot. [`Explanation::trace`] adds
/// the signals and events from a store, [`Explanation::tell_rules`] the rules' own words, and
/// [`Explanation::into_view`] hands over the result.
#[derive(Debug)]
pub struct Explanation {
    pub(super) view: ExplainView,
    pub(super) measure: Measure,
    rules_hash: Option<String>,
}

impl Explanation {
    /// Takes one person's score apart.
    ///
    /// Every figure is recomputed by the kernel from the snapshot's own counts and loads, and has to
    /// equal the published one; so nothing is explained that is not so. Costs the person's rows and
    /// the loads of the colleagues.
    ///
    /// # Errors
    /// [`Error`] when the snapshot cannot be read, a newer program or another formula made it
    /// ([`ErrorKind::Newer`]), or its tables contradict each other ([`ErrorKind::Broken`]).
    pub fn of(snapshot: &af_store::Snapshot, key: &PersonKey) -> Result<Self, Error> {
        let manifest = snapshot.manifest();
        let snapshot = Snapshot::of(snapshot);
        if manifest.formula != FORMULA {
            return Err(Error::new(
                &snapshot.file(&user_scores::TABLE),
                ErrorKind::Newer,
                format!("was scored with another formula than {FORMULA}"),
            ));
        }
        let rows = Rows::read(&snapshot, key)?;
        let as_of = manifest.as_of.day();
        let broken =
            |table, problem: String| Error::new(&snapshot.file(table), ErrorKind::Broken, problem);
        let measure = Measure::of(&rows, as_of, &manifest.params)
            .map_err(|problem| broken(&user_scores::TABLE, problem))?;
        let blocks = blocks::blocks(&measure, &rows, as_of)
            .map_err(|problem| broken(&signal_attribution::TABLE, problem))?;
        let components = blocks::components(&rows, &blocks);
        let outlook = outlook::outlook(&measure, as_of, &manifest.params);
        let mut notes = Vec::new();
        if !rows.person.in_population {
            notes.push(
                "not part of the population (left, suspended or not yet active): scored as if \
                 among the colleagues, not ranked"
                    .to_owned(),
            );
        }
        let view = ExplainView {
            snapshot: snapshot.name(),
            as_of: manifest.as_of,
            known_at: manifest.known_at,
            formula: manifest.formula.clone(),
            parameters: manifest.params.clone(),
            feeds: feeds(manifest, &key.tenant_uid),
            person: rows.person,
            score: rows.score,
            components,
            blocks,
            rules: Vec::new(),
            retracted: Vec::new(),
            outlook,
            evidence: Evidence::default(),
            notes,
        };
        Ok(Self {
            view,
            measure,
            rules_hash: manifest.rules_hash.clone(),
        })
    }

    /// Adds what the store holds of the person: the signals of every incident, the events behind
    /// them, and what was taken back. Reads only the days concerned; where something was retracted,
    /// the whole window, because nothing tells the day of a retracted signal.
    ///
    /// What the store holds no longer (it was purged, or other rules found other signals since) is
    /// counted in [`Evidence`] and said in a note; figures never change.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn trace(&mut self, evidence: &StoreEvidence<'_>) -> Result<(), af_store::Error> {
        add_evidence(self, evidence)
    }

    /// Adds the words of every rule that is named. `words` gives a rule by id, `hash` names the
    /// whole set; a set other than the snapshot's is noted.
    pub fn tell_rules(&mut self, hash: &str, words: impl Fn(&str) -> Option<ExplainedRule>) {
        let view = &mut self.view;
        let mut ids: BTreeSet<String> = BTreeSet::new();
        for block in &view.blocks {
            ids.extend(block.rule_ids.iter().cloned());
            let incidents = block.incidents.iter();
            let signals = incidents.flat_map(|incident| &incident.signals);
            ids.extend(signals.map(|signal| signal.rule_id.clone()));
        }
        ids.extend(view.retracted.iter().map(|signal| signal.rule_id.clone()));
        view.rules = ids
            .into_iter()
            .map(|rule_id| {
                words(&rule_id).unwrap_or(ExplainedRule {
                    rule_id,
                    ..ExplainedRule::default()
                })
            })
            .collect();
        if self.rules_hash.as_deref().is_some_and(|own| own != hash) && !view.rules.is_empty() {
            view.notes.push(
                "the rules loaded now are not those that made the snapshot; their words may have \
                 changed"
                    .to_owned(),
            );
        }
    }

    /// The explanation.
    pub fn into_view(self) -> ExplainView {
        self.view
    }
}

fn feeds(manifest: &Manifest, tenant: &str) -> Vec<ExplainedFeed> {
    let feeds = manifest.tenants.get(tenant).map(|entry| &entry.feeds);
    feeds
        .into_iter()
        .flatten()
        .map(|(component, feed)| ExplainedFeed {
            component: component.clone(),
            integrations: feed.integrations.clone(),
            first: feed.first,
            last: feed.last,
            scored: feed.scored,
        })
        .collect()
}
