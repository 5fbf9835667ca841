"""Jobs: who runs what over which data, in turns."""

import dataclasses
import os
import pathlib
import shutil
import subprocess

import report
from measure import Measured, measure

HERE = pathlib.Path(__file__).resolve().parent
# The last of the generator's ninety days.
LAST_DAY = "2026-11-20"
DAY_BEFORE = "2026-11-19"
OURS = "attack-factor"


@dataclasses.dataclass
class Place:
    """Where everything is, and how much a process may take."""

    work: pathlib.Path
    python: pathlib.Path
    programs: pathlib.Path
    timeout: float
    limit_gib: float

    @property
    def scratch(self) -> pathlib.Path:
        return self.work / "scratch"

    def program(self, name: str) -> str:
        return str(self.programs / name)

    def engine(self, *arguments) -> list[str]:
        return [str(self.python), str(HERE / "engines.py"), *map(str, arguments)]

    def run(self, command: list[str]) -> Measured:
        return measure(command, self.scratch, self.timeout, self.limit_gib)


def measure_job(place: Place, job: str, size: int, layout: str, peers: list[str], rounds: int) -> list[dict]:
    """Measures everybody at one job, and what they answered. A row for each."""
    data = data_of(place, job, size, layout)
    jobs = {"normalize": normalize, "detect": detect, "counts": counts, "snapshot": snapshot, "nightly": nightly}
    contenders = jobs[job](place, data, layout, peers)
    measured: dict[str, list[Measured]] = {who: [] for who in contenders}
    answers: dict[str, str] = {}
    warm(data / layout)
    for number in range(rounds):
        for who, contender in contenders.items():
            if any(one.failed for one in measured[who]):
                continue
            clear(place.scratch / who)
            one = contender()
            measured[who].append(one)
            if number == 0:
                reference = measured.get(OURS, [one])[0]
                answers[who] = answer(place, job, who, one, reference)
            print(f"{job} {layout} {report.short(size)} {who}: "
                  f"{one.failed or f'{one.seconds:.2f} s, {one.peak_mib} MiB'} {answers[who]}", flush=True)
            if who != OURS:
                clear(place.scratch / who)
    clear(place.scratch)
    return [
        {
            "job": job, "layout": layout, "size": size, "who": who, "equal": answers.get(who, ""),
            "failed": next((one.failed for one in runs if one.failed), ""),
            "runs": [dataclasses.asdict(one) for one in runs if not one.failed],
        }
        for who, runs in measured.items()
    ]


def start(place: Place, peers: list[str]) -> list[dict]:
    """How long it takes each peer to start and end; everybody's other figures hold that."""
    rows = []
    for peer in peers:
        runs = [place.run(place.engine(peer, "start", "-", "-")) for _ in range(3)]
        rows.append({"job": "start", "layout": "", "size": 0, "who": peer, "equal": "",
                     "failed": runs[0].failed, "runs": [dataclasses.asdict(one) for one in runs]})
    return rows


def normalize(place: Place, data: pathlib.Path, layout: str, peers: list[str]) -> dict:
    events, files = data / layout, sorted(map(str, (data / layout).iterdir()))
    program = place.program("attack-factor")
    contenders = {
        OURS: lambda: place.run([program, "normalize", "okta", *files, "--tenant", "bench", "--ingested-at", "2026-12-31",
                                 "--store", str(place.scratch / OURS), "--quiet"]),
    }
    for peer in peers:
        contenders[peer] = lambda peer=peer: place.run(
            place.engine(peer, "normalize", events, place.scratch / peer / "events.parquet")
        )
    return floor(place, "events", events, contenders)


def detect(place: Place, data: pathlib.Path, layout: str, peers: list[str]) -> dict:
    """Ours alone: nobody else reads our rules. All days are new every time."""
    store = data / layout

    def ours() -> Measured:
        shutil.rmtree(store / "signals", ignore_errors=True)
        (store / "state" / "detect.json").unlink(missing_ok=True)
        return place.run([place.program("attack-factor"), "detect", "--store", str(store), "--quiet"])

    return floor(place, "rules", store, {OURS: ours})


def counts(place: Place, data: pathlib.Path, layout: str, peers: list[str]) -> dict:
    signals, people = data / layout, data / "people.parquet"
    ours = count_command(place, signals, people)
    contenders = {OURS: lambda: place.run(ours)}
    ways = ["counts", "counts-by-day"] if layout == "sorted" else ["counts"]
    for peer in peers:
        for way in ways:
            who = peer + way.removeprefix("counts").replace("-", " ")
            out = place.scratch / who / ("days" if way == "counts-by-day" else "counts.parquet")
            contenders[who] = lambda peer=peer, way=way, out=out: place.run(
                place.engine(peer, way, signals, out, people)
            )
    return floor(place, "signals", signals, contenders)


def count_command(place: Place, signals: pathlib.Path, people: pathlib.Path) -> list[str]:
    """`count`, or where the program does not have it yet, `score`, which does more."""
    program = place.program("attack-factor")
    told = subprocess.run([program, "count", "--help"], capture_output=True, text=True)
    if told.returncode != 0:
        return score_command(place, signals, people)
    cut = ["--as-of", LAST_DAY] if "--as-of" in told.stdout else []
    return [program, "count", "--signals", *files_of(signals), "--users", str(people), "--out",
            str(place.scratch / OURS / "out"), *cut, "--quiet"]


def score_command(place: Place, signals: pathlib.Path, people: pathlib.Path) -> list[str]:
    return [place.program("attack-factor"), "score", "--signals", *files_of(signals), "--users", str(people), "--out",
            str(place.scratch / OURS / "out"), "--as-of", LAST_DAY, "--quiet"]


def snapshot(place: Place, data: pathlib.Path, layout: str, peers: list[str]) -> dict:
    """Ours alone: the integer formula is nobody else's."""
    command = score_command(place, data / layout, data / "people.parquet")
    return {OURS: lambda: place.run(command)}


def nightly(place: Place, data: pathlib.Path, layout: str, peers: list[str]) -> dict:
    """A store of 89 days is scored, then with one day more, then once more with nothing new."""
    program, store = place.program("attack-factor"), place.scratch / "nightly store"

    def take(day: pathlib.Path):
        folder = store / "signals" / day.name
        folder.mkdir(parents=True, exist_ok=True)
        for file in day.iterdir():
            os.link(file, folder / file.name)

    def score(as_of: str) -> Measured:
        return place.run([program, "score", "--store", str(store), "--as-of", as_of, "--quiet"])

    def first() -> Measured:
        clear(store)
        subprocess.run([program, "users", "import", str(data / "people.parquet"), "--store", str(store), "--quiet"],
                       check=True, stdout=subprocess.DEVNULL)
        for day in sorted((data / layout).iterdir())[:-1]:
            take(day)
        return score(DAY_BEFORE)

    def second() -> Measured:
        take(sorted((data / layout).iterdir())[-1])
        return score(LAST_DAY)

    return {"first run, 89 days": first, "second run, one day more": second,
            "third run, nothing new": lambda: score(LAST_DAY)}


def floor(place: Place, what: str, folder: pathlib.Path, contenders: dict) -> dict:
    """Beside the engines, what no engine can do without: decoding these columns, parsing these events."""
    program = place.program("xtask")
    told = subprocess.run([program, "floor", "--help"], capture_output=True, text=True)
    if told.returncode == 0:
        contenders["floor"] = lambda: place.run([program, "floor", what, str(folder)])
    return contenders


def answer(place: Place, job: str, who: str, one: Measured, reference: Measured) -> str:
    """What became of the comparison with our result."""
    if who in (OURS, "floor") or job in ("detect", "snapshot", "nightly") or one.failed:
        return ""
    if reference.failed:
        return "not compared: ours failed"
    theirs = place.scratch / who / {"normalize": "events.parquet"}.get(job, "")
    return compared(place, job, place.scratch / OURS, theirs)


def compared(place: Place, job: str, ours: pathlib.Path, theirs: pathlib.Path) -> str:
    done = subprocess.run([place.python, HERE / "compare.py", job, ours, theirs], cwd=place.scratch,
                          capture_output=True, text=True, timeout=7200)
    said = (done.stdout or done.stderr).strip().splitlines()
    told = said[-1] if said else f"the comparison ended with {done.returncode}"
    return f"{told} rows equal" if done.returncode == 0 else f"WRONG: {told}"


def data_of(place: Place, job: str, size: int, layout: str) -> pathlib.Path:
    """The folder of the generated data, which is made when it is not there or not whole."""
    kind = {"normalize": "events", "detect": "identity-events"}.get(job, "signals")
    folder = place.work / "data" / f"{kind}-{size}"
    out = folder / layout
    done = folder / f"{layout}.done"
    if done.exists():
        return folder
    print(f"generating {report.short(size)} {kind}, {layout}", flush=True)
    shutil.rmtree(out, ignore_errors=True)
    command = [place.program("xtask")]
    if kind == "events":
        command += ["raw-events", "--out", str(out), "--rows", str(size)]
    elif kind == "identity-events":
        command += ["identity-events", "--store", str(out), "--rows", str(size)]
    else:
        # Some people in every organization also where there are few.
        tenants = max(1, min(1000, size // 100 // 20))
        command += ["signals", "--out", str(folder), "--rows", str(size), "--tenants", str(tenants), "--layout", layout]
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(command, check=True)
    done.touch()
    return folder


def drop(place: Place, job: str, size: int, layout: str):
    folder = data_of(place, job, size, layout)
    (folder / f"{layout}.done").unlink()
    shutil.rmtree(folder / layout)


def files_of(folder: pathlib.Path) -> list[str]:
    return sorted(map(str, folder.rglob("*.parquet")))


def warm(folder: pathlib.Path):
    """Reads the files once, so that nobody pays the disk for the others."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                while file.read(1 << 22):
                    pass


def clear(folder: pathlib.Path):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
