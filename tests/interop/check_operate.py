"""The files of docs/operate are what their readers accept, and agree with each other."""

import json
import os
import pathlib
import py_compile
import re
import shutil
import subprocess
import tomllib

import yaml

SYSTEM = {  # a place of the examples: what stands for it in the test
    "/var/lib/attack-factor": "store",
    "/srv/attack-factor": "input",
    "/etc/attack-factor": "config",
}


def check(folder: pathlib.Path, work: pathlib.Path, program: str) -> str:
    work.mkdir()
    said = [
        check_units(folder, work, program),
        check_kubernetes(folder),
        check_airflow(folder, work),
        check_shell(folder, work),
        check_config(folder, work, program),
    ]
    return "; ".join(said)


def check_units(folder: pathlib.Path, work: pathlib.Path, program: str) -> str:
    units = ["attack-factor.service", "attack-factor.timer"]
    if not shutil.which("systemd-analyze"):
        return "SKIPPED systemd: no systemd-analyze here"
    for unit in units:
        # The program must exist where the unit says, so it says where it is here.
        text = (folder / unit).read_text().replace("/usr/local/bin/attack-factor", program)
        (work / unit).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(work / unit) for unit in units)], capture_output=True, text=True
    )
    # What it says of other units of this machine is not about ours.
    ours = [line for line in done.stderr.splitlines() if "attack-factor" in line]
    assert not ours, "\n".join(ours)
    calendar = re.search(r"^OnCalendar=(.*)$", (folder / units[1]).read_text(), re.MULTILINE)
    subprocess.run(["systemd-analyze", "calendar", calendar[1]], check=True, capture_output=True)
    return "systemd units"


def check_kubernetes(folder: pathlib.Path) -> str:
    documents = {document["kind"]: document for document in yaml.safe_load_all((folder / "cronjob.yaml").read_text())}
    assert set(documents) == {"ConfigMap", "PersistentVolumeClaim", "CronJob"}, set(documents)
    config = tomllib.loads(documents["ConfigMap"]["data"]["attack-factor.toml"])
    assert config == tomllib.loads((folder / "attack-factor.toml").read_text()), "the ConfigMap has another configuration"
    job = documents["CronJob"]["spec"]
    assert job["concurrencyPolicy"] == "Forbid"
    pod = job["jobTemplate"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    service = re.search(r"^ExecStart=\S+ (.*)$", (folder / "attack-factor.service").read_text(), re.MULTILINE)
    assert container["args"] == service[1].split(), "systemd and Kubernetes run it in different ways"
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert set(mounts) == {volume["name"] for volume in pod["volumes"]}
    places = [config["store"], container["args"][2]] + [
        file for tenant in config["tenant"] for kind in ("people", "okta") for feed in tenant[kind] for file in feed["files"]
    ]
    for place in places:
        assert any(place.startswith(path) for path in mounts.values()), f"{place} is not mounted"
    return "Kubernetes CronJob"


def check_airflow(folder: pathlib.Path, work: pathlib.Path) -> str:
    py_compile.compile(str(folder / "attack_factor_dag.py"), cfile=str(work / "dag.pyc"), doraise=True)
    return "Airflow DAG compiles"


def check_shell(folder: pathlib.Path, work: pathlib.Path) -> str:
    """The script exits as the run did, keeps the summary, and tells the right thing."""
    tools = work / "tools"
    tools.mkdir()
    told = work / "told"
    for name, text in {
        "logger": f'#!/bin/sh\nshift 4\nshift\necho "$*" > {told}\n',
        "attack-factor": '#!/bin/sh\necho "{\\"code\\": $CODE}"\nexit $CODE\n',
    }.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    words = {0: "done", 10: "level high", 4: "left out", 3: "missing", 2: "configuration", 1: "nothing was published"}
    for code, word in words.items():
        reports = work / f"reports-{code}"
        environment = {
            "PATH": f"{tools}:{os.environ['PATH']}", "CODE": str(code), "ATTACK_FACTOR_REPORTS": str(reports),
        }
        done = subprocess.run(["bash", str(folder / "nightly.sh")], env=environment, capture_output=True, text=True)
        assert done.returncode == code, f"{done.returncode}, not {code}: {done.stderr}"
        assert word in told.read_text(), f"{code}: {told.read_text()}"
        [summary] = reports.glob("*.json")
        assert json.loads(summary.read_text()) == {"code": code}
    return "nightly.sh for every exit code"


def check_config(folder: pathlib.Path, work: pathlib.Path, program: str) -> str:
    """The example runs, on the demo's data in its places."""
    text = (folder / "attack-factor.toml").read_text()
    tomllib.loads(text)
    for place, name in SYSTEM.items():
        text = text.replace(f'"{place}', f'"{work / name}')
    demo = folder.parents[1] / "data" / "samples" / "demo"
    for name, place in {"users.csv": "people.csv", "events.ndjson.gz": "okta/events.ndjson.gz"}.items():
        target = work / "input" / "acme" / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(demo / name, target)
    (work / "config").mkdir()
    config = work / "config" / "attack-factor.toml"
    config.write_text(text)
    for arguments in (["config", "check"], ["run", "--format", "json"]):
        done = subprocess.run(
            [program, *arguments, "--config", str(config)], capture_output=True, text=True, cwd=work
        )
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    json.loads(done.stdout)
    assert (work / "store" / "snapshots" / "LATEST").is_file()
    return "the example configuration runs"
