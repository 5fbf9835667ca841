//! The oracle against the worked example of the formula, to the last digit.

use af_model::{HashKey, Level, Params, Person, ScoreLevel, UtcMillis};
use af_testkit::generate::person;
use af_testkit::oracle::{OracleBlock, OracleInput, OracleSignal, OracleTenant, oracle};

const DAY: i64 = 86_400_000;

struct Attacks {
    as_of: UtcMillis,
    signals: Vec<OracleSignal>,
}

impl Attacks {
    fn new() -> Self {
        Self {
            as_of: UtcMillis::parse_cut("2026-11-20").expect("a date"),
            signals: Vec::new(),
        }
    }

    fn hit(&mut self, who: &str, (component, family): (&str, &str), level: &str, age: i64) {
        let uid = format!("s{}", self.signals.len());
        let time = UtcMillis(self.as_of.0 - age * DAY - 3_600_000);
        self.signals.push(OracleSignal {
            subject_uid: Some(who.to_owned()),
            component: component.to_owned(),
            family: family.to_owned(),
            level: level.to_owned(),
            ..OracleSignal::new("acme", &uid, time)
        });
    }

    fn score(self, people: Vec<Person>) -> OracleTenant {
        let input = OracleInput {
            signals: self.signals,
            people,
            retractions: Vec::new(),
            as_of: self.as_of,
            known_at: self.as_of,
            params: Params::default(),
            key: HashKey::new([7; 32]),
        };
        oracle(&input).remove("acme").expect("a tenant of people")
    }
}

fn people(names: &[&str]) -> Vec<Person> {
    let login = |name: &&str| person("acme", name, &format!("{name}@example.com"));
    names.iter().map(login).collect()
}

const CREDENTIAL: (&str, &str) = ("identity", "credential_attack");
const PHISHING: (&str, &str) = ("email", "phishing");

#[test]
fn twenty_people_to_the_last_digit() {
    let mut attacks = Attacks::new();
    attacks.hit("ana", CREDENTIAL, "high", 0);
    attacks.hit("ana", CREDENTIAL, "medium", 0);
    for _ in 0..40 {
        attacks.hit("ana", CREDENTIAL, "low", 0);
    }
    attacks.hit("ana", ("identity", "credential_leak"), "high", 14);
    attacks.hit("bob", CREDENTIAL, "medium", 7);
    attacks.hit("cho", ("identity", "mfa_attack"), "high", 28);
    for age in 0..10 {
        attacks.hit("dee", PHISHING, "medium", age);
    }
    let quiet: Vec<String> = (0..16).map(|i| format!("eli{i:02}")).collect();
    for name in &quiet {
        attacks.hit(name, PHISHING, "low", 0);
        attacks.hit(name, PHISHING, "low", 7);
    }
    let mut names = vec!["ana", "bob", "cho", "dee"];
    names.extend(quiet.iter().map(String::as_str));
    let tenant = attacks.score(people(&names));

    let expected = [
        (
            "dee",
            "email",
            24_251_797,
            1_138_070,
            1_953_551_059,
            6_614_245,
            1,
            97.5,
            275_024,
        ),
        (
            "ana",
            "identity",
            15_512_701,
            182_138,
            1_624_976_601,
            6_190_442,
            2,
            92.5,
            57_237,
        ),
        (
            "cho",
            "identity",
            2_250_000,
            734_750,
            200_816_607,
            1_672_333,
            3,
            87.5,
            196_733,
        ),
        (
            "bob",
            "identity",
            2_121_320,
            740_112,
            189_060_264,
            1_589_997,
            4,
            82.5,
            197_885,
        ),
        (
            "eli00",
            "email",
            1_707_106,
            2_077_432,
            112_071_465,
            1_007_772,
            5,
            40.0,
            409_150,
        ),
        (
            "eli15",
            "email",
            1_707_106,
            2_077_432,
            112_071_465,
            1_007_772,
            5,
            40.0,
            409_150,
        ),
    ];
    for (name, component, load, baseline, odds, score, rank, percentile, relative) in expected {
        let user = tenant
            .users
            .iter()
            .find(|user| user.user_uid == name)
            .unwrap();
        assert_eq!((user.score_micro, user.rank), (score, Some(rank)), "{name}");
        assert_eq!(user.percentile, Some(percentile), "{name}");
        assert_eq!(user.population_n, 20);
        let level = if score > 6_000_000 {
            ScoreLevel::High
        } else {
            ScoreLevel::VeryLow
        };
        assert_eq!(user.level, level, "{name}");
        let part = tenant
            .components
            .iter()
            .find(|part| part.user_uid == name && part.component == component)
            .unwrap();
        assert_eq!(
            (
                part.load_micro,
                part.baseline_micro,
                part.odds_nano,
                part.relative_weight_micro
            ),
            (load, baseline, odds, relative),
            "{name}"
        );
    }
    // 20 people and the two components that somebody was attacked in.
    assert_eq!(tenant.components.len(), 40);
    assert_eq!(tenant.account.scored, 43 + 1 + 1 + 10 + 32);
    let dee = &tenant.users[3];
    assert_eq!((dee.signal_count, dee.attack_days), (10, 10));
    let blocks = |name: &str| -> Vec<&OracleBlock> {
        let of_name = |block: &&OracleBlock| block.user_uid == name;
        tenant.blocks.iter().filter(of_name).collect()
    };
    // Cho's only block is her whole score; without it nothing is left.
    let [cho] = blocks("cho")[..] else {
        panic!("one block")
    };
    assert_eq!((cho.n, cho.load_share_micro), (1, 2_250_000));
    assert_eq!(
        (cho.score_share_micro, cho.without_micro),
        (1_672_333, 1_672_333)
    );
    let levels: Vec<(&str, Level, u64)> = blocks("ana")
        .iter()
        .map(|block| (block.family.as_str(), block.level, block.n))
        .collect();
    assert_eq!(
        levels,
        [
            ("credential_attack", Level::High, 1),
            ("credential_attack", Level::Medium, 1),
            ("credential_attack", Level::Low, 40),
            ("credential_leak", Level::High, 1),
        ]
    );
    // The leak: 9 points at half, 4.5 of the load of 15.512701, and that share of the score:
    // 6190442·4500000/15512701 = 1795753.62…, rounded up as the larger remainder of the two buckets.
    assert_eq!(blocks("ana")[3].load_share_micro, 4_500_000);
    assert_eq!(blocks("ana")[3].score_share_micro, 1_795_754);
}

#[test]
fn alone_in_an_organization_one_high_is_five() {
    let mut attacks = Attacks::new();
    attacks.hit("ana", CREDENTIAL, "high", 0);
    let tenant = attacks.score(people(&["ana"]));
    let ana = &tenant.users[0];
    assert_eq!(
        (ana.score_micro, ana.level),
        (5_000_000, ScoreLevel::Medium)
    );
    assert_eq!((ana.percentile, ana.pct_below), (Some(50.0), None));
    assert_eq!(tenant.components[0].relative_weight_micro, 0);
    assert_eq!(tenant.components[0].baseline_micro, 0);
}

#[test]
fn without_signals_everybody_is_in_the_middle() {
    let tenant = Attacks::new().score(people(&["ana", "bob", "cho"]));
    assert!(tenant.components.is_empty());
    for user in &tenant.users {
        assert_eq!((user.score_micro, user.level), (0, ScoreLevel::None));
        assert_eq!((user.rank, user.percentile), (Some(1), Some(50.0)));
        assert_eq!(user.pct_below, Some(0.0));
    }
}

#[test]
fn a_leaver_is_scored_as_if_added_and_counts_for_nobody() {
    let mut attacks = Attacks::new();
    attacks.hit("gone", CREDENTIAL, "high", 0);
    attacks.hit("bob", CREDENTIAL, "high", 0);
    let mut staff = people(&["bob", "cho", "gone"]);
    staff[2].status = Some("DEPROVISIONED".to_owned());
    let tenant = attacks.score(staff);
    let [bob, _, gone] = &tenant.users[..] else {
        panic!("three rows")
    };
    // Bob: nobody else carries load, S = 0, odds 1. Gone: others bob (9) and cho (0), n = 3,
    // m = 7, tau = max(90, 10·0/2), S = 9: 9·7/(9·7 + 3·9) = 63/90 = 0.7.
    assert_eq!((bob.odds_nano, bob.population_n), (1_000_000_000, 2));
    assert_eq!(gone.odds_nano, 700_000_000);
    assert_eq!(
        (gone.rank, gone.percentile, gone.in_population),
        (None, None, false)
    );
}

#[test]
fn service_accounts_are_compared_among_themselves() {
    let mut attacks = Attacks::new();
    attacks.hit("robot", CREDENTIAL, "high", 0);
    attacks.hit("ana", CREDENTIAL, "high", 0);
    let mut staff = people(&["ana", "robot"]);
    staff[1].user_type = Some("Service".to_owned());
    let tenant = attacks.score(staff);
    for user in &tenant.users {
        assert_eq!((user.population_n, user.odds_nano), (1, 1_000_000_000));
    }
}
