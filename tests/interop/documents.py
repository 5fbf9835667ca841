"""Runs the code blocks of a Markdown page in order, so that what the page shows cannot rot.

`sql` runs in one DuckDB connection, `python` in a namespace of its own, `sh` in bash, all in one
folder. `text` right after `sh` is what that prints on standard output. A comment before a block
changes that: `<!-- file: NAME -->` saves the block, `<!-- not run -->` leaves it alone, and what
stands under `<!-- finds nothing -->` must find no row.
"""

import contextlib
import io
import os
import pathlib
import re
import subprocess
from dataclasses import dataclass

import duckdb

BLOCK = re.compile(r"^(?:<!-- (?P<mark>[^>]*) -->\n)?```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
RUNNABLE = ("sql", "python", "sh")


@dataclass
class Block:
    mark: str
    kind: str
    text: str
    line: int
    span: tuple


def blocks(page: str) -> list[Block]:
    return [
        Block(
            mark=found["mark"] or "",
            kind=found["kind"],
            text=found["text"],
            line=page.count("\n", 0, found.start("text")),
            span=found.span("text"),
        )
        for found in BLOCK.finditer(page)
    ]


def run_page(path: pathlib.Path, folder: pathlib.Path, bless: bool = False) -> str:
    """Runs a page in a folder. With `bless`, what `sh` printed replaces the `text` after it."""
    page = path.read_text()
    db = duckdb.connect(config={"home_directory": str(folder)})
    db.execute(f"SET file_search_path = '{folder}'")
    ran = {kind: 0 for kind in RUNNABLE}
    printed = None
    fresh: list[tuple] = []
    for block in blocks(page):
        where = f"{path.name}:{block.line}"
        if name := re.fullmatch(r"file: ([\w.-]+)", block.mark):
            (folder / name[1]).write_text(block.text)
            continue
        if block.mark == "not run":
            continue
        if block.kind == "text" and printed is not None:
            if printed != block.text:
                assert bless, f"{where}: it prints\n{printed}\nnot\n{block.text}"
                fresh.append((block.span, printed))
        elif block.kind in RUNNABLE:
            try:
                printed = run_block(block, folder, db)
            except Exception as error:
                said = getattr(error, "stderr", None) or error
                raise AssertionError(f"{where}: {block.text}\n{said}") from error
            ran[block.kind] += 1
            continue
        printed = None
    for (start, end), text in reversed(fresh):
        page = page[:start] + text + page[end:]
    if fresh:
        path.write_text(page)
    assert sum(ran.values()), f"{path.name} holds nothing to run"
    return ", ".join(f"{count} {kind}" for kind, count in ran.items() if count)


def run_block(block: Block, folder: pathlib.Path, db: duckdb.DuckDBPyConnection) -> str | None:
    if block.kind == "sh":
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block.text], cwd=folder, check=True, capture_output=True, text=True
        )
        # Lines end where the text does: columns padded to the right are not shown in pages.
        return "".join(line.rstrip() + "\n" for line in done.stdout.splitlines())
    before = os.getcwd()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            if block.kind == "python":
                exec(compile(block.text, "page", "exec"), {"__name__": "page"})
            else:
                for statement in db.extract_statements(block.text):
                    result = db.execute(statement)
                    rows = result.fetchall() if result.description else []
                    if block.mark == "finds nothing":
                        assert not rows, f"the page says that this finds nothing: {rows[:5]}"
    finally:
        os.chdir(before)
    return None
