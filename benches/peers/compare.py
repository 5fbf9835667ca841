"""Two results, cell by cell.

    compare.py counts OURS THEIRS
    compare.py normalize OURS THEIRS

OURS and THEIRS are folders or files of Parquet. Prints how many rows both have, or how they differ,
and then fails.
"""

import sys

import duckdb
import questions

# Rows that are joined at a time, about.
PART = 5_000_000

# Ours is a day and instants, theirs are plain numbers.
OUR_COUNTS = """
    SELECT tenant_uid, user_uid, component, family, date_diff('day', DATE '1970-01-01', day) AS day,
           n_critical, n_high, n_medium, n_low,
           epoch_ms(first_time) AS first_time, epoch_ms(last_time) AS last_time
    FROM read_parquet({files})
"""
# Where ours means to say otherwise: names are normalized, typed ones hashed.
# Columns that ours has in a map (`request_uri`) or under other names (`targets`) are compared by nobody.
NOT_VERBATIM = {"actor_user_uid", "actor_user_name", "actor_user_display_name", "request_uri"}


def differences(ours: str, theirs: str, keys: list[str], figures: list[str], part: str) -> tuple[int, list[str]]:
    """Rows on our side, and in words what differs. `part` is a number of a key's row, for taking parts."""
    engine = duckdb.connect()
    engine.execute("SET memory_limit = '8GB'")
    engine.execute(f"CREATE VIEW ours AS {ours}")
    engine.execute(f"CREATE VIEW theirs AS {theirs}")
    rows = [engine.execute(f"SELECT count(*) FROM {side}").fetchone()[0] for side in ("ours", "theirs")]
    found = []
    if rows[0] != rows[1]:
        found.append(f"ours has {rows[0]} rows, theirs {rows[1]}")
    parts = max(rows) // PART + 1
    totals = [0] * (3 + len(figures))
    for number in range(parts):
        only = f"WHERE {part} % {parts} = {number}"
        on = " AND ".join(f"a.{key} IS NOT DISTINCT FROM b.{key}" for key in keys)
        unequal = ", ".join(
            f"count(*) FILTER (a.is_there AND b.is_there AND a.{figure} IS DISTINCT FROM b.{figure})" for figure in figures
        )
        sums = engine.execute(
            f"SELECT count(*), count(*) FILTER (b.is_there IS NULL), count(*) FILTER (a.is_there IS NULL), {unequal} "
            f"FROM (SELECT *, true AS is_there FROM ours {only}) a "
            f"FULL OUTER JOIN (SELECT *, true AS is_there FROM theirs {only}) b ON {on}"
        ).fetchone()
        totals = [total + one for total, one in zip(totals, sums)]
    both, only_ours, only_theirs, *unequal = totals
    if only_ours or only_theirs:
        found.append(f"{only_ours} rows are only ours, {only_theirs} only theirs")
    elif both != rows[0]:
        found.append("a key stands in several rows")
    found += [f"{count} cells of {figure} differ" for figure, count in zip(figures, unequal) if count]
    return rows[0], found


def counts(ours: str, theirs: str) -> tuple[int, list[str]]:
    columns = [*questions.KEYS, *questions.FIGURES]
    cast = ", ".join(f"{column}::BIGINT AS {column}" if column not in questions.KEYS[:4] else column for column in columns)
    return differences(
        OUR_COUNTS.format(files=bucket_files(ours)),
        f"SELECT {cast} FROM read_parquet({questions.files(theirs) or [theirs]})",
        questions.KEYS, questions.FIGURES, "day",
    )


def bucket_files(ours: str) -> list[str]:
    """Where our counts are: a file a day, or one table of a whole snapshot."""
    snapshot = [path for path in questions.files(ours) if path.endswith("/bucket_counts.parquet")]
    return snapshot or questions.files(ours)


def normalize(ours: str, theirs: str) -> tuple[int, list[str]]:
    columns = [(name, kind) for _, name, kind in questions.EVENT_COLUMNS if name not in NOT_VERBATIM]

    def picked(time: str) -> str:
        # Okta's words for nothing are nothing in ours.
        texts = "CASE WHEN lower({0}) IN ('unknown', 'null') THEN NULL ELSE {0} END AS {0}"
        return ", ".join(
            time if name == "time" else texts.format(name) if kind == questions.TEXT else name for name, kind in columns
        )

    return differences(
        f"SELECT {picked('epoch_ms(time) AS time')} FROM read_parquet({questions.files(f'{ours}/events')})",
        f"SELECT {picked('time')} FROM read_parquet('{theirs}')",
        ["metadata_uid"], [name for name, _ in columns if name != "metadata_uid"], "time",
    )


def main() -> int:
    what, ours, theirs = sys.argv[1:]
    rows, found = {"counts": counts, "normalize": normalize}[what](ours, theirs)
    print("; ".join(found) if found else rows)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
