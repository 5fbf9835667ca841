//! Whatever records wait in, what is counted of them is refused or counted, and nothing panics.

use af_model::tables::attack_signals;

use super::*;
use crate::ErrorKind;
use crate::counter::Counter;
use crate::testing::{KEY, at, person, signal};

type Signal = attack_signals::Row<'static>;

fn cut() -> Cut {
    Cut {
        as_of: at("2026-11-20"),
        known_at: at("2026-11-20"),
    }
}

fn signals() -> Vec<Signal> {
    let emails = [
        "ana@acme.example",
        "bob@acme.example",
        "nobody@acme.example",
    ];
    let signal = |number: usize| {
        let mut signal = signal(&format!("s{}", number % 9), emails[number % 3]);
        signal.tenant_uid = ["acme", "other"][number % 2].into();
        signal.incident_uid = number.is_multiple_of(4).then(|| "i1".into());
        signal.level = ["low", "high", "severe"][number % 7 / 3].into();
        signal
    };
    (0..12).map(signal).collect()
}

fn people() -> PeopleIndex {
    let people = ["ana@acme.example", "bob@acme.example"];
    let people = people.map(|email| person(&email[..3], email));
    PeopleIndex::new(people.to_vec(), &KEY)
}

const ANY_DAY: RangeInclusive<UtcDay> = UtcDay(i32::MIN)..=UtcDay(i32::MAX);

#[test]
fn a_changed_byte_is_refused_or_counted() {
    let (people, retractions) = (people(), Retractions::default());
    let by_day = ByDay::new(&people, &retractions, cut(), &KEY);
    let mut buckets = [Records::default()];
    let batch = attack_signals::batch(&signals());
    assert_eq!(by_day.cut(&batch, &ANY_DAY, &mut buckets).unwrap(), 11);
    let days = by_day.finish();
    let mut written = Vec::new();
    buckets[0].write(&mut written).unwrap();
    let mut refused = 0;
    for place in 0..written.len() {
        for flipped in [1, 0x80, 0xff] {
            let mut changed = written.clone();
            changed[place] ^= flipped;
            let mut records = Records::default();
            // Nothing is reserved for a length that nobody can hold.
            if records.read(&mut changed.as_slice()).is_err() {
                refused += 1;
                continue;
            }
            let mut some = days.begin(None);
            match some.add(&records) {
                Ok(()) => {
                    some.count();
                }
                Err(Changed) => refused += 1,
            }
        }
    }
    assert!(refused > written.len() / 10, "{refused}");
}

#[test]
fn rows_without_a_day_are_accounted_for_at_the_end() {
    let (people, retractions) = (people(), Retractions::default());
    let by_day = ByDay::new(&people, &retractions, cut(), &KEY);
    let mut buckets = vec![Records::default(); 5];
    let batch = attack_signals::batch(&signals());
    by_day.cut(&batch, &ANY_DAY, &mut buckets).unwrap();
    let days = by_day.finish();
    let mut sum = days.rest();
    let quarantined = |counted: &Counted| {
        let accounts = counted.tenants.values().map(|counts| counts.account);
        accounts
            .inspect(|account| assert!(account.closes()))
            .map(|account| account.quarantined)
            .sum::<u64>()
    };
    assert_eq!(quarantined(&sum), 1);
    for records in &buckets {
        let mut some = days.begin(None);
        some.add(records).unwrap();
        let counted = some.count();
        assert_eq!(quarantined(&counted), 0);
        sum.absorb(counted);
    }
    let mut counter = Counter::new(&people, &retractions, cut(), &KEY);
    counter.push(&batch).unwrap();
    assert_eq!(sum, counter.finish());
}

#[test]
fn a_day_that_the_file_does_not_name_is_refused() {
    let (people, retractions) = (people(), Retractions::default());
    let by_day = ByDay::new(&people, &retractions, cut(), &KEY);
    let batch = attack_signals::batch(&signals());
    let day = at("2026-11-20").day();
    let mut buckets = [Records::default()];
    let other = UtcDay(day.0 - 1)..=UtcDay(day.0 - 1);
    let error = by_day.cut(&batch, &other, &mut buckets).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OtherDay);
    assert_eq!(buckets[0], Records::default());
    assert_eq!(by_day.cut(&batch, &(day..=day), &mut buckets), Ok(11));
}
