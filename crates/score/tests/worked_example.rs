//! The worked example and the quiet organizations of af-1 §4, to the last digit, and the edge
//! cases of §5 that concern the formula.

use af_model::{Params, ScoreLevel, UtcDay};
use af_score::{Bucket, ComponentScore, MemberScore, Organization, Scores, attribute, score};

const TODAY: UtcDay = UtcDay(20_777);

const EMAIL: u32 = 0;
const IDENTITY: u32 = 1;

fn components() -> Vec<String> {
    ["email", "identity"].map(str::to_owned).to_vec()
}

fn bucket(member: u32, component: u32, family: u32, age: i32, counts: [u64; 4]) -> Bucket {
    Bucket {
        member,
        component,
        family,
        day: UtcDay(TODAY.0 - age),
        counts,
    }
}

fn run(people: usize, mut buckets: Vec<Bucket>, params: &Params) -> Scores {
    buckets.sort_unstable_by_key(Bucket::key);
    let components = components();
    let organization = Organization {
        in_population: &vec![true; people],
        components: &components,
        buckets: &buckets,
    };
    score(&organization, TODAY, params).expect("the example is well formed")
}

/// Ana 0, Bob 1, Cho 2, Dee 3, Eli and fifteen others 4 to 19. Families in ascending order:
/// `credential_attack` 0, `credential_leak` 1, `mfa_attack` 2, `phishing` 3.
fn example() -> Vec<Bucket> {
    let mut buckets = vec![
        bucket(0, IDENTITY, 0, 0, [0, 1, 1, 40]),
        bucket(0, IDENTITY, 1, 14, [0, 1, 0, 0]),
        bucket(1, IDENTITY, 0, 7, [0, 0, 1, 0]),
        bucket(2, IDENTITY, 2, 28, [0, 1, 0, 0]),
    ];
    buckets.extend((0..10).map(|age| bucket(3, EMAIL, 3, age, [0, 0, 1, 0])));
    for member in 4..20 {
        buckets.push(bucket(member, EMAIL, 3, 0, [0, 0, 0, 1]));
        buckets.push(bucket(member, EMAIL, 3, 7, [0, 0, 0, 1]));
    }
    buckets.sort_unstable_by_key(Bucket::key);
    buckets
}

#[test]
fn all_five_rows_come_out_to_the_last_digit() {
    let scores = run(20, example(), &Params::default());
    let rows = [
        (
            3,
            EMAIL,
            24_251_797,
            1_138_070,
            1_953_551_059,
            6_614_245,
            ScoreLevel::High,
            1,
            97.5,
            275_024,
        ),
        (
            0,
            IDENTITY,
            15_512_701,
            182_138,
            1_624_976_601,
            6_190_442,
            ScoreLevel::High,
            2,
            92.5,
            57_237,
        ),
        (
            2,
            IDENTITY,
            2_250_000,
            734_750,
            200_816_607,
            1_672_333,
            ScoreLevel::VeryLow,
            3,
            87.5,
            196_733,
        ),
        (
            1,
            IDENTITY,
            2_121_320,
            740_112,
            189_060_264,
            1_589_997,
            ScoreLevel::VeryLow,
            4,
            82.5,
            197_885,
        ),
    ];
    let tied = (4..20).map(|member| {
        (
            member,
            EMAIL,
            1_707_106,
            2_077_432,
            112_071_465,
            1_007_772,
            ScoreLevel::VeryLow,
            5,
            40.0,
            409_150,
        )
    });
    for (member, component, load, baseline, odds, score, level, rank, percentile, relative) in
        rows.into_iter().chain(tied)
    {
        let row = scores.components[member * 2 + usize::try_from(component).unwrap()];
        assert_eq!(
            row,
            ComponentScore {
                load_micro: load,
                baseline_micro: baseline,
                odds_nano: odds,
                score_micro: score,
                relative_weight_micro: relative,
                weight_permille: 1000,
            }
        );
        let expected = MemberScore {
            score_micro: score,
            level,
            odds_nano: odds,
            rank: Some(rank),
            percentile: Some(percentile),
            pct_below: scores.members[member].pct_below,
        };
        assert_eq!(scores.members[member], expected);
    }
    // Of the 19 others of each: 19, 18, 17, 16 and 0 are below.
    let below: Vec<f64> = [3, 0, 2, 1, 4]
        .iter()
        .map(|&member| scores.members[member].pct_below.unwrap())
        .collect();
    let expected = [1900.0, 1800.0, 1700.0, 1600.0, 0.0].map(|hundredths: f64| hundredths / 19.0);
    assert_eq!(below, expected);
}

#[test]
fn the_shares_of_the_example_add_up() {
    let (components, buckets, params) = (components(), example(), Params::default());
    let organization = Organization {
        in_population: &[true; 20],
        components: &components,
        buckets: &buckets,
    };
    let scores = score(&organization, TODAY, &params).unwrap();
    let blocks = attribute(&organization, &scores, TODAY, &params, 0);
    // Ana: high, medium and low of today, and the high of two weeks ago.
    let loads: Vec<i64> = blocks.iter().map(|block| block.load_share_micro).collect();
    assert_eq!(loads.len(), 4);
    assert_eq!(loads[0], 9_000_000);
    assert_eq!(loads[..3].iter().sum::<i64>(), 11_012_701);
    assert_eq!(loads[3], 4_500_000);
    let shares: i64 = blocks.iter().map(|block| block.score_share_micro).sum();
    assert_eq!(shares, 6_190_442);
}

#[test]
fn in_a_quiet_organization_of_any_size_the_score_is_absolute() {
    for people in [1, 2, 20, 1000] {
        let alone = |counts| {
            let scores = run(
                people,
                vec![bucket(0, IDENTITY, 0, 0, counts)],
                &Params::default(),
            );
            scores.members[0].score_micro
        };
        // A third of the odds has no exact end in nano, so 2.5 is 2.499999 in floors.
        assert_eq!(alone([0, 0, 1, 0]), 2_499_999);
        assert_eq!(alone([0, 1, 0, 0]), 5_000_000);
        assert_eq!(alone([1, 0, 0, 0]), 7_500_000);
    }
}

#[test]
fn an_outlier_of_any_size_takes_the_same_off() {
    // One high a family adds plainly: 300 points are 11 critical and 1 medium, 10,000 are 370
    // critical, 1 high and 1 low.
    let outlier = |critical: u32, others: &[[u64; 4]]| {
        let each = std::iter::repeat_n([1, 0, 0, 0], usize::try_from(critical).unwrap());
        each.chain(others.iter().copied())
            .zip(0..)
            .map(|(counts, family)| bucket(1, IDENTITY, family, 0, counts))
            .collect::<Vec<_>>()
    };
    for (points, attacks) in [
        (300, outlier(11, &[[0, 0, 1, 0]])),
        (10_000, outlier(370, &[[0, 1, 0, 0], [0, 0, 0, 1]])),
    ] {
        let mut buckets = attacks;
        buckets.push(bucket(0, IDENTITY, 0, 0, [0, 1, 0, 0]));
        let scores = run(20, buckets, &Params::default());
        assert_eq!(scores.components[3].load_micro, points * 1_000_000);
        assert_eq!(scores.members[0].score_micro, 3_076_923);
    }
}

#[test]
fn an_organization_of_one_is_measured_absolutely() {
    for kappa in [0, 5] {
        let params = Params {
            kappa,
            ..Params::default()
        };
        let scores = run(1, vec![bucket(0, IDENTITY, 0, 0, [0, 1, 0, 0])], &params);
        let only = scores.members[0];
        assert_eq!(only.score_micro, 5_000_000);
        assert_eq!(
            (only.rank, only.percentile, only.pct_below),
            (Some(1), Some(50.0), None)
        );
        assert_eq!(scores.components[1].relative_weight_micro, 0);
        assert_eq!(scores.components[1].baseline_micro, 0);
    }
}

#[test]
fn without_signals_everybody_is_in_the_middle() {
    let scores = run(7, Vec::new(), &Params::default());
    for member in scores.members {
        assert_eq!((member.score_micro, member.odds_nano), (0, 0));
        assert_eq!(member.level, ScoreLevel::None);
        assert_eq!(
            (member.rank, member.percentile, member.pct_below),
            (Some(1), Some(50.0), Some(0.0))
        );
    }
}

#[test]
fn every_person_has_a_row_for_every_component() {
    let scores = run(
        3,
        vec![bucket(2, EMAIL, 0, 0, [0, 0, 0, 1])],
        &Params::default(),
    );
    assert_eq!(scores.components.len(), 6);
    assert_eq!(scores.components[4].load_micro, 1_000_000);
    assert!(scores.components[5].load_micro == 0 && scores.components[5].odds_nano == 0);
    // Without load the baseline still says what colleagues carry: 1 / (2 + 5).
    assert_eq!(scores.components[0].baseline_micro, 142_857);
}

#[test]
fn huge_counts_saturate_instead_of_overflowing() {
    let most = 1 << 40;
    let scores = run(
        2,
        vec![bucket(0, EMAIL, 0, 0, [most; 4])],
        &Params::default(),
    );
    // 27 points times 2.5923758…, the whole table.
    assert_eq!(scores.components[0].load_micro, 69_994_147);
}
