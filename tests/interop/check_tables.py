"""Every table of snapshots, stores and fixtures: types, nulls, counts and values, in four readers."""

import functools
import json
import pathlib
import subprocess

import pyarrow.parquet as pq

from readers import expected_type, read

# Folder of a store and the table its files hold.
FOLDERS = {
    "events": "identity_events",
    "signals": "attack_signals",
    "directory": "directory",
    "quarantine": "quarantine",
    "retractions": "retractions",
}


@functools.cache
def contract(program: str) -> dict:
    """Column contracts by table, as the program itself prints them."""
    text = subprocess.run(
        [program, "schema", "--format", "json"], check=True, capture_output=True, text=True
    ).stdout
    tables: dict = {}
    for row in json.loads(text):
        tables.setdefault(row["table"], {})[row["column"]] = row
    return tables


def latest_snapshot(store: pathlib.Path) -> pathlib.Path:
    return store / "snapshots" / (store / "snapshots" / "LATEST").read_text().strip()


def check_file(path: pathlib.Path, table: str, program: str, is_old: bool = False) -> list:
    """Types, nulls and rows of one file; the four readers must agree. Returns the rows."""
    columns = contract(program)[table]
    metadata = pq.read_metadata(path)
    seen = read(path)
    reference = seen[0].rows
    for one in seen:
        where = f"{path.name} ({table}) in {one.reader}"
        # A fixture may be older than the newest column.
        names = [name for name in columns if name in one.types] if is_old else list(columns)
        assert list(one.types) == names, f"{where}: {list(one.types)}"
        for name, kind in one.types.items():
            promised = expected_type(one.reader, columns[name]["type"])
            assert kind == promised, f"{where}: {name} is {kind}, not {promised}"
        assert len(one.rows) == metadata.num_rows, f"{where}: {len(one.rows)} rows"
        for number, (row, expected) in enumerate(zip(one.rows, reference)):
            assert row == expected, f"{where}: row {number} is {row}, pyarrow has {expected}"
            for name, column in columns.items():
                assert column["nullable"] or name in row, f"{where}: row {number}: {name} is null"
    # Statistics and filters work on plain strings.
    assert pq.read_table(path, filters=[("tenant_uid", "=", "nobody")]).num_rows == 0
    return reference


def check_fixtures(repository: pathlib.Path, program: str) -> str:
    """The fixtures of all table versions hold the rows that stand beside them."""
    count, found = 0, set()
    for path in sorted((repository / "tests" / "fixtures").glob("tables-v*/*.parquet")):
        rows = check_file(path, path.stem, program, is_old=True)
        expected = [json.loads(line) for line in path.with_suffix(".jsonl").read_text().splitlines()]
        assert rows == expected, f"{path}: {rows} is not {expected}"
        count += 1
        found.add(path.stem)
    assert found == set(contract(program)), f"no fixture of {set(contract(program)) - found}"
    return f"{count} fixtures give the rows beside them"


def check_snapshot(snapshot: pathlib.Path, program: str) -> str:
    """Every table of a snapshot is there, as its manifest says."""
    manifest = json.loads((snapshot / "manifest.json").read_text())
    files = {path.name for path in snapshot.glob("*.parquet")}
    assert files == {entry["path"] for entry in manifest["files"]}, files
    for entry in manifest["files"]:
        path = snapshot / entry["path"]
        rows = check_file(path, path.stem, program)
        assert len(rows) == entry["rows"], f"{path.stem}: {len(rows)} rows"
    return f"{len(files)} tables of the snapshot"


def check_store(store: pathlib.Path, program: str) -> str:
    """Every table of a store, and as many rows as the accounts say."""
    counts = dict.fromkeys(FOLDERS.values(), 0)
    for folder, table in FOLDERS.items():
        for path in sorted((store / folder).rglob("*.parquet")):
            counts[table] += len(check_file(path, table, program))
    manifest = json.loads((latest_snapshot(store) / "manifest.json").read_text())
    accounts = manifest["run"]["tenants"].values()
    for table, rows in {
        "identity_events": sum(entry["events"]["normalized"] for entry in accounts),
        "attack_signals": sum(entry["signals"]["signals_read"] for entry in accounts),
        "directory": sum(version["people"] for version in manifest["directories"]),
    }.items():
        assert counts[table] == rows, f"{table}: {counts[table]} rows, the manifest says {rows}"
    return ", ".join(f"{rows} {table}" for table, rows in counts.items())


def check_quarantine(store: pathlib.Path, program: str) -> str:
    """What is refused is a row with reason and place, readable by all; its content is nowhere."""
    secret = "NotARealPassword-Fake-2026!"
    lines = ['{"uuid": "' + secret, '{"eventType": "user.session.start"}', "[1, 2"]
    subprocess.run(
        [program, "normalize", "okta", "-", "--tenant", "demo", "--store", str(store), "--quiet"],
        check=True, capture_output=True, text=True, input="\n".join(lines) + "\n",
    )
    rows = []
    for path in sorted((store / "quarantine").rglob("*.parquet")):
        rows += check_file(path, "quarantine", program)
    assert rows, "nothing was refused"
    assert {row["file"] for row in rows} == {"-"} and min(row["line"] for row in rows) == 1, rows
    assert secret not in json.dumps(rows), "a refused line was kept"
    return f"{len(rows)} refused lines, with reason and place"
