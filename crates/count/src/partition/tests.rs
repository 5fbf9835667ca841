//! Pieces add up to what a counter says, and rows that are not the next ones are refused.

use af_model::tables::attack_signals;

use super::*;
use crate::ErrorKind;
use crate::counter::Counter;
use crate::testing::{KEY, at, signal};

type Signal = attack_signals::Row<'static>;

const PEOPLE: [&str; 4] = ["ana", "bob", "eve", "zoe"];

fn cut() -> Cut {
    Cut {
        as_of: at("2026-11-20"),
        known_at: at("2026-11-20"),
    }
}

fn people() -> PeopleIndex {
    let of = |tenant: &'static str| {
        PEOPLE.map(|uid| af_model::Person::new(tenant, uid, &format!("{uid}@acme.example")))
    };
    PeopleIndex::new([of("acme"), of("other")].concat(), &KEY)
}

fn of(tenant: &'static str, uid: &str) -> Signal {
    let mut signal = signal(uid, "ana@acme.example");
    signal.tenant_uid = tenant.into();
    signal
}

/// Tenants in order; duplicates, incidents, signals of nobody and rows that are refused among their signals.
fn signals() -> Vec<Signal> {
    let tenants = ["acme", "empty", "other", "zeta"]
        .into_iter()
        .zip([70, 1, 30, 5]);
    let of_tenant = |(tenant, rows): (&'static str, usize)| {
        (0..rows).map(move |number| {
            let mut signal = of(tenant, &format!("s{}", number % 61));
            let name = ["ana", "nobody", "zoe", "bob", "eve"][number % 5];
            signal.subject_email = Some(format!("{name}@acme.example").into());
            signal.family = ["phishing", "malware"][number / 3 % 2].into();
            signal.component = ["email", "cloud"][number / 7 % 2].into();
            signal.level = ["low", "high", "severe", "critical"][number % 11 % 4].into();
            signal.incident_uid = number.is_multiple_of(4).then(|| "i1".into());
            signal
        })
    };
    tenants.flat_map(of_tenant).collect()
}

/// All pieces in their order.
fn pieces(signals: &[Signal], batch: usize, told_at_once: usize) -> Vec<Counted> {
    let (people, retractions) = (people(), Retractions::default());
    let day = at("2026-11-20").day();
    let mut partition = Partition {
        told_at_once,
        ..Partition::new(&people, &retractions, cut(), &KEY, day)
    };
    let mut pieces = Vec::new();
    let mut take = |counted| {
        pieces.push(counted);
        Ok::<(), Error>(())
    };
    for signals in signals.chunks(batch) {
        let batch = attack_signals::batch(signals);
        partition.push(&batch, &mut take).unwrap();
    }
    partition.finish(&mut take).unwrap();
    pieces
}

#[test]
fn pieces_are_in_order_of_bounded_size_and_all_that_a_counter_says() {
    let (signals, people, retractions) = (signals(), people(), Retractions::default());
    let mut counter = Counter::new(&people, &retractions, cut(), &KEY);
    counter.push(&attack_signals::batch(&signals)).unwrap();
    let expected = counter.finish();
    let all = expected.tenants.values();
    assert!(all.clone().any(|counts| counts.account.collapsed > 0));
    assert!(all.clone().any(|counts| counts.account.quarantined > 0));
    assert!(all.clone().any(|counts| !counts.unmatched.is_empty()));
    let most_of_one = 2 * 2 * 4;
    for batch in [1, 3, 40, 1000] {
        for told_at_once in [1, 2, 5, 20, usize::MAX] {
            let pieces = pieces(&signals, batch, told_at_once);
            let mut sum = Counted::default();
            let mut blocks = Vec::new();
            for piece in pieces {
                let told = piece.tenants.values().map(|counts| counts.blocks.len());
                assert!(
                    told.sum::<usize>()
                        < told_at_once.saturating_mul(2).saturating_add(most_of_one)
                );
                for (tenant, counts) in &piece.tenants {
                    let of_tenant = counts.blocks.iter();
                    blocks.extend(of_tenant.map(|block| (tenant.clone(), block.clone())));
                }
                sum.absorb(piece);
            }
            // What comes last is nobody's: sums are in order without being sorted.
            assert_eq!(sum, expected, "{batch} {told_at_once}");
            let expected = expected.tenants.iter();
            let expected = expected.flat_map(|(tenant, counts)| {
                let of_tenant = counts.blocks.iter();
                of_tenant.map(|block| (tenant.clone(), block.clone()))
            });
            assert!(blocks.into_iter().eq(expected), "{batch} {told_at_once}");
        }
    }
}

#[test]
fn a_large_tenant_comes_in_several_pieces_and_small_ones_together() {
    let of_acme = |told_at_once| {
        let pieces = pieces(&signals(), 1000, told_at_once);
        let with_blocks = |piece: &&Counted| {
            let acme = piece.tenants.get("acme");
            acme.is_some_and(|counts| !counts.blocks.is_empty())
        };
        (pieces.iter().filter(with_blocks).count(), pieces.len())
    };
    let (of_acme_alone, all) = of_acme(1);
    assert_eq!(of_acme_alone, PEOPLE.len());
    assert!(all > of_acme_alone);
    // The tenants that end in the batch, the one that may go on, and the rest.
    assert_eq!(of_acme(usize::MAX), (1, 3));
}

#[test]
fn who_cannot_take_more_is_told_nothing_more() {
    let (people, retractions) = (people(), Retractions::default());
    let day = at("2026-11-20").day();
    let mut partition = Partition {
        told_at_once: 1,
        ..Partition::new(&people, &retractions, cut(), &KEY, day)
    };
    let mut taken = 0;
    let pushed = partition.push(&attack_signals::batch(&signals()), |_| {
        taken += 1;
        if taken < 3 {
            Ok(())
        } else {
            Err(Error::unsorted())
        }
    });
    assert_eq!(pushed.unwrap_err().kind(), ErrorKind::Unsorted);
    assert_eq!(taken, 3);
}

#[test]
fn other_days_and_rows_out_of_order_are_refused() {
    let (people, retractions) = (people(), Retractions::default());
    let day = at("2026-11-20").day();
    let push = |batches: &[&[Signal]]| {
        let mut partition = Partition::new(&people, &retractions, cut(), &KEY, day);
        let mut pushed = batches.iter().map(|signals| {
            let batch = attack_signals::batch(*signals);
            partition.push(&batch, |_| Ok::<(), Error>(()))
        });
        pushed.find_map(Result::err).map(|error| error.kind())
    };
    let one_by_one = |signals: &[Signal]| {
        let batches: Vec<&[Signal]> = signals.chunks(1).collect();
        push(&batches)
    };
    assert_eq!(one_by_one(&[of("acme", "s1"), of("other", "s1")]), None);
    let back_again = [of("acme", "s1"), of("other", "s1"), of("acme", "s2")];
    assert_eq!(one_by_one(&back_again), Some(ErrorKind::Unsorted));
    // What is told a few tenants at a time is told in ascending order.
    let descending = [of("other", "s1"), of("acme", "s1"), of("zeta", "s1")];
    assert_eq!(one_by_one(&descending), Some(ErrorKind::Unsorted));
    let mut yesterday = of("acme", "s1");
    yesterday.time = at("2026-11-19");
    assert_eq!(one_by_one(&[yesterday]), Some(ErrorKind::OtherDay));
    // Also between rows of the tenant that goes on, in the last batch of all.
    for between in ["acme", "zeta"] {
        let first = [of("acme", "s1"), of("other", "s1")];
        let last = [of("other", "s2"), of(between, "s2"), of("other", "s3")];
        assert_eq!(
            push(&[&first, &last]),
            Some(ErrorKind::Unsorted),
            "{between}"
        );
    }
}
