//! Explanations of random stores: shares add up, and every "what if" is what scoring again gives.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use af_engine::Silent;
use af_engine::people::people_at;
use af_engine::pipeline::{RunFacts, ScoreReport, StoreJob, score_store};
use af_engine::tally::{AskedCut, Cut};
use af_engine::whose::Whose;
use af_model::tables::{attack_signals, directory, retractions};
use af_model::view::ExplainView;
use af_model::{Level, UtcDay, UtcMillis};
use af_query::{Explanation, PersonKey, StoreEvidence, TopQuery, top};
use af_report::{Detail, Format, render_explain};
use af_rules::RuleSet;
use af_store::{Partitioned, Snapshot, Store, sorted_batch};
use af_testkit::generate;
use af_testkit::oracle::{OracleInput, OracleSignal};
use proptest::prelude::*;

static RULES: LazyLock<RuleSet> =
    LazyLock::new(|| RuleSet::load(af_rules::shipped().into_iter()).unwrap());

/// People explained of one organization and population: the most attacked, and some who are not.
const EXPLAINED: usize = 6;

/// A store with an organization in it.
struct Sample<'i> {
    input: &'i OracleInput,
    store: Store,
    _folder: tempfile::TempDir,
}

impl<'i> Sample<'i> {
    fn of(input: &'i OracleInput) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("s")).unwrap();
        let lock = store.lock().unwrap();
        store.hash_key(&lock, || *input.key.as_bytes()).unwrap();
        let mut days: BTreeMap<UtcDay, Vec<attack_signals::Row<'_>>> = BTreeMap::new();
        for signal in &input.signals {
            // Files of a store are cut into days that calendars know.
            if UtcMillis::checked(signal.time.0).is_ok() {
                let rows = days.entry(signal.time.day()).or_default();
                rows.push(OracleSignal::row(signal));
            }
        }
        for (day, rows) in days {
            let batch = attack_signals::batch(&rows);
            let sorted = sorted_batch(&batch, &attack_signals::TABLE).unwrap();
            store
                .add_day_stream(&lock, Partitioned::Signals, day, [Ok(sorted)])
                .unwrap();
        }
        let people = directory::batch(&input.people);
        let people = sorted_batch(&people, &directory::TABLE).unwrap();
        store.add_directory(&lock, UtcMillis(0), [people]).unwrap();
        drop(lock);
        let sample = Self {
            input,
            store,
            _folder: folder,
        };
        sample.retract(&input.retractions);
        sample
    }

    fn retract(&self, rows: &[retractions::Row]) {
        let lock = self.store.lock().unwrap();
        let batch = retractions::batch(rows);
        let sorted = sorted_batch(&batch, &retractions::TABLE).unwrap();
        self.store.add_retractions(&lock, [sorted]).unwrap();
    }

    fn score(&self) -> ScoreReport {
        let lock = self.store.lock().unwrap();
        let job = StoreJob {
            store: &self.store,
            lock: &lock,
            key: &self.input.key,
            rules: &RULES,
        };
        let asked = AskedCut {
            as_of: Some(self.input.as_of),
            known_at: Some(self.input.known_at),
        };
        let run = RunFacts {
            program: "test".to_owned(),
            started_at: UtcMillis(0),
        };
        score_store(&job, &self.input.params, asked, &run, &Silent).unwrap()
    }

    /// With everything the store holds, or from the snapshot alone.
    fn explain(&self, report: &ScoreReport, person: &PersonKey, traced: bool) -> ExplainView {
        let snapshot = Snapshot::open(&report.snapshot).unwrap();
        let mut explanation = Explanation::of(&snapshot, person).unwrap();
        if traced {
            let cut = Cut {
                as_of: self.input.as_of,
                known_at: self.input.known_at,
            };
            let people = people_at(&self.store, cut.known_at).unwrap().0;
            let key = Some(&self.input.key);
            let whose = Whose::new(&people, &person.tenant_uid, cut, key);
            let evidence = StoreEvidence {
                store: &self.store,
                is_theirs: &|signal| whose.is_of(&person.user_uid, signal),
            };
            explanation.trace(&evidence).unwrap();
        }
        explanation.tell_rules(&RULES.hash().to_string(), |_| None);
        explanation.into_view()
    }
}

/// The most attacked of both populations.
fn people(report: &ScoreReport) -> Vec<PersonKey> {
    let mut everybody = Vec::new();
    for population in [af_model::Population::Human, af_model::Population::Service] {
        let query = TopQuery {
            limit: EXPLAINED,
            population,
            include_outside: true,
            ..TopQuery::default()
        };
        let people = top(&report.snapshot, &query).unwrap().people;
        everybody.extend(people.into_iter().map(|person| PersonKey {
            tenant_uid: person.tenant_uid,
            user_uid: person.user_uid,
            email: person.email,
        }));
    }
    everybody
}

fn check(view: &ExplainView) -> Result<(), TestCaseError> {
    let score = view.score.score_micro;
    let sum: i64 = view.blocks.iter().map(|b| b.score_share_micro).sum();
    prop_assert_eq!(sum, score);
    let sum: i64 = view.components.iter().map(|c| c.score_share_micro).sum();
    prop_assert_eq!(sum, score);
    for block in &view.blocks {
        if block.incidents_unlisted == 0 {
            let sum: i64 = block.incidents.iter().map(|i| i.score_share_micro).sum();
            prop_assert_eq!(sum, block.score_share_micro);
        }
    }
    let mut page = Vec::new();
    render_explain(view, Format::Table, Detail::All, None, &mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    prop_assert!(
        !page.contains(|c: char| c.is_control() && c != '\n'),
        "{:?}",
        page
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn shares_add_up_and_without_is_what_a_retraction_gives(
        input in generate::organizations(),
        choice in any::<prop::sample::Index>(),
    ) {
        let sample = Sample::of(&input);
        let report = sample.score();
        let mut candidates = Vec::new();
        for person in people(&report) {
            let alone = sample.explain(&report, &person, false);
            check(&alone)?;
            let view = sample.explain(&report, &person, true);
            check(&view)?;
            // Nothing that the snapshot alone says is different with a store.
            prop_assert_eq!(&alone.score, &view.score);
            prop_assert_eq!(&alone.outlook, &view.outlook);
            for block in view.blocks {
                for incident in block.incidents {
                    for signal in incident.signals {
                        candidates.push((person.clone(), signal));
                    }
                }
            }
        }
        // A retraction takes back every signal of an id, and on another day that is another signal.
        candidates.retain(|(person, signal)| {
            let of_id = input.signals.iter().filter(|other| {
                other.tenant_uid == person.tenant_uid && other.signal_uid == signal.signal_uid
            });
            let signals: BTreeSet<_> =
                of_id.map(|other| (&other.source, other.time.day())).collect();
            signals.len() == 1
        });
        if candidates.is_empty() {
            return Ok(());
        }
        let (person, signal) = choice.get(&candidates);
        sample.retract(&[retractions::Row {
            tenant_uid: person.tenant_uid.clone(),
            target_kind: "signal".to_owned(),
            target_uid: signal.signal_uid.clone(),
            action: "retract".to_owned(),
            ingested_at: input.known_at,
            reason: None,
            by: None,
        }]);
        let after = sample.score();
        let view = sample.explain(&after, person, true);
        prop_assert_eq!(view.score.score_micro, signal.score_without_micro, "{:?}", signal);
        prop_assert!(view.retracted.iter().any(|gone| gone.signal_uid == signal.signal_uid));
    }
}

/// One person with far more blocks and incidents than a snapshot names.
#[test]
fn a_store_opens_what_the_snapshot_sums_up() {
    let as_of = UtcMillis::parse_cut("2026-11-20").unwrap();
    let mut input = generate::organization(
        1,
        generate::Size {
            people: 1,
            signals: 0,
        },
    );
    input.people = vec![generate::person("acme", "u1", "ana@example.com")];
    (input.as_of, input.known_at) = (as_of, as_of);
    let mut add = |n: usize, days: i32, level: Level| {
        let time = UtcMillis(UtcDay(as_of.day().0 - days).start().0 + i64::try_from(n).unwrap());
        let mut signal = OracleSignal::new("acme", &format!("s{n:03}"), time);
        signal.subject_email = Some("ANA@example.com".to_owned());
        signal.component = "identity".to_owned();
        signal.family = "other".to_owned();
        signal.level = level.to_string();
        signal.rule_id = format!("rule.{}", n % 3);
        input.signals.push(signal);
    };
    for n in 0..60 {
        add(n, i32::try_from(n).unwrap(), Level::Low);
    }
    for n in 60..85 {
        add(n, 0, Level::High);
    }
    let sample = Sample::of(&input);
    let report = sample.score();
    let person = &people(&report)[0];

    let alone = sample.explain(&report, person, false);
    check(&alone).unwrap();
    assert_eq!(alone.blocks.len(), 61);
    assert_eq!(alone.blocks.iter().filter(|b| b.in_rest).count(), 11);
    let unlisted = |view: &ExplainView| -> i64 {
        view.blocks
            .iter()
            .map(|block| block.incidents_unlisted)
            .sum()
    };
    assert_eq!(unlisted(&alone), 5 + 11);

    let view = sample.explain(&report, person, true);
    check(&view).unwrap();
    assert_eq!(unlisted(&view), 0);
    assert_eq!(view.evidence.signals, 85);
    assert_eq!(view.evidence.incidents_missing, 0);
    assert!(view.blocks.iter().all(|block| !block.rule_ids.is_empty()));
    assert_eq!(view.notes, Vec::<String>::new());
}
