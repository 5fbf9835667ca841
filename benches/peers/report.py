"""What was measured, as a page."""

import datetime
import statistics

TITLES = {
    ("normalize", "sorted"): "Raw Okta events → Parquet of normalized columns",
    ("detect", "sorted"): "Identity events → attack signals, by all shipped rules",
    ("counts", "sorted"): "Attack signals → bucket counts, from our sorted files of a day",
    ("counts", "foreign"): "Attack signals → bucket counts, from eight unsorted files of another writer",
    ("snapshot", "sorted"): "Attack signals → full snapshot, from our sorted files of a day",
    ("snapshot", "foreign"): "Attack signals → full snapshot, from eight unsorted files of another writer",
    ("nightly", "sorted"): "A store of 90 days, night after night",
}
OURS = "attack-factor"


def page(rows: list[dict], machine: str, versions: list[str]) -> str:
    today = datetime.datetime.now(datetime.UTC).date()
    lines = [
        "# Our program beside other engines", "",
        f"{today}, `python3 benches/peers/run.py`, {machine}. {', '.join(versions)}. What is compared: [README](README.md).",
        "", "Seconds are the median of whole processes that ran in turns, in brackets the smallest and of how many; × is how many times ours "
        "that is; MiB is the largest peak; growth is time and memory per row at that size against the size before.",
    ]
    starts = [f"{row['who']} {seconds(row):.2f} s" for row in rows if row["job"] == "start" and not row["failed"]]
    if starts:
        lines += ["", f"Starting and ending alone: {', '.join(starts)}."]
    for (job, layout), title in TITLES.items():
        of_job = [row for row in rows if (row["job"], row["layout"]) == (job, layout)]
        if of_job:
            lines += ["", f"## {title}", "", *table(of_job, rows)]
    return "\n".join(lines) + "\n"


def table(of_job: list[dict], rows: list[dict]) -> list[str]:
    sizes = sorted({row["size"] for row in of_job})
    found = {(row["who"], row["size"]): row for row in of_job}
    whose = list(dict.fromkeys(row["who"] for row in of_job))
    lines = [
        "| | " + " | ".join(f"{short(size)}: s | × | MiB | growth of time, memory" for size in sizes) + " | same answer |",
        "|---" * (4 * len(sizes) + 2) + "|",
    ]
    for who in whose:
        cells = []
        for before, size in zip([None, *sizes], sizes):
            cells += of_size(found, who, before, size, reference(rows, of_job[0], size))
        told = {row["equal"] for row in of_job if row["who"] == who and row["equal"]}
        wrong = sorted(text for text in told if not text.endswith("rows equal"))
        same = "; ".join(wrong) if wrong else "yes" if told else ""
        lines.append(f"| {who} | " + " | ".join(cells) + f" | {same} |")
    return lines


def reference(rows: list[dict], of_job: dict, size: int) -> float | None:
    """Our seconds, which others are divided by; a snapshot and a night stand beside our own counts."""
    job, who = of_job["job"], OURS
    if job == "snapshot":
        job = "counts"
    if job == "nightly":
        who = "first run, 89 days"
    for row in rows:
        if (row["job"], row["layout"], row["size"], row["who"]) == (job, of_job["layout"], size, who):
            return seconds(row)
    return None


def of_size(found: dict, who: str, before: int | None, size: int, ours: float | None) -> list[str]:
    row = found.get((who, size))
    if row is None:
        return ["", "", "", ""]
    if row["failed"] or not row["runs"]:
        return [row["failed"] or "not run", "", "", ""]
    took, least = seconds(row), min(run["seconds"] for run in row["runs"])
    ratio = f"{took / ours:.2f}" if ours else ""
    earlier, growth = found.get((who, before)), ""
    if earlier and earlier["runs"] and not earlier["failed"]:
        per_row = (took / size) / (seconds(earlier) / before)
        growth = f"{per_row:.2f}, {peak(row) / peak(earlier):.2f}"
    return [f"{took:.2f} ({least:.2f}, {len(row['runs'])})", ratio, str(peak(row)), growth]


def seconds(row: dict) -> float | None:
    return statistics.median(run["seconds"] for run in row["runs"]) if row["runs"] else None


def peak(row: dict) -> int:
    return max(run["peak_mib"] for run in row["runs"])


def short(size: int) -> str:
    if size % 100_000 == 0 and size >= 1_000_000:
        return f"{size / 1e6:g} M"
    return f"{size / 1e3:g} k"
