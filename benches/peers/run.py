"""Our program beside the engines people would use instead: the same files, the same answer.

    python3 benches/peers/run.py                       # 200 k rows: a first look, some minutes with the build
    python3 benches/peers/run.py --sizes 2M,20M,100M   # the kept result
    python3 benches/peers/run.py --self-check          # proves that a wrong answer is found

See README.md beside this file.
"""

import argparse
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

import report
import work
from measure import machine

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
PEERS = ["duckdb", "clickhouse", "polars", "datafusion", "pandas"]
JOBS = ["normalize", "detect", "counts", "snapshot", "nightly"]
LAYOUTS = ["sorted", "foreign"]


def main() -> int:
    options = arguments()
    options.work.mkdir(parents=True, exist_ok=True)
    python = environment(options.work)
    programs = build(options)
    place = work.Place(options.work, python, programs, options.timeout, options.memory)
    work.clear(place.scratch)
    if options.self_check:
        import self_check

        return self_check.run(place)
    kept = options.work / "measured.json"
    rows = [] if options.fresh or not kept.exists() else json.loads(kept.read_text())
    rows = replaced(rows, work.start(place, options.peers))
    for jobs, size, layout in steps(options):
        for job in jobs:
            rounds = options.rounds or (3 if max(options.sizes + options.events + options.classified) >= 1_000_000 else 1)
            rows = replaced(rows, work.measure_job(place, job, size, layout, options.peers, rounds))
            # After every job, so that a run that is ended keeps what it has.
            kept.write_text(json.dumps(rows, indent=1))
        if options.drop_data:
            work.drop(place, jobs[0], size, layout)
    text = report.page(rows, machine(), versions(python))
    print("\n" + text)
    if options.write:
        (HERE / "results.md").write_text(text)
    wrong = [row for row in rows if row["equal"].startswith("WRONG")]
    return 1 if wrong else 0


def steps(options: argparse.Namespace) -> list[tuple[list[str], int, str]]:
    """Jobs over the same data, its size and its layout."""
    of_events = [([job], size, "sorted") for job, sizes in (("normalize", options.events), ("detect", options.classified))
                 for size in sizes if job in options.jobs]
    of_signals = []
    for size in options.sizes:
        for layout in options.layouts:
            possible = ["counts", "snapshot", "nightly"] if layout == "sorted" else ["counts", "snapshot"]
            jobs = [job for job in possible if job in options.jobs]
            if jobs:
                of_signals.append((jobs, size, layout))
    return of_events + of_signals


def replaced(rows: list[dict], new: list[dict]) -> list[dict]:
    """The rows, those that were measured again replaced."""
    measured = {(row["job"], row["layout"], row["size"], row["who"]) for row in new}
    return [row for row in rows if (row["job"], row["layout"], row["size"], row["who"]) not in measured] + new


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=sizes, default=[200_000], help="signals, e.g. 2M,20M,100M")
    parser.add_argument("--events", type=sizes, default=[20_000], help="raw events, e.g. 200k,1M")
    parser.add_argument("--classified", type=sizes, default=[200_000], help="normalized events that rules look at, e.g. 2M,20M")
    parser.add_argument("--jobs", type=names(JOBS), default=JOBS, help=",".join(JOBS))
    parser.add_argument("--layouts", type=names(LAYOUTS), default=LAYOUTS, help=",".join(LAYOUTS))
    parser.add_argument("--peers", type=names(PEERS), default=PEERS, help=",".join(PEERS))
    parser.add_argument("--rounds", type=int, help="times that everybody runs, in turns; 3, or 1 for a first look below a million")
    parser.add_argument("--timeout", type=float, default=1800, help="seconds after which a process is ended")
    parser.add_argument("--memory", type=float, default=20, help="GiB above which a process is ended")
    parser.add_argument("--work", type=pathlib.Path, default=REPOSITORY / "target" / "peers",
                        help="folder for the environment, the data and the results of every engine")
    parser.add_argument("--binaries", type=pathlib.Path, help="folder with attack-factor and xtask; built if not given")
    parser.add_argument("--drop-data", action="store_true", help="remove data of a size and layout when it was used")
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs measured")
    parser.add_argument("--write", action="store_true", help="keep the result as results.md")
    parser.add_argument("--self-check", action="store_true", help="prove that wrong answers and excesses are found")
    options = parser.parse_args()
    options.work = options.work.resolve()
    return options


def sizes(text: str) -> list[int]:
    units = {"k": 1_000, "M": 1_000_000}
    return [round(float(size.rstrip("kM")) * units.get(size[-1], 1)) for size in text.split(",")]


def names(known: list[str]):
    def parse(text: str) -> list[str]:
        given = [name for name in text.split(",") if name]
        unknown = [name for name in given if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{unknown[0]} is none of {', '.join(known)}")
        return given

    return parse


def environment(folder: pathlib.Path) -> pathlib.Path:
    """A virtual environment with the pinned versions; made once. Its Python."""
    pinned = HERE / "requirements.txt"
    sum_of_pins = hashlib.sha256(pinned.read_bytes()).hexdigest()
    home, stamp = folder / "environment", folder / "environment" / "installed"
    if not stamp.exists() or stamp.read_text() != sum_of_pins:
        print("installing the engines", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        subprocess.run([home / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                        "--requirement", pinned], check=True)
        stamp.write_text(sum_of_pins)
    return home / "bin" / "python"


def build(options: argparse.Namespace) -> pathlib.Path:
    """The folder of the optimized programs."""
    if options.binaries:
        return options.binaries.resolve()
    print("building the programs", flush=True)
    subprocess.run(["cargo", "build", "--release", "--workspace", "--bins"], cwd=REPOSITORY, check=True)
    target = os.environ.get("CARGO_TARGET_DIR")
    return (pathlib.Path(target) if target else REPOSITORY / "target") / "release"


def versions(python: pathlib.Path) -> list[str]:
    listed = subprocess.run([python, "-m", "pip", "freeze", "--disable-pip-version-check"], check=True,
                            capture_output=True, text=True).stdout.split()
    wanted = ("duckdb", "chdb-core", "polars", "datafusion", "pandas", "pyarrow")
    return [line.replace("==", " ") for line in listed if line.split("==")[0] in wanted]


if __name__ == "__main__":
    if shutil.which("cargo") is None and "--binaries" not in sys.argv:
        sys.exit("cargo is not installed; give --binaries")
    sys.exit(main())
