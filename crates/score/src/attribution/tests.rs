use super::*;
use crate::score;

const TODAY: UtcDay = UtcDay(20_000);

fn bucket(component: u32, family: u32, age: i32, counts: [u64; 4]) -> Bucket {
    Bucket {
        member: 0,
        component,
        family,
        day: UtcDay(TODAY.0 - age),
        counts,
    }
}

struct Alone {
    components: Vec<String>,
    buckets: Vec<Bucket>,
    params: Params,
}

impl Alone {
    fn new(buckets: &[Bucket]) -> Self {
        Self {
            components: ["email", "identity"].map(str::to_owned).to_vec(),
            buckets: buckets.to_vec(),
            params: Params::default(),
        }
    }

    fn organization(&self) -> Organization<'_> {
        Organization {
            in_population: &[true],
            components: &self.components,
            buckets: &self.buckets,
        }
    }

    fn attribute(&self) -> (Scores, Vec<Block>) {
        let scores = score(&self.organization(), TODAY, &self.params).unwrap();
        let blocks = attribute(&self.organization(), &scores, TODAY, &self.params, 0);
        (scores, blocks)
    }
}

#[test]
fn shares_follow_odds_then_loads_then_points() {
    // Email: a high (9) today. Identity: a high and a medium today in one family,
    // 9 + 3·POW[2] = 9 + 1.060660… points, and a critical 14 days ago, 13.5 points.
    let alone = Alone::new(&[
        bucket(0, 0, 0, [0, 1, 0, 0]),
        bucket(1, 0, 0, [0, 1, 1, 0]),
        bucket(1, 1, 14, [1, 0, 0, 0]),
    ]);
    let (scores, blocks) = alone.attribute();
    // Odds 1 and 23,560,660·10^9/(9·10^6) = 2.617851111; O = 3.617851111, O/(1+O) = 0.7834490…
    let member = scores.members[0];
    assert_eq!(member.odds_nano, 3_617_851_111);
    assert_eq!(member.score_micro, 7_834_490);
    // By odds: 2,165,509.24 and 5,668,980.76, which gets the one left over: 5,668,981.
    // That by loads, 10,060,660 : 13,500,000: 2,420,717.01 and 3,248,263.99 (up).
    // 2,420,717 by points, 9 : 1.060660…: 2,165,509.28 and 255,207.72 (up).
    let shares: Vec<i64> = blocks.iter().map(|block| block.score_share_micro).collect();
    assert_eq!(shares, [2_165_509, 2_165_509, 255_208, 3_248_264]);
    // The load of today's identity bucket, 10,060,660, is 8,999,999.85 (up) and 1,060,660.15.
    let loads: Vec<i64> = blocks.iter().map(|block| block.load_share_micro).collect();
    assert_eq!(loads, [9_000_000, 9_000_000, 1_060_660, 13_500_000]);
    // Without the e-mail: O = 2.617851111, O/(1+O) = 0.7235928….
    assert_eq!(blocks[0].without_micro, 7_834_490 - 7_235_928);
}

#[test]
fn removing_a_high_moves_the_lower_signals_up() {
    let alone = Alone::new(&[bucket(1, 0, 0, [0, 1, 1, 0])]);
    let (scores, blocks) = alone.attribute();
    // Without the high the medium is the first repetition: 3 points, score 2,499,999.
    assert_eq!(
        blocks[0].without_micro,
        scores.members[0].score_micro - 2_499_999
    );
    // Without the medium one high remains: 5,000,000.
    assert_eq!(
        blocks[1].without_micro,
        scores.members[0].score_micro - 5_000_000
    );
}

#[test]
fn without_one_of_many_is_less_than_without_all_and_equal_for_one() {
    let alone = Alone::new(&[bucket(0, 2, 3, [0, 1, 4, 0])]);
    let (scores, blocks) = alone.attribute();
    let one = |block| {
        without_one(
            &alone.organization(),
            &scores,
            TODAY,
            &alone.params,
            0,
            block,
        )
    };
    assert_eq!(one(&blocks[0]), blocks[0].without_micro);
    assert!(one(&blocks[1]) > 0 && one(&blocks[1]) < blocks[1].without_micro);
    let absent = Block {
        family: 9,
        ..blocks[0]
    };
    assert_eq!(one(&absent), 0);
    let no_such_level = Block {
        level: Level::Low,
        ..blocks[0]
    };
    assert_eq!(one(&no_such_level), 0);
}

#[test]
fn repetitions_beyond_the_table_are_listed_with_nothing() {
    let alone = Alone::new(&[bucket(0, 0, 0, [0, 1 << 40, 7, 0])]);
    let (scores, blocks) = alone.attribute();
    assert_eq!(blocks.len(), 2);
    assert_eq!((blocks[1].n, blocks[1].score_share_micro), (7, 0));
    assert_eq!(blocks[1].without_micro, 0);
    assert_eq!(blocks[0].score_share_micro, scores.members[0].score_micro);
}

#[test]
fn the_largest_points_split_exactly_too() {
    let mut alone = Alone::new(&[bucket(0, 0, 0, [3, 2, 1, 5])]);
    alone.params.points.low = 1_000_000;
    alone.params.points.medium = 10_000_000;
    alone.params.points.high = 100_000_000;
    alone.params.points.critical = 1_000_000_000;
    alone.params.lambda = 1_000_000;
    let (scores, blocks) = alone.attribute();
    let loads: i64 = blocks.iter().map(|block| block.load_share_micro).sum();
    assert_eq!(loads, scores.components[0].load_micro);
    assert!(loads > 1_000_000_000_000_000);
}

#[test]
fn the_weightiest_blocks_stay_in_order_and_the_rest_adds_up() {
    let ages = [0, 5, 1, 5, 3];
    let mut families = 0..;
    let buckets: Vec<Bucket> = ages
        .map(|age| bucket(0, families.next().unwrap(), age, [0, 0, 1, 0]))
        .to_vec();
    let (scores, blocks) = Alone::new(&buckets).attribute();
    let fold = |keep| {
        let mut kept = blocks.clone();
        let rest = fold_rest(&mut kept, keep);
        (kept, rest)
    };
    let (kept, rest) = fold(3);
    assert_eq!(kept, [blocks[0], blocks[2], blocks[4]]);
    let rest = rest.unwrap();
    assert_eq!(rest.n, 2);
    let kept_share: i64 = kept.iter().map(|block| block.score_share_micro).sum();
    assert_eq!(
        kept_share + rest.score_share_micro,
        scores.members[0].score_micro
    );
    assert_eq!(fold(5), (blocks.clone(), None));
    let (none, all) = fold(0);
    assert!(none.is_empty());
    assert_eq!(
        all.unwrap().load_share_micro,
        scores.components[0].load_micro
    );
}

#[test]
fn somebody_without_attacks_has_no_blocks() {
    assert_eq!(Alone::new(&[]).attribute().1, []);
}
