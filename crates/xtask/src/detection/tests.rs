//! A small organization through the whole pipeline, with what must not get worse.

use std::collections::BTreeSet;

use af_okta_sim::organization::{Kind, Organization, Size};

use super::{Arguments, evaluate, judge, people, pipeline};

const SMALL: Arguments = Arguments {
    people: 200,
    days: 14,
    seed: 1,
    write: false,
};

#[test]
fn a_small_organization_is_judged_and_the_plain_rules_find_what_they_name() {
    let size = Size {
        people: SMALL.people,
        days: SMALL.days,
    };
    let mut organization = Organization::new(size, SMALL.seed);
    let lived = pipeline::live(&mut organization, &|_| ()).unwrap();
    // Two weeks of 200 people; every event became a row, or `live` had failed.
    assert!(lived.events > 10_000, "{}", lived.events);
    assert_eq!(lived.cuts.len(), 2);

    let judged = judge::judge(&lived, organization.truth());
    for kind in [
        Kind::PushRefused,
        Kind::FastPassPhishing,
        Kind::LockoutWave,
        Kind::BreachedCredential,
        Kind::RiskDetection,
        Kind::ReportedActivity,
        Kind::PartnerRisk,
        Kind::ThreatAllowed,
    ] {
        let found = &judged.kinds[&kind];
        assert!(found.victims > 0, "{kind}");
        assert_eq!(found.found(), found.victims, "{kind}");
        assert!(found.by_event > 0, "{kind}");
    }
    // Every finding is judged once, and a victim is found once or missed once.
    let judged_findings: u64 = judged.rules.values().map(|rule| rule.findings).sum();
    assert_eq!(judged_findings, lived.found.len() as u64);
    let victims: u64 = judged.kinds.values().map(|kind| kind.victims).sum();
    let found: u64 = judged.kinds.values().map(judge::OfKind::found).sum();
    let missed: u64 = judged.missed.iter().map(|missed| missed.victims).sum();
    assert_eq!(victims, found + missed);
    // Plain rules alone see two attacks in three; rules that fall silent show here.
    let stories: u64 = judged.kinds.values().map(|kind| kind.stories).sum();
    let seen: u64 = judged.kinds.values().map(|kind| kind.stories_found).sum();
    assert!(5 * seen >= 3 * stories, "{seen} of {stories}");
    for name in ["okta_fastpass_phishing", "okta_breached_credential"] {
        let rule = &judged.rules[name];
        assert!(
            rule.findings > 0 && rule.by_event == rule.findings,
            "{name}: {rule:?}"
        );
    }

    let standing = people::standing(&lived, &organization);
    let attacked: BTreeSet<&str> = organization
        .truth()
        .stories
        .iter()
        .flat_map(|story| story.victims.iter().map(|victim| victim.uid.as_str()))
        .collect();
    assert_eq!(standing.attacked.iter().sum::<u64>(), attacked.len() as u64);
    assert!(standing.quiet_people() > 60, "{standing:?}");
    // Few as the people are, nine in ten of those nobody attacked must be left in peace.
    assert!(
        10 * standing.left_in_peace() >= 9 * standing.quiet_people(),
        "{standing:?}"
    );
}

#[test]
fn the_same_simulation_gives_the_same_text() {
    let tiny = Arguments {
        people: 60,
        days: 9,
        seed: 5,
        write: false,
    };
    let once = evaluate(tiny, &|_| ()).unwrap();
    assert_eq!(once, evaluate(tiny, &|_| ()).unwrap());
    assert!(once.contains("## Goals") && once.contains("`okta_push_refused`"));
}
