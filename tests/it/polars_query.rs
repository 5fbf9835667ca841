//! The published figures once more, from a polars query: odds add, the score is a floor, ranks and
//! percentiles follow.

use af_model::tables::{component_scores, user_scores};
use polars::prelude::*;

use super::support::{latest_snapshot, program};

#[test]
fn polars_computes_the_same_scores_and_ranks_from_component_scores() {
    let folder = tempfile::tempdir().unwrap();
    program(["demo"]).inside(folder.path()).succeed();
    let snapshot = latest_snapshot(&folder.path().join("attack-factor-demo"));
    let scan = |table| af_query::frame(&snapshot, table).unwrap();
    let wide = DataType::Int128;
    let odds = scan(&component_scores::TABLE)
        .group_by([col("tenant_uid"), col("user_uid")])
        .agg([
            ((col("weight_permille").cast(wide.clone()) * col("odds_nano").cast(wide.clone()))
                .sum()
                / lit(1000).cast(wide.clone()))
            .alias("odds"),
        ]);
    let score = (lit(10_000_000).cast(wide.clone()) * col("odds"))
        / (lit(1_000_000_000).cast(wide.clone()) + col("odds"));
    let ranking = RankOptions {
        method: RankMethod::Min,
        descending: true,
    };
    let compared = scan(&user_scores::TABLE)
        .join(
            odds,
            [col("tenant_uid"), col("user_uid")],
            [col("tenant_uid"), col("user_uid")],
            JoinArgs::new(JoinType::Left),
        )
        .with_columns([score.alias("score")])
        .with_columns([when(col("in_population"))
            .then(
                col("odds")
                    .rank(ranking, None)
                    .over([col("tenant_uid"), col("population"), col("in_population")])
                    .unwrap()
                    .cast(DataType::Int64),
            )
            .otherwise(lit(NULL))
            .alias("ranked")])
        .collect()
        .unwrap();
    let people = compared.height();
    assert!(people >= 60);
    let wrong = compared
        .lazy()
        .filter(
            col("odds")
                .neq(col("odds_nano").cast(DataType::Int128))
                .or(col("score").neq(col("score_micro").cast(DataType::Int128)))
                .or(col("ranked").neq_missing(col("rank"))),
        )
        .select([
            col("user_uid"),
            col("score_micro"),
            col("score"),
            col("rank"),
            col("ranked"),
        ])
        .collect()
        .unwrap();
    assert_eq!(wrong.height(), 0, "{wrong:?}");
}
