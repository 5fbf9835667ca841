//! The properties 1 to 12 of af-1 §6, against the real kernel: organizations of 1 to 300
//! people, with leavers, weights and parameters of every allowed kind.

use std::collections::{BTreeMap, BTreeSet};

use af_model::params::Points;
use af_model::{Params, ScoreLevel, UtcDay};
use af_score::{
    Baseline, Block, Bucket, GivenLoad, Organization, Scale, Scores, Yardstick, attribute,
    fold_rest, group_figures, load_of_counts, merge_buckets, org_summary, score, score_given,
    score_of_components, score_of_odds, split_equally, without_one,
};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::FileFailurePersistence;

const TODAY: i32 = 20_777;

/// Member, component, family, age in days.
type Cell = (u32, u32, u32, i32);

#[derive(Clone, Debug)]
struct Case {
    in_population: Vec<bool>,
    components: Vec<String>,
    cells: BTreeMap<Cell, [u64; 4]>,
    params: Params,
}

impl Case {
    fn buckets(&self) -> Vec<Bucket> {
        buckets(self.cells.iter().map(|(&cell, &counts)| (cell, counts)))
    }

    fn with<R>(&self, then: impl FnOnce(&Organization<'_>) -> R) -> R {
        let buckets = self.buckets();
        then(&Organization {
            in_population: &self.in_population,
            components: &self.components,
            buckets: &buckets,
        })
    }

    fn score(&self) -> Scores {
        self.score_on(TODAY)
    }

    fn score_on(&self, day: i32) -> Scores {
        self.with(|organization| {
            score(organization, UtcDay(day), &self.params).expect("cases are well formed")
        })
    }

    fn member(&self, index: Index) -> u32 {
        number(index.index(self.in_population.len()))
    }
}

fn buckets(cells: impl Iterator<Item = (Cell, [u64; 4])>) -> Vec<Bucket> {
    let bucket = |((member, component, family, age), counts)| Bucket {
        member,
        component,
        family,
        day: UtcDay(TODAY - age),
        counts,
    };
    let mut buckets: Vec<Bucket> = cells.map(bucket).collect();
    buckets.sort_unstable_by_key(Bucket::key);
    buckets
}

fn number(index: usize) -> u32 {
    u32::try_from(index).expect("cases are small")
}

fn at(index: u32) -> usize {
    usize::try_from(index).expect("cases are small")
}

fn count() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => Just(0),
        6 => 1..6_u64,
        2 => 6..20_000_u64,
        1 => Just(1_u64 << 40),
    ]
}

fn counts() -> impl Strategy<Value = [u64; 4]> {
    [count(), count(), count(), count()]
}

/// Points whose steps are wide enough, and everything else within its range.
fn any_params() -> impl Strategy<Value = Params> {
    (
        (1..4_i64, 0..5_i64, 0..5_i64, 0..5_i64),
        (1..60_i64, 0..30_i64, 0..30_i64, 1..30_i64),
        prop::collection::btree_map("c[0-4]", 0..3000_i64, 0..4),
    )
        .prop_map(|((low, a, b, c), (lambda, q, kappa, cap), weights)| {
            let medium = low * 2613 / 1000 + 1 + a;
            let high = medium * 2613 / 1000 + 1 + b;
            let critical = high * 2613 / 1000 + 1 + c;
            let points = Points {
                low,
                medium,
                high,
                critical,
            };
            Params {
                points,
                lambda,
                q,
                kappa,
                cap,
                weights,
            }
        })
}

fn params() -> impl Strategy<Value = Params> {
    prop_oneof![Just(Params::default()), any_params()]
}

fn case() -> impl Strategy<Value = Case> {
    let people = prop_oneof![1..=12_usize, 1..=300_usize];
    (people, 1..=4_usize).prop_flat_map(|(people, components)| {
        let cell = (
            0..number(people),
            0..number(components),
            0..3_u32,
            0..90_i32,
        );
        let inside = prop_oneof![9 => Just(true), 1 => Just(false)];
        (
            prop::collection::vec(inside, people),
            prop::collection::btree_map(cell, counts(), 0..60),
            params(),
        )
            .prop_map(move |(in_population, cells, params)| Case {
                in_population,
                components: (0..components).map(|index| format!("c{index}")).collect(),
                cells,
                params,
            })
    })
}

/// Loads of one component over a population, from none to far beyond every cap.
fn loads() -> impl Strategy<Value = Vec<u64>> {
    let load = prop_oneof![
        4 => Just(0),
        1 => Just(9_000_000),
        5 => 1..80_000_000_u64,
        2 => 80_000_000..3_000_000_000_u64,
        1 => 3_000_000_000..1_000_000_000_000_u64,
    ];
    prop_oneof![
        prop::collection::vec(load.clone(), 1..=8),
        prop::collection::vec(load, 1..=300),
    ]
}

fn odds(loads: &[u64], member: usize, scale: &Scale) -> u128 {
    yardstick(loads, member, scale).odds_nano(loads[member])
}

fn yardstick(loads: &[u64], member: usize, scale: &Scale) -> Yardstick {
    Baseline::of_loads(loads.iter().copied()).yardstick_of_member(loads[member], scale)
}

/// At least 256 cases; `PROPTEST_CASES` may ask for more.
fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig {
        cases: default.cases.max(256),
        max_global_rejects: 10 * default.cases.max(256),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..default
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn property_01_scores_stay_below_ten_and_none_means_no_odds(case in case()) {
        let scores = case.score();
        for member in &scores.members {
            prop_assert!((0..10_000_000).contains(&member.score_micro));
            prop_assert_eq!(member.odds_nano == 0, member.level == ScoreLevel::None);
        }
        for component in &scores.components {
            prop_assert!((0..10_000_000).contains(&component.score_micro));
            prop_assert!((0..1_000_000).contains(&component.relative_weight_micro));
            prop_assert!(component.load_micro >= 0 && component.baseline_micro >= 0);
        }
    }

    #[test]
    fn property_02_one_more_signal_never_lowers_my_odds(
        case in case(), who in any::<Index>(), component in any::<Index>(),
        (family, age, slot) in (0..4_u32, 0..90_i32, 0..4_usize),
    ) {
        let member = case.member(who);
        let cell = (member, number(component.index(case.components.len())), family, age);
        let mut more = case.clone();
        more.cells.entry(cell).or_default()[slot] += 1;
        let (before, after) = (case.score(), more.score());
        let (before, after) = (before.members[at(member)], after.members[at(member)]);
        prop_assert!(after.odds_nano >= before.odds_nano);
        prop_assert!(after.score_micro >= before.score_micro);
    }

    #[test]
    fn property_02_a_higher_level_never_lowers_my_odds(
        mut case in case(), who in any::<Index>(), component in any::<Index>(),
        (family, age) in (0..4_u32, 0..90_i32), counts in counts(), slot in 1..4_usize, up in 1..4_usize,
    ) {
        let member = case.member(who);
        let cell = (member, number(component.index(case.components.len())), family, age);
        let counts = case.cells.entry(cell).or_insert(counts);
        counts[slot] = counts[slot].max(1);
        let mut higher = case.clone();
        let counts = higher.cells.get_mut(&cell).unwrap();
        counts[slot] -= 1;
        counts[slot.saturating_sub(up)] += 1;
        let (before, after) = (case.score(), higher.score());
        let (before, after) = (before.members[at(member)], after.members[at(member)]);
        prop_assert!(after.odds_nano >= before.odds_nano);
    }

    #[test]
    fn property_03_more_attack_on_others_never_raises_mine(
        case in case(), who in any::<Index>(), component in any::<Index>(),
        (family, age) in (0..4_u32, 0..90_i32), added in counts(),
    ) {
        let other = case.member(who);
        let cell = (other, number(component.index(case.components.len())), family, age);
        let mut more = case.clone();
        for (count, added) in more.cells.entry(cell).or_default().iter_mut().zip(added) {
            *count += added;
        }
        let (before, after) = (case.score(), more.score());
        for (index, (before, after)) in before.members.iter().zip(&after.members).enumerate() {
            if index != at(other) {
                prop_assert!(after.odds_nano <= before.odds_nano);
                prop_assert!(after.score_micro <= before.score_micro);
            }
        }
    }

    #[test]
    fn property_03_holds_for_loads_of_every_size(
        loads in loads(), params in params(), me in any::<Index>(), other in any::<Index>(),
        added in 1..10_000_000_000_u64,
    ) {
        prop_assume!(loads.len() > 1);
        let me = me.index(loads.len());
        let other = (me + 1 + other.index(loads.len() - 1)) % loads.len();
        let scale = Scale::new(&params).unwrap();
        let mut more = loads.clone();
        more[other] += added;
        prop_assert!(odds(&more, me, &scale) <= odds(&loads, me, &scale));
    }

    #[test]
    fn property_04_equal_loads_equal_odds_and_larger_loads_no_smaller_odds(case in case()) {
        let scores = case.score();
        let count = case.components.len();
        for component in 0..count {
            let mut rows: Vec<(i64, i64)> = (0..case.in_population.len())
                .filter(|&member| case.in_population[member])
                .map(|member| scores.components[member * count + component])
                .map(|row| (row.load_micro, row.odds_nano))
                .collect();
            rows.sort_unstable();
            for pair in rows.windows(2) {
                prop_assert!(pair[0].1 <= pair[1].1);
                prop_assert!(pair[0].0 != pair[1].0 || pair[0].1 == pair[1].1);
            }
        }
    }

    #[test]
    fn property_04_holds_for_loads_of_every_size(mut loads in loads(), params in params()) {
        let scale = Scale::new(&params).unwrap();
        loads.sort_unstable();
        let odds: Vec<u128> = (0..loads.len()).map(|member| odds(&loads, member, &scale)).collect();
        for index in 1..loads.len() {
            prop_assert!(odds[index - 1] <= odds[index]);
            prop_assert!(loads[index - 1] != loads[index] || odds[index - 1] == odds[index]);
        }
    }

    #[test]
    fn property_05_shards_merge_to_the_whole_in_any_order_and_grouping(
        case in case(), by_day in any::<bool>(), cut in 0..=7_usize,
        order in Just((0..7_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let shard = |shard: usize| {
            let own = case.cells.iter().filter(|((member, _, _, age), _)| {
                let key = if by_day { u32::try_from(*age).unwrap() } else { *member };
                at(key) % 7 == shard
            });
            buckets(own.map(|(&cell, &counts)| (cell, counts)))
        };
        let merged_of = |shards: &[usize]| {
            let buckets = shards.iter().flat_map(|&index| shard(index)).collect();
            merge_buckets(buckets).unwrap()
        };
        let whole = case.buckets();
        prop_assert_eq!(&merged_of(&order), &whole);
        let (left, right) = order.split_at(cut);
        let grouped = [merged_of(right), merged_of(left)].concat();
        prop_assert_eq!(&merge_buckets(grouped).unwrap(), &whole);
    }

    #[test]
    fn property_05_counts_of_one_bucket_add(case in case(), taken in any::<u64>()) {
        // Any part of each count apart from the rest: what two shards of whole days of the same
        // people would never do, but sums must not mind.
        let part = |count: u64| if count == 0 { 0 } else { taken % (count + 1) };
        let cells = |part: &dyn Fn(u64) -> u64| {
            let own = case.cells.iter().map(|(&cell, &counts)| (cell, counts.map(part)));
            buckets(own)
        };
        let halves = [cells(&|count| count - part(count)), cells(&part)].concat();
        prop_assert_eq!(merge_buckets(halves).unwrap(), case.buckets());
    }

    #[test]
    fn property_06_ranks_and_percentiles_close(case in case()) {
        let scores = case.score();
        let ranked: Vec<_> =
            scores.members.iter().filter(|member| member.rank.is_some()).collect();
        let inside = case.in_population.iter().filter(|&&inside| inside).count();
        prop_assert_eq!(ranked.len(), inside);
        let people_with = |holds: &dyn Fn(i64) -> bool| {
            let count = ranked.iter().filter(|other| holds(other.odds_nano)).count();
            i64::try_from(count).unwrap()
        };
        let n = people_with(&|_| true);
        let mut sum = 0;
        for member in &ranked {
            let below = people_with(&|odds| odds < member.odds_nano);
            let above = people_with(&|odds| odds > member.odds_nano);
            prop_assert_eq!(member.rank, Some(1 + above));
            let real = |value: i64| f64::from(i32::try_from(value).unwrap());
            prop_assert_eq!(member.percentile, Some(real(50 * (below + n - above)) / real(n)));
            prop_assert_eq!(member.pct_below, (n > 1).then(|| real(100 * below) / real(n - 1)));
            sum += below + n - above;
        }
        prop_assert_eq!(sum, n * n);
    }

    #[test]
    fn property_07_a_new_component_never_lowers_a_score(
        case in case(), weight in 0..3000_i64,
        added in prop::collection::vec((any::<Index>(), 0..90_i32, counts()), 0..20),
    ) {
        let mut more = case.clone();
        more.components.push("new".to_owned());
        more.params.weights.insert("new".to_owned(), weight);
        let component = number(case.components.len());
        for (who, age, counts) in added {
            more.cells.insert((case.member(who), component, 0, age), counts);
        }
        for (before, after) in case.score().members.iter().zip(&more.score().members) {
            prop_assert!(after.odds_nano >= before.odds_nano);
            prop_assert!(after.score_micro >= before.score_micro);
        }
    }

    #[test]
    fn property_08_new_unattacked_colleagues_never_lower_anybodys_odds(
        case in case(), added in 1..50_usize,
    ) {
        let mut more = case.clone();
        more.in_population.extend(std::iter::repeat_n(true, added));
        for (before, after) in case.score().members.iter().zip(&more.score().members) {
            prop_assert!(after.odds_nano >= before.odds_nano);
        }
    }

    #[test]
    fn property_08_holds_for_loads_of_every_size(
        loads in loads(), me in any::<Index>(), params in params(),
    ) {
        let scale = Scale::new(&params).unwrap();
        let me = me.index(loads.len());
        let mut more = loads.clone();
        more.push(0);
        prop_assert!(odds(&more, me, &scale) >= odds(&loads, me, &scale));
    }

    #[test]
    fn property_09_loads_and_lambda_times_k_leave_scores_within_one_micro(
        loads in loads(), me in any::<Index>(), k in 2..1000_u64,
    ) {
        let params = Params::default();
        let wider = Params { lambda: params.lambda * i64::try_from(k).unwrap(), ..params.clone() };
        let me = me.index(loads.len());
        let scores = [(1, params), (k, wider)].map(|(factor, params)| {
            let loads: Vec<u64> = loads.iter().map(|load| load * factor).collect();
            let odds = odds(&loads, me, &Scale::new(&params).unwrap());
            score_of_odds(u64::try_from(odds).unwrap())
        });
        prop_assert!(scores[0].abs_diff(scores[1]) <= 1, "{:?}", scores);
    }

    #[test]
    fn property_10_no_number_of_lower_signals_outweighs_one_a_level_higher(
        lower in counts(), slot in 0..3_usize, age in 0..90_i32, params in params(),
    ) {
        let mut lower = lower;
        lower[..=slot].fill(0);
        lower[slot + 1] = lower[slot + 1].max(10_000);
        let mut higher = [0; 4];
        higher[slot] = 1;
        let case = Case {
            in_population: vec![true; 2],
            components: vec!["c0".to_owned()],
            cells: BTreeMap::from([((0, 0, 0, age), lower), ((1, 0, 0, age), higher)]),
            params,
        };
        let scores = case.score();
        prop_assert!(scores.components[0].load_micro < scores.components[1].load_micro);
    }

    #[test]
    fn property_11_attribution_sums_to_the_score_exactly(case in case(), keep in 0..6_usize) {
        let scores = case.score();
        case.with(|organization| {
            for member in 0..number(case.in_population.len()) {
                let blocks = attribute(organization, &scores, UtcDay(TODAY), &case.params, member);
                let score = scores.members[at(member)].score_micro;
                let share_of = |blocks: &[Block]| {
                    blocks.iter().map(|block| block.score_share_micro).sum::<i64>()
                };
                let n_of = |blocks: &[Block]| blocks.iter().map(|block| block.n).sum::<u64>();
                prop_assert_eq!(share_of(&blocks), score);
                let key = |block: &Block| {
                    (block.component, block.family, block.day, block.level.slot())
                };
                let keys: Vec<_> = blocks.iter().map(key).collect();
                prop_assert!(keys.is_sorted_by(|a, b| a < b));
                for component in 0..case.components.len() {
                    let row = scores.components[at(member) * case.components.len() + component];
                    let own = blocks.iter().filter(|block| at(block.component) == component);
                    let load: i64 = own.map(|block| block.load_share_micro).sum();
                    prop_assert_eq!(load, row.load_micro);
                }
                for block in &blocks {
                    prop_assert!(block.load_share_micro >= 0 && block.score_share_micro >= 0);
                    prop_assert!((0..=score).contains(&block.without_micro));
                    let signals = split_equally(block.score_share_micro, block.n.min(30_000));
                    prop_assert_eq!(signals.sum::<i64>(), block.score_share_micro);
                }
                let mut kept = blocks.clone();
                let rest = fold_rest(&mut kept, keep);
                prop_assert_eq!(kept.len(), blocks.len().min(keep));
                let (n, share) = rest.map_or((0, 0), |rest| (rest.n, rest.score_share_micro));
                prop_assert_eq!(n_of(&kept) + n, n_of(&blocks));
                prop_assert_eq!(share_of(&kept) + share, score);
            }
            Ok(())
        })?;
    }

    #[test]
    fn property_11_without_is_the_score_of_an_organization_without_the_block(
        case in case(), which in any::<Index>(), block in any::<Index>(),
    ) {
        prop_assume!(!case.cells.is_empty());
        let (&cell, _) = case.cells.iter().nth(which.index(case.cells.len())).unwrap();
        let scores = case.score();
        let (today, params) = (UtcDay(TODAY), &case.params);
        let blocks = case.with(|all| attribute(all, &scores, today, params, cell.0));
        prop_assume!(!blocks.is_empty());
        let block = blocks[block.index(blocks.len())];
        let score = scores.members[at(cell.0)].score_micro;
        let key = (cell.0, block.component, block.family, TODAY - block.day.0);
        let mut less = case.clone();
        less.cells.get_mut(&key).unwrap()[block.level.slot()] -= 1;
        let one = case.with(|all| without_one(all, &scores, today, params, cell.0, &block));
        prop_assert_eq!(less.score().members[at(cell.0)].score_micro, score - one);
        less.cells.get_mut(&key).unwrap()[block.level.slot()] = 0;
        prop_assert_eq!(less.score().members[at(cell.0)].score_micro, score - block.without_micro);
        prop_assert!(one <= block.without_micro);
    }

    #[test]
    fn property_12_without_new_events_loads_never_rise(case in case(), days in 1..60_i32) {
        let before = case.score();
        let mut later = case.clone();
        later.cells.retain(|cell, _| cell.3 + days < 90);
        let after = later.score_on(TODAY + days);
        for (before, after) in before.components.iter().zip(&after.components) {
            prop_assert!(after.load_micro <= before.load_micro);
        }
    }

    #[test]
    fn loads_given_for_some_are_as_good_as_their_buckets(
        case in case(), erased in prop::collection::vec(any::<bool>(), 1..12),
    ) {
        let is_erased = |member: u32| erased[at(member) % erased.len()];
        let whole = case.score();
        let count = case.components.len();
        let mut rest = case.clone();
        rest.cells.retain(|cell, _| !is_erased(cell.0));
        let given: Vec<GivenLoad> = (0..number(case.in_population.len()))
            .filter(|&member| is_erased(member))
            .flat_map(|member| (0..number(count)).map(move |component| (member, component)))
            .map(|(member, component)| {
                let row = whole.components[at(member) * count + at(component)];
                let load_micro = u64::try_from(row.load_micro).unwrap();
                GivenLoad { member, component, load_micro }
            })
            .collect();
        let (again, figures) = rest.with(|organization| {
            let again = score_given(organization, &given, UtcDay(TODAY), &case.params).unwrap();
            let figures = org_summary(organization, &again, &case.params);
            (again, figures)
        });
        prop_assert_eq!(figures, case.with(|all| org_summary(all, &whole, &case.params)));
        prop_assert_eq!(again, whole);
    }

    #[test]
    fn own_load_and_yardstick_apart_make_the_score(case in case(), days in 0..120_i32) {
        // Every score again from nothing but loads of single buckets and leave-one-out yardsticks.
        let mut later = case.clone();
        later.cells.retain(|cell, _| cell.3 + days < 90);
        let scores = later.score_on(TODAY + days);
        let scale = Scale::new(&case.params).unwrap();
        let count = case.components.len();
        let mut loads = vec![0_u64; case.in_population.len() * count];
        for (&(member, component, _, age), counts) in &case.cells {
            // Those that left the window add nothing.
            loads[at(member) * count + at(component)] +=
                load_of_counts(counts, i64::from(age + days), &scale);
        }
        let baselines: Vec<Baseline> = (0..count)
            .map(|component| {
                let inside = (0..case.in_population.len()).filter(|&m| case.in_population[m]);
                Baseline::of_loads(inside.map(|member| loads[member * count + component]))
            })
            .collect();
        for (member, expected) in scores.members.iter().enumerate() {
            let score = score_of_components((0..count).map(|component| {
                let load = loads[member * count + component];
                let yardstick = if case.in_population[member] {
                    baselines[component].yardstick_of_member(load, &scale)
                } else {
                    baselines[component].yardstick_of_added(&scale)
                };
                let weight = case.params.weight_permille(&case.components[component]);
                (u64::try_from(weight).unwrap(), yardstick.odds_nano(load))
            }));
            prop_assert_eq!(score, expected.score_micro);
        }
    }

    #[test]
    fn people_in_another_order_keep_their_figures(case in case(), seed in any::<u64>()) {
        // Sorted by a scrambled index: some permutation, decided by the seed.
        let people = case.in_population.len();
        let mut order: Vec<usize> = (0..people).collect();
        order.sort_by_key(|&member| u64::try_from(member + 1).unwrap().wrapping_mul(seed | 1));
        let mut place = vec![0; people];
        for (new, &old) in order.iter().enumerate() {
            place[old] = new;
        }
        let mut renamed = case.clone();
        renamed.in_population = order.iter().map(|&old| case.in_population[old]).collect();
        let moved = |(&(member, component, family, age), &counts): (&Cell, &[u64; 4])| {
            ((number(place[at(member)]), component, family, age), counts)
        };
        renamed.cells = case.cells.iter().map(moved).collect();
        let (before, after) = (case.score(), renamed.score());
        for (member, new) in before.members.iter().zip(place) {
            prop_assert_eq!(*member, after.members[new]);
        }
    }

    #[test]
    fn summaries_count_everybody_and_never_panic(
        case in case(),
        groups in prop::collection::vec(prop::collection::vec(any::<Index>(), 0..12), 0..4),
    ) {
        let scores = case.score();
        let figures = case.with(|organization| org_summary(organization, &scores, &case.params));
        prop_assert_eq!(figures.len(), case.components.len() + 1);
        for figure in &figures {
            prop_assert_eq!(figure.people.iter().sum::<i64>(), figure.population_n);
            let share = figure.top_tenth_load_share_micro;
            prop_assert!(share.is_none_or(|share| (1..=1_000_000).contains(&share)));
            prop_assert!(figure.load_for_micro.is_sorted());
        }
        let population: Vec<i64> =
            scores.members.iter().map(|member| member.score_micro).collect();
        let distinct = |group: &Vec<Index>| {
            let people = group.iter().map(|index| number(index.index(population.len())));
            people.collect::<BTreeSet<u32>>().into_iter().collect::<Vec<u32>>()
        };
        let groups: Vec<Vec<u32>> = groups.iter().map(distinct).collect();
        for (group, figures) in groups.iter().zip(group_figures(&population, &groups).unwrap()) {
            prop_assert_eq!(figures.is_some(), group.len() >= 5);
            if let Some(figures) = figures {
                prop_assert!(figures.lower_bound_micro <= figures.mean_score_micro);
            }
        }
    }

    #[test]
    fn the_largest_parameters_and_counts_are_scored_or_refused(
        mut case in case(), (lambda, q, kappa, cap) in (
            prop_oneof![Just(1), Just(1_000_000_i64)], prop_oneof![Just(0), Just(1000_i64)],
            prop_oneof![Just(0), Just(1_000_000_i64)], prop_oneof![Just(1), Just(1_000_000_i64)],
        ),
        weight in prop_oneof![Just(0), Just(1_000_000_i64)], families in 1..6_u32,
    ) {
        let points = Points {
            low: 1_000_000,
            medium: 10_000_000,
            high: 100_000_000,
            critical: 1_000_000_000,
        };
        let weights = BTreeMap::from([("c0".to_owned(), weight)]);
        case.params = Params { points, lambda, q, kappa, cap, weights };
        for family in 0..families {
            case.cells.insert((0, 0, family, 0), [1 << 40; 4]);
        }
        case.with(|organization| {
            if let Ok(scores) = score(organization, UtcDay(TODAY), &case.params) {
                let summary = org_summary(organization, &scores, &case.params);
                let people = u64::try_from(summary[0].population_n).unwrap();
                prop_assert_eq!(people, scores.population_n);
                let blocks = attribute(organization, &scores, UtcDay(TODAY), &case.params, 0);
                let sum: i64 = blocks.iter().map(|block| block.score_share_micro).sum();
                prop_assert_eq!(sum, scores.members[0].score_micro);
            }
            Ok(())
        })?;
    }
}
