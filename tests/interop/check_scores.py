"""Every score of a snapshot, recomputed by others: in SQL (DuckDB) and in polars."""

import pathlib

import duckdb
import polars as pl

# af-1 §2.8 in one query: odds add by weight, the score is a floor. The products leave 64 bits.
RECOMPUTE = """
WITH summed AS (
    SELECT tenant_uid, user_uid,
           sum(weight_permille::HUGEINT * odds_nano::HUGEINT) // 1000 AS odds
    FROM '{folder}/component_scores.parquet'
    GROUP BY ALL
)
SELECT u.user_uid, u.score_micro, u.odds_nano, coalesce(s.odds, 0) AS odds,
       (10000000::HUGEINT * coalesce(s.odds, 0)) // (1000000000::HUGEINT + coalesce(s.odds, 0)) AS score
FROM '{folder}/user_scores.parquet' u
LEFT JOIN summed s USING (tenant_uid, user_uid)
"""

SHARES = """
SELECT u.user_uid, u.score_micro, coalesce(sum(a.score_share_micro), 0) AS shares
FROM '{folder}/user_scores.parquet' u
LEFT JOIN '{folder}/signal_attribution.parquet' a USING (tenant_uid, user_uid)
GROUP BY ALL
HAVING u.score_micro <> shares
"""

RANKS = """
WITH ranked AS (
    SELECT user_uid, rank,
           rank() OVER (PARTITION BY tenant_uid, population ORDER BY odds_nano DESC) AS expected
    FROM '{folder}/user_scores.parquet'
    WHERE in_population
)
SELECT * FROM ranked WHERE rank <> expected
"""


def check_duckdb(folder: pathlib.Path) -> str:
    db = duckdb.connect()
    people = db.sql(RECOMPUTE.format(folder=folder)).fetchall()
    assert people, "the snapshot holds nobody"
    wrong = [person for person in people if person[1] != person[4] or person[2] != person[3]]
    assert not wrong, f"scores differ: {wrong[:5]}"
    for query in (SHARES, RANKS):
        wrong = db.sql(query.format(folder=folder)).fetchall()
        assert not wrong, f"{query}\n{wrong[:5]}"
    attacked = sum(1 for person in people if person[1] > 0)
    return f"{len(people)} scores, shares and ranks in SQL, {attacked} scores above 0"


def check_polars(folder: pathlib.Path) -> str:
    wide = pl.Int128
    key = ["tenant_uid", "user_uid"]
    components = pl.scan_parquet(folder / "component_scores.parquet")
    summed = components.group_by(key).agg(
        odds=(pl.col("weight_permille").cast(wide) * pl.col("odds_nano").cast(wide)).sum() // 1000
    )
    shares = (
        pl.scan_parquet(folder / "signal_attribution.parquet").group_by(key).agg(shares=pl.col("score_share_micro").sum())
    )
    odds = pl.col("odds").fill_null(0)
    people = (
        pl.scan_parquet(folder / "user_scores.parquet")
        .join(summed, on=key, how="left")
        .join(shares, on=key, how="left")
        .with_columns(
            odds=odds,
            score=10_000_000 * odds // (1_000_000_000 + odds),
            shares=pl.col("shares").fill_null(0),
            expected=pl.col("odds_nano").rank("min", descending=True).over("tenant_uid", "population", "in_population"),
        )
        .collect()
    )
    assert len(people), "the snapshot holds nobody"
    wrong = people.filter(
        (pl.col("score_micro") != pl.col("score"))
        | (pl.col("odds_nano") != pl.col("odds"))
        | (pl.col("score_micro") != pl.col("shares"))
        | (pl.col("in_population") & (pl.col("rank") != pl.col("expected")))
        | (pl.col("in_population") == pl.col("rank").is_null())
    )
    assert wrong.is_empty(), f"scores differ: {wrong.head()}"
    return f"{len(people)} scores, shares and ranks in polars"
