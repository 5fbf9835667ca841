//! What holds for any signals and any people, against the public API alone.

mod naive;
mod random;

use std::collections::BTreeMap;

use af_count::{
    ByDay, Counted, Counter, Cut, Error, Partition, PeopleIndex, Records, Retractions,
    TenantCounts, bucket_counts, unmatched_signals,
};
use af_model::tables::{attack_signals, bucket_counts as table};
use af_model::{Person, UtcDay, UtcMillis};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

use random::{AS_OF, KEY, Sample, Signal, sample};

fn cut() -> Cut {
    Cut {
        as_of: AS_OF,
        known_at: AS_OF,
    }
}

/// Counts with the signals cut into batches of `batch` rows.
fn count_cut(people: &PeopleIndex, sample: &Sample, batch: usize) -> Counted {
    let retractions = Retractions::new(&sample.retractions, AS_OF);
    let mut counter = Counter::new(people, &retractions, cut(), &KEY);
    for signals in sample.signals.chunks(batch) {
        let pushed = counter.push(&attack_signals::batch(signals));
        pushed.expect("the sample has every column");
    }
    counter.finish()
}

fn index(people: &[Person]) -> PeopleIndex {
    PeopleIndex::new(people.to_vec(), &KEY)
}

fn count(sample: &Sample) -> Counted {
    count_cut(&index(&sample.people), sample, 1000)
}

fn config() -> ProptestConfig {
    let regressions = FileFailurePersistence::Direct("tests/properties.proptest-regressions");
    ProptestConfig {
        failure_persistence: Some(Box::new(regressions)),
        ..ProptestConfig::with_cases(256)
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn order_and_cuts_and_threads_make_no_difference(
        (sample, shuffled) in sample().prop_flat_map(|sample| {
            let shuffled = Just(sample.signals.clone()).prop_shuffle();
            (Just(sample), shuffled)
        }),
        batch in 1_usize..20,
        threads in 1_usize..5,
    ) {
        let expected = count(&sample);
        let mut people = sample.people.clone();
        people.reverse();
        let shuffled = Sample { signals: shuffled, people, ..sample };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a small pool");
        let counted = pool.install(|| count_cut(&index(&shuffled.people), &shuffled, batch));
        prop_assert_eq!(counted, expected);
    }

    #[test]
    fn repeated_rows_are_duplicates_and_nothing_else(
        sample in sample(),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        prop_assume!(!sample.signals.is_empty());
        let once = count(&sample);
        let mut repeated = sample.clone();
        for pick in picks {
            repeated.signals.push(pick.get(&sample.signals).clone());
        }
        let more = count(&repeated);
        prop_assert_eq!(tables(&sample), tables(&repeated));
        for (tenant_uid, counts) in &more.tenants {
            let before = &once.tenants[tenant_uid];
            prop_assert_eq!(&counts.blocks, &before.blocks);
            prop_assert_eq!(&counts.feeds, &before.feeds);
            let mut account = counts.account;
            let added = account.signals_read - before.account.signals_read;
            account.signals_read -= added;
            let quarantined = account.quarantined - before.account.quarantined;
            account.quarantined -= quarantined;
            let unknown = account.not_yet_known - before.account.not_yet_known;
            account.not_yet_known -= unknown;
            account.duplicate -= added - quarantined - unknown;
            prop_assert_eq!(account, before.account);
        }
    }

    #[test]
    fn a_naive_count_says_the_same(sample in sample().prop_map(decidable), batch in 1_usize..20) {
        let (index, people) = PeopleIndex::with_people(sample.people.clone(), &KEY);
        let counted = count_cut(&index, &sample, batch);
        prop_assert_eq!(naive::figures_of(&counted, &people), naive::count(&sample));
    }

    #[test]
    fn days_counted_apart_add_up(sample in sample(), batch in 1_usize..20) {
        let people = index(&sample.people);
        let retractions = Retractions::new(&sample.retractions, AS_OF);
        let mut days: BTreeMap<UtcDay, Vec<Signal>> = BTreeMap::new();
        for signal in &sample.signals {
            // A row without a day may lie anywhere.
            let day = UtcMillis::checked(signal.time.0).map_or(AS_OF.day(), UtcMillis::day);
            days.entry(day).or_default().push(signal.clone());
        }
        let mut sum = Counted::default();
        for (day, mut signals) in days {
            signals.sort_by(|left, right| left.tenant_uid.cmp(&right.tenant_uid));
            let mut partition = Partition::new(&people, &retractions, cut(), &KEY, day);
            let mut take = |counted| {
                sum.absorb(counted);
                Ok::<(), Error>(())
            };
            for signals in signals.chunks(batch) {
                let pushed = partition.push(&attack_signals::batch(signals), &mut take);
                pushed.expect("sorted rows of one day");
            }
            partition.finish(&mut take).expect("everything is taken");
        }
        sum.sort();
        prop_assert_eq!(sum, count(&sample));
    }

    #[test]
    fn cut_by_day_nothing_is_lost_and_no_day_is_cut(
        sample in sample(),
        batch in 1_usize..20,
        buckets in 1_usize..130,
        shares in 1_usize..4,
    ) {
        let people = index(&sample.people);
        let retractions = Retractions::new(&sample.retractions, AS_OF);
        let by_day = ByDay::new(&people, &retractions, cut(), &KEY);
        let any_day = UtcDay(i32::MIN)..=UtcDay(i32::MAX);
        let mut waiting = vec![Vec::new(); buckets];
        for signals in sample.signals.chunks(batch) {
            let mut records = vec![Records::default(); buckets];
            let cut = by_day.cut(&attack_signals::batch(signals), &any_day, &mut records);
            let rows: usize = records.iter().map(Records::rows).sum();
            prop_assert_eq!(cut, Ok(rows));
            for (records, waiting) in records.iter().zip(&mut waiting) {
                records.write(waiting).expect("memory takes all");
            }
        }
        let days = by_day.finish();
        let mut sum = days.rest();
        let mut seen: BTreeMap<UtcDay, usize> = BTreeMap::new();
        for (bucket, waiting) in waiting.iter().enumerate() {
            let mut of_tenants: BTreeMap<String, usize> = BTreeMap::new();
            for share in 0..shares {
                let mut some = days.begin((shares > 1).then_some((share, shares)));
                let (mut from, mut records) = (waiting.as_slice(), Records::default());
                while records.read(&mut from).expect("it was written") {
                    some.add(&records).expect("it was cut");
                }
                let counted = some.count();
                for (tenant, counts) in &counted.tenants {
                    prop_assert_eq!(*of_tenants.entry(tenant.clone()).or_insert(share), share);
                    for block in &counts.blocks {
                        prop_assert_eq!(*seen.entry(block.day).or_insert(bucket), bucket);
                    }
                }
                sum.absorb(counted);
            }
        }
        sum.sort();
        prop_assert_eq!(sum, count(&sample));
    }

    #[test]
    fn every_account_closes(sample in sample()) {
        let counted = count(&sample);
        let mut read = 0;
        for counts in counted.tenants.values() {
            prop_assert!(counts.account.closes(), "{:?}", counts.account);
            read += counts.account.signals_read;
            let blocks: u64 = counts.blocks.iter().map(|block| block.n).sum();
            prop_assert_eq!(blocks, counts.account.scored);
            let feeds: u64 = counts.feeds.values().map(|feed| feed.scored).sum();
            prop_assert_eq!(feeds, counts.account.scored);
            let unmatched: u64 = counts.unmatched.iter().map(|line| line.n).sum();
            prop_assert_eq!(unmatched, counts.account.unmatched);
            prop_assert!(counts.conflicts <= counts.account.duplicate);
        }
        prop_assert_eq!(read, sample.signals.len() as u64);
    }

    #[test]
    fn blocks_and_lines_are_sorted_and_distinct(sample in sample()) {
        for counts in count(&sample).tenants.values() {
            let block = |block: &af_count::CountedBlock| {
                (block.person, block.component.to_string(), block.family.to_string(), block.day, block.level.slot())
            };
            prop_assert!(counts.blocks.is_sorted_by(|left, right| block(left) < block(right)));
            for block in &counts.blocks {
                prop_assert!(block.first_time <= block.last_time);
                prop_assert_eq!(block.first_time.day(), block.day);
                prop_assert_eq!(block.last_time.day(), block.day);
                prop_assert_eq!(block.signal_uids.count() as u64, block.n.min(20));
                prop_assert!(block.signal_uids.iter().is_sorted());
                prop_assert!(block.rule_ids.is_sorted_by(|left, right| left < right));
            }
            let line = |line: &af_count::Unmatched| {
                (line.reason.as_str(), line.source.to_string(), line.day, line.component.to_string(),
                 line.family.to_string(), line.level.as_str(), line.rule_id.to_string(), line.subject_hash.clone())
            };
            prop_assert!(counts.unmatched.is_sorted_by(|left, right| line(left) < line(right)));
        }
    }

    #[test]
    fn renaming_people_renames_rows_and_nothing_else(sample in sample().prop_map(distinct)) {
        // The new names keep the order of the old ones, so that rows keep their places.
        let renamed = Sample {
            people: sample.people.iter().cloned().map(|mut person| {
                person.user_uid = format!("renamed-{}", person.user_uid);
                person
            }).collect(),
            signals: sample.signals.iter().cloned().map(|mut signal| {
                if let Some(uid) = &signal.subject_uid {
                    signal.subject_uid = Some(format!("renamed-{uid}").into());
                }
                if let Some(uid) = signal.subject_ref.as_ref().and_then(|subject| subject.strip_prefix("uid:")) {
                    signal.subject_ref = Some(format!("uid:renamed-{uid}").into());
                }
                signal
            }).collect(),
            ..sample.clone()
        };
        let (before, after) = (index(&sample.people), index(&renamed.people));
        let (old, new) = (count(&sample), count(&renamed));
        prop_assert_eq!(old.tenants.len(), new.tenants.len());
        for (tenant_uid, counts) in &old.tenants {
            let other = &new.tenants[tenant_uid];
            prop_assert_eq!(counts.account, other.account);
            let mut rows = buckets(tenant_uid, counts, &before);
            for row in &mut rows {
                row.user_uid = format!("renamed-{}", row.user_uid);
            }
            prop_assert_eq!(rows, buckets(tenant_uid, other, &after));
        }
    }

    #[test]
    fn another_tenants_signals_leave_mine_alone(sample in sample()) {
        let mine = Sample {
            signals: sample.signals.iter().filter(|signal| signal.tenant_uid == "acme").cloned().collect(),
            ..sample.clone()
        };
        let (all, alone) = (count(&sample), count(&mine));
        prop_assert_eq!(all.tenants.get("acme"), alone.tenants.get("acme"));
    }

    #[test]
    fn later_knowledge_changes_no_earlier_snapshot(
        sample in sample(),
        later in prop::collection::vec(random::signal(), 0..20),
    ) {
        let mut grown = sample.clone();
        for mut signal in later {
            // Known one to many milliseconds after known_at; time fits, so that it is not quarantined.
            signal.ingested_at = Some(UtcMillis(AS_OF.0 + 1 + signal.time.0.rem_euclid(1000)));
            grown.signals.push(signal);
        }
        prop_assert_eq!(tables(&sample), tables(&grown));
    }

    #[test]
    fn counts_of_whole_days_add_up_to_the_whole(sample in sample().prop_map(distinct)) {
        let people = index(&sample.people);
        let rows = |sample: &Sample| {
            let counted = count(sample);
            let mut rows = Vec::new();
            for (tenant_uid, counts) in &counted.tenants {
                rows.extend(buckets(tenant_uid, counts, &people));
            }
            rows
        };
        let whole = rows(&sample);
        let mut parts = Vec::new();
        for parity in 0..2 {
            let signals = sample.signals.iter().filter(|signal| signal.time.day().0.rem_euclid(2) == parity);
            parts.extend(rows(&Sample { signals: signals.cloned().collect(), ..sample.clone() }));
        }
        parts.sort_by_key(bucket_key);
        prop_assert_eq!(parts, whole);
    }

    #[test]
    fn a_person_split_into_aliases_and_joined_again_is_the_same(
        sample in sample().prop_map(distinct),
        splits in prop::collection::vec(0_u8..4, 60),
    ) {
        // Every signal on ana calls her by one of four keys of hers; before, all by her user id.
        let one_name = Sample {
            signals: sample.signals.iter().cloned().map(|signal| named(signal, 0)).collect(),
            ..sample.clone()
        };
        let many_names = Sample {
            signals: sample.signals.iter().cloned().enumerate()
                .map(|(number, signal)| named(signal, splits[number % splits.len()])).collect(),
            ..sample
        };
        let (one, many) = (count(&one_name), count(&many_names));
        prop_assert_eq!(one.tenants.keys().collect::<Vec<_>>(), many.tenants.keys().collect::<Vec<_>>());
        for (tenant_uid, counts) in &one.tenants {
            prop_assert_eq!(&counts.blocks, &many.tenants[tenant_uid].blocks);
        }
    }

    #[test]
    fn any_text_anywhere_is_counted_or_refused_but_never_panics(
        texts in prop::collection::vec(prop::option::of("\\PC{0,12}|h:[0-9a-f]{32}|uid:|login: "), 15),
        time in any::<i64>(),
        ingested_at in any::<Option<i64>>(),
    ) {
        let mut texts = texts.into_iter();
        let mut optional = || texts.next().flatten().map(Into::into);
        let signal = Signal {
            subject_ref: optional(), subject_uid: optional(), subject_login: optional(), subject_email: optional(),
            rule_version: optional(), incident_uid: optional(), integration: optional(),
            tenant_uid: optional().unwrap_or_default(), signal_uid: optional().unwrap_or_default(),
            component: optional().unwrap_or_default(), family: optional().unwrap_or_default(),
            level: optional().unwrap_or_default(), rule_id: optional().unwrap_or_default(),
            source: optional().unwrap_or_default(),
            time: UtcMillis(time), ingested_at: ingested_at.map(UtcMillis),
            event_uids: optional().map(|text| vec![text]), attack_techniques: None,
        };
        let sample = Sample { signals: vec![signal], people: vec![], retractions: vec![] };
        let counted = count(&sample);
        let read: u64 = counted.tenants.values().map(|counts| counts.account.signals_read).sum();
        prop_assert_eq!(read, 1);
    }
}

/// Gives every signal an id of its own. Which of several conflicting copies of one instant is kept
/// goes by a hash of their content, names and all, so a property that changes names or separates
/// copies holds only without them.
fn distinct(mut sample: Sample) -> Sample {
    for (number, signal) in sample.signals.iter_mut().enumerate() {
        signal.signal_uid = format!("s{number}").into();
    }
    sample
}

/// Takes out what the naive count cannot decide: conflicting copies of one instant, and people
/// imported twice.
fn decidable(mut sample: Sample) -> Sample {
    let mut signals: Vec<Signal> = Vec::new();
    for signal in sample.signals {
        let is_tied = signals.iter().any(|other| {
            *other != signal
                && (
                    &other.tenant_uid,
                    &other.source,
                    &other.signal_uid,
                    other.ingested_at,
                ) == (
                    &signal.tenant_uid,
                    &signal.source,
                    &signal.signal_uid,
                    signal.ingested_at,
                )
        });
        if !is_tied {
            signals.push(signal);
        }
    }
    sample.signals = signals;
    let mut people: Vec<Person> = Vec::new();
    for person in sample.people {
        let is_known = people.iter().any(|other| {
            (&other.tenant_uid, &other.user_uid) == (&person.tenant_uid, &person.user_uid)
        });
        if !is_known {
            people.push(person);
        }
    }
    sample.people = people;
    sample
}

/// A property that never meets a case proves nothing.
#[test]
fn the_samples_reach_every_part_of_the_account() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut reached = std::collections::BTreeMap::new();
    for _ in 0..256 {
        let sample = decidable(sample().new_tree(&mut runner).unwrap().current());
        for counts in count(&sample).tenants.values() {
            for (part, n) in counts.account.parts() {
                *reached.entry(part).or_insert(0) += n;
            }
            *reached.entry("conflict").or_insert(0) += counts.conflicts;
            for line in &counts.unmatched {
                *reached.entry(line.reason.as_str()).or_insert(0) += line.n;
            }
        }
    }
    assert_eq!(reached.len(), 9 + 1 + 4);
    for (part, n) in reached {
        assert!(n >= 20, "only {n} signals of 256 samples are {part}");
    }
}

fn bucket_key(row: &af_model::tables::bucket_counts::Row) -> (String, String, String, String, i32) {
    (
        row.tenant_uid.clone(),
        row.user_uid.clone(),
        row.component.clone(),
        row.family.clone(),
        row.day.0,
    )
}

/// The rows of one tenant.
fn buckets(tenant_uid: &str, counts: &TenantCounts, people: &PeopleIndex) -> Vec<table::Row> {
    let rows = table::rows(&bucket_counts([(tenant_uid, counts)], None, people));
    rows.expect("what was counted keeps the contract")
}

/// Everything a snapshot takes from the count, without tenants that have no row in it.
fn tables(sample: &Sample) -> String {
    let people = index(&sample.people);
    let counted = count(sample);
    let rows: Vec<_> = counted
        .tenants
        .iter()
        .map(|(tenant_uid, counts)| {
            (
                buckets(tenant_uid, counts, &people),
                unmatched_signals(tenant_uid, counts, cut()),
            )
        })
        .filter(|(buckets, unmatched)| !buckets.is_empty() || !unmatched.is_empty())
        .collect();
    format!("{rows:?}")
}

/// Rewrites a signal on ana to call her by one of her keys; leaves all others alone.
fn named(mut signal: Signal, name: u8) -> Signal {
    if signal.tenant_uid != "acme" {
        return signal;
    }
    signal.subject_ref = None;
    signal.subject_uid = None;
    signal.subject_login = None;
    signal.subject_email = None;
    match name {
        0 => signal.subject_uid = Some(random::ANA.into()),
        1 => signal.subject_login = Some("ANA.Login".into()),
        2 => signal.subject_email = Some("ana@acme.example ".into()),
        _ => {
            let hashed = af_model::key::SubjectRef::hashed(&KEY, "acme", "ana.alias");
            signal.subject_ref = Some(hashed.to_string().into());
        }
    }
    signal
}
