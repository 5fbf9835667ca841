//! What must hold of any implementation, asked of the oracle; and that the generators reach every
//! case, without which a differential test proves little.

use std::collections::BTreeSet;

use af_model::accounting::SignalAccount;
use af_model::name::check_tenant;
use af_model::tables::retractions;
use af_testkit::generate::{self, Size, organizations, shuffled};
use af_testkit::oracle::{OracleSignal, oracle};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_account_closes_and_shares_add_up(input in organizations()) {
        for tenant in oracle(&input).values() {
            prop_assert!(tenant.account.closes());
            let unmatched: u64 = tenant.unmatched.values().sum();
            prop_assert_eq!(unmatched, tenant.account.unmatched);
            let counted: i64 = tenant.users.iter().map(|user| user.signal_count).sum();
            prop_assert_eq!(counted.unsigned_abs(), tenant.account.scored);
            for user in &tenant.users {
                prop_assert!((0..10_000_000).contains(&user.score_micro));
                let mine = || tenant.blocks.iter().filter(|block| block.user_uid == user.user_uid);
                let shares: i64 = mine().map(|block| block.score_share_micro).sum();
                prop_assert_eq!(shares, user.score_micro);
                for part in tenant.components.iter().filter(|part| part.user_uid == user.user_uid) {
                    let loads: i64 = mine()
                        .filter(|block| block.component == part.component)
                        .map(|block| block.load_share_micro)
                        .sum();
                    prop_assert_eq!(loads, part.load_micro);
                }
            }
        }
    }

    #[test]
    fn order_and_repetition_change_nothing_but_the_duplicates(input in organizations(), seed: u64) {
        let plain = oracle(&input);
        let mut again = input.clone();
        again.signals = shuffled(&input.signals, seed).into_iter().cloned().collect();
        again.signals.extend(input.signals.iter().cloned());
        again.people.reverse();
        let repeated = oracle(&again);
        for (name, tenant) in &plain {
            let other = &repeated[name];
            prop_assert_eq!(&tenant.users, &other.users);
            prop_assert_eq!(&tenant.components, &other.components);
            prop_assert_eq!(&tenant.blocks, &other.blocks);
            prop_assert_eq!(&tenant.unmatched, &other.unmatched);
            prop_assert_eq!(tenant.account.scored, other.account.scored);
        }
    }

    #[test]
    fn another_tenant_changes_nothing_here(input in organizations()) {
        let mut alone = input.clone();
        alone.signals.retain(|signal| signal.tenant_uid == "acme");
        alone.people.retain(|person| person.tenant_uid == "acme");
        alone.retractions.retain(|row| row.tenant_uid == "acme");
        prop_assert_eq!(oracle(&alone).remove("acme"), oracle(&input).remove("acme"));
    }

    #[test]
    fn what_is_retracted_never_happened(input in organizations(), which: usize) {
        prop_assume!(!input.signals.is_empty());
        let victim = input.signals[which % input.signals.len()].clone();
        prop_assume!(check_tenant(&victim.tenant_uid).is_ok());
        let same = |signal: &OracleSignal| {
            (&signal.tenant_uid, &signal.signal_uid) == (&victim.tenant_uid, &victim.signal_uid)
        };
        let mut without = input.clone();
        without.signals.retain(|signal| !same(signal));
        let mut retracted = input.clone();
        retracted.retractions.retain(|row| row.target_uid != victim.signal_uid);
        without.retractions.clone_from(&retracted.retractions);
        retracted.retractions.push(retractions::Row {
            tenant_uid: victim.tenant_uid.clone(),
            target_kind: "signal".to_owned(),
            target_uid: victim.signal_uid.clone(),
            action: "retract".to_owned(),
            ingested_at: input.known_at,
            reason: None,
            by: None,
        });
        let (without, retracted) = (oracle(&without), oracle(&retracted));
        for (name, tenant) in &without {
            prop_assert_eq!(&tenant.users, &retracted[name].users);
            prop_assert_eq!(&tenant.components, &retracted[name].components);
            prop_assert_eq!(&tenant.blocks, &retracted[name].blocks);
        }
    }
}

#[test]
fn the_generators_reach_every_fate_of_a_signal() {
    let mut total = SignalAccount::default();
    let mut reasons = BTreeSet::new();
    let mut conflicts = 0;
    for seed in 0..20 {
        let input = generate::organization(
            seed,
            Size {
                people: 40,
                signals: 400,
            },
        );
        for tenant in oracle(&input).into_values() {
            total += tenant.account;
            reasons.extend(tenant.unmatched.into_keys());
            conflicts += tenant.conflicts;
        }
    }
    for (fate, count) in total.parts() {
        assert!(count >= 40, "{fate}: {count}");
    }
    // Most of what is generated must reach the formula, or the formula is not tested.
    assert!(total.scored * 3 > total.signals_read, "{total:?}");
    assert!(conflicts >= 40);
    let expected = ["ambiguous", "no_key", "no_match", "not_a_person"];
    assert_eq!(reasons.into_iter().collect::<Vec<_>>(), expected);
}
