"""Proof that the comparison finds what it is there for: one wrong integer, one row too few or too many, a
process that takes too long or too much."""

import pathlib
import sys

import work

SIZE = 20_000
SPOIL = """
import duckdb, sys
given, out, change = sys.argv[1:]
duckdb.sql(f"CREATE TABLE result AS SELECT * FROM read_parquet('{given}')")
duckdb.sql(change)
duckdb.sql(f"COPY result TO '{out}' (FORMAT parquet)")
"""
# The first row in the order of the table, so that the same cell is spoiled every time.
COUNTS_ROW = ("(tenant_uid, user_uid, component, family, day) = "
              "(SELECT min((tenant_uid, user_uid, component, family, day)) FROM result)")
EVENTS_ROW = "metadata_uid = (SELECT min(metadata_uid) FROM result)"
CHANGES = {
    "counts": {
        "one count is one more": f"UPDATE result SET n_low = n_low + 1 WHERE {COUNTS_ROW}",
        "one first time is a millisecond later": f"UPDATE result SET first_time = first_time + 1 WHERE {COUNTS_ROW}",
        "one row is missing": f"DELETE FROM result WHERE {COUNTS_ROW}",
        "one row is there twice": f"INSERT INTO result SELECT * FROM result WHERE {COUNTS_ROW}",
        "one person is another": f"UPDATE result SET user_uid = 'nobody' WHERE {COUNTS_ROW}",
    },
    "normalize": {
        "one time is a millisecond later": f"UPDATE result SET time = time + 1 WHERE {EVENTS_ROW}",
        "one event has another type": f"UPDATE result SET metadata_event_code = 'x' WHERE {EVENTS_ROW}",
        "one event is missing": f"DELETE FROM result WHERE {EVENTS_ROW}",
    },
}


def run(place: work.Place) -> int:
    checks = []
    for job, make in (("counts", work.counts), ("normalize", work.normalize)):
        data = work.data_of(place, job, SIZE, "sorted")
        work.clear(place.scratch)
        contenders = make(place, data, "sorted", ["duckdb"])
        for who in (work.OURS, "duckdb"):
            work.clear(place.scratch / who)
            one = contenders[who]()
            checks.append((f"{job}: {who} ends well", not one.failed, one.failed))
        theirs = place.scratch / "duckdb" / {"counts": "counts.parquet", "normalize": "events.parquet"}[job]
        told = work.compared(place, job, place.scratch / work.OURS, theirs)
        checks.append((f"{job}: both give the same answer", told.endswith("rows equal"), told))
        for name, change in CHANGES[job].items():
            told = spoiled(place, job, theirs, change)
            checks.append((f"{job}: {name}", told.startswith("WRONG"), told))
    endless = work.measure([sys.executable, "-c", "while True: pass"], place.scratch, 1.0, place.limit_gib)
    checks.append(("an endless process is ended", "not done after" in endless.failed, endless.failed))
    greedy = "import time; kept = bytearray(1 << 30); time.sleep(60)"
    greedy = work.measure([sys.executable, "-c", greedy], place.scratch, 30.0, 0.5)
    checks.append(("a greedy process is ended", "of memory" in greedy.failed, greedy.failed))
    work.clear(place.scratch)
    for name, is_right, told in checks:
        print(f"{'ok    ' if is_right else 'FAILED'}  {name}: {told}")
    failed = sum(not is_right for _, is_right, _ in checks)
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


def spoiled(place: work.Place, job: str, theirs: pathlib.Path, change: str) -> str:
    out = place.scratch / "spoiled.parquet"
    out.unlink(missing_ok=True)
    command = [str(place.python), "-c", SPOIL, str(theirs), str(out), change]
    one = place.run(command)
    if one.failed:
        return f"could not be spoiled: {one.failed}"
    return work.compared(place, job, place.scratch / work.OURS, out)
