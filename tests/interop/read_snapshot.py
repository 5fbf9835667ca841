"""Reads a published snapshot with pyarrow and DuckDB and recomputes its scores in SQL."""

import pathlib
import subprocess
import sys
import json

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

TYPES = {
    "string": pa.string(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp(ms, UTC)": pa.timestamp("ms", tz="UTC"),
    "date": pa.date32(),
}

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


def snapshot_folder(place: pathlib.Path) -> pathlib.Path:
    latest = place / "snapshots" / "LATEST"
    return place / "snapshots" / latest.read_text().strip() if latest.exists() else place


def contract(program: str) -> dict:
    """Column types by table, as the program itself prints them."""
    text = subprocess.run(
        [program, "schema", "--format", "json"], check=True, capture_output=True, text=True
    ).stdout
    tables: dict = {}
    for row in json.loads(text):
        tables.setdefault(row["table"], {})[row["column"]] = row["type"]
    return tables


def main() -> None:
    folder = snapshot_folder(pathlib.Path(sys.argv[1]))
    program = sys.argv[2] if len(sys.argv) > 2 else "attack-factor"
    manifest = json.loads((folder / "manifest.json").read_text())
    promised = contract(program)
    db = duckdb.connect()
    for entry in manifest["files"]:
        path = folder / entry["path"]
        table = pq.read_table(path)
        name = path.stem
        assert table.num_rows == entry["rows"], f"{name}: {table.num_rows} rows"
        assert table.column_names == list(promised[name]), f"{name}: {table.column_names}"
        for column, kind in promised[name].items():
            found = table.schema.field(column).type
            assert kind not in TYPES or found == TYPES[kind], f"{name}.{column}: {found}, not {kind}"
        [(rows,)] = db.sql(f"SELECT count(*) FROM '{path}'").fetchall()
        assert rows == entry["rows"], f"{name}: DuckDB sees {rows} rows"
        # pyarrow's filters work on plain strings.
        pq.read_table(path, filters=[("tenant_uid", "=", "nobody")])

    people = db.sql(RECOMPUTE.format(folder=folder)).fetchall()
    assert people, "the snapshot holds nobody"
    wrong = [p for p in people if p[1] != p[4] or p[2] != p[3]]
    assert not wrong, f"scores differ: {wrong[:5]}"
    for query in (SHARES, RANKS):
        wrong = db.sql(query.format(folder=folder)).fetchall()
        assert not wrong, f"{query}\n{wrong[:5]}"
    attacked = sum(1 for p in people if p[1] > 0)
    print(f"{len(manifest['files'])} tables read; {len(people)} scores recomputed in SQL, {attacked} above 0")


main()
