"""A whole process, measured: seconds, processor seconds, peak memory; ended when it takes too much."""

import dataclasses
import os
import pathlib
import subprocess
import tempfile
import threading
import time


@dataclasses.dataclass
class Measured:
    """What a process took. `failed` says why it did not end well, or nothing."""

    seconds: float
    processor_seconds: float
    peak_mib: int
    failed: str = ""


def measure(command: list[str], folder: pathlib.Path, timeout: float, limit_gib: float) -> Measured:
    """Runs a command in a folder and waits for it.

    Peak memory is the kernel's own figure for the process (`ru_maxrss`), pages of mapped files included;
    the limit looks at memory of its own only.
    """
    with tempfile.TemporaryFile() as errors:
        before = time.perf_counter()
        child = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
            start_new_session=True,
        )
        ended, reason = threading.Event(), []
        guard = threading.Thread(target=watch, args=(child.pid, ended, timeout, limit_gib, reason))
        guard.start()
        _, status, used = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - before
        ended.set()
        guard.join()
        code = child.returncode = os.waitstatus_to_exitcode(status)
        failed = reason[0] if reason else ""
        if code != 0 and not failed:
            errors.seek(0)
            lines = errors.read().decode(errors="replace").strip().splitlines() or [""]
            # The line that names the error; some engines draw the place of it below.
            said = next((line for line in reversed(lines) if "rror" in line), lines[-1])
            failed = f"ended with {code}: {said.strip()}"[:300]
    return Measured(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024, failed)


def watch(pid: int, ended: threading.Event, timeout: float, limit_gib: float, reason: list[str]):
    """Ends the process when its time or its memory is up."""
    deadline = time.monotonic() + timeout
    while not ended.wait(0.05):
        if time.monotonic() > deadline:
            reason.append(f"not done after {timeout:.0f} s")
        elif own_gib(pid) > limit_gib:
            reason.append(f"more than {limit_gib:g} GiB of memory")
        if reason:
            # Not waited for yet, so the number is still its own.
            os.kill(pid, 9)
            return


def own_gib(pid: int) -> float:
    """Memory that is no file's, in GiB."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    kib = sum(int(line.split()[1]) for line in status.splitlines() if line.startswith(("RssAnon", "RssShmem")))
    return kib / 1024 / 1024


def machine() -> str:
    """Cores, memory, kernel and processor."""
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({cpu}), {gib:.0f} GiB of memory, Linux {os.uname().release}"
