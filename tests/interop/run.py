"""Other people's readers against the demo, the fixtures and the pages that show how.

    run.py STORE PROGRAM [--bless]

STORE is the demo's store; it is copied before anything is written to it. With `--bless` the output
shown in the pages is written anew.
"""

import os
import pathlib
import shutil
import sys
import tempfile
import traceback

import check_operate
import check_scores
import check_tables
import documents

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PAGES = ("README.md", "docs/read-the-tables.md", "docs/bring-your-own-source.md", "docs/operate.md")


def main() -> int:
    arguments = [argument for argument in sys.argv[1:] if argument != "--bless"]
    bless = "--bless" in sys.argv[1:]
    store, program = pathlib.Path(arguments[0]).resolve(), str(pathlib.Path(arguments[1]).resolve())
    # Pages call the program and Python by name.
    os.environ["PATH"] = os.pathsep.join(
        [str(pathlib.Path(program).parent), str(pathlib.Path(sys.executable).parent), os.environ["PATH"]]
    )
    os.environ.pop("ATTACK_FACTOR_STORE", None)
    os.environ.pop("ATTACK_FACTOR_CONFIG", None)
    with tempfile.TemporaryDirectory() as scratch:
        work = pathlib.Path(scratch)
        copy = work / "copy"
        shutil.copytree(store, copy)
        snapshot = check_tables.latest_snapshot(store)
        checks = {
            "snapshot": lambda: check_tables.check_snapshot(snapshot, program),
            "store": lambda: check_tables.check_store(store, program),
            "quarantine": lambda: check_tables.check_quarantine(copy, program),
            "fixtures": lambda: check_tables.check_fixtures(REPOSITORY, program),
            "scores in DuckDB": lambda: check_scores.check_duckdb(snapshot),
            "scores in polars": lambda: check_scores.check_polars(snapshot),
            "operate": lambda: check_operate.check(REPOSITORY / "docs" / "operate", work / "examples", program),
        }
        for page in PAGES:
            checks[page] = lambda page=page: run_page(page, store, work, bless)
        failed = 0
        for name, check in checks.items():
            try:
                print(f"ok      {name}: {check()}", flush=True)
            except Exception:
                failed += 1
                print(f"FAILED  {name}\n{traceback.format_exc()}", flush=True)
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


def run_page(page: str, store: pathlib.Path, work: pathlib.Path, bless: bool) -> str:
    folder = work / pathlib.Path(page).stem
    folder.mkdir()
    if page == "README.md":
        # Its first command made the store already.
        (folder / "attack-factor-demo").symlink_to(store)
    return documents.run_page(REPOSITORY / page, folder, bless)


sys.exit(main())
