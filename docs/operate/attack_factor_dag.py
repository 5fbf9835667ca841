"""Airflow 3: one nightly run, its check, and what each exit code means."""

import json
import subprocess
from datetime import UTC, datetime, timedelta

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException

CONFIG = "/etc/attack-factor/attack-factor.toml"
STORE = "/var/lib/attack-factor"

# Trying again does not help: somebody has to look.
NOT_BY_ITSELF = {
    2: "the configuration or a rule is wrong: attack-factor config check",
    3: "an input file is missing: look at the feed",
    4: "a data gate failed or a tenant was left out",
}


def attack_factor(*arguments: str, good: tuple[int, ...] = (0,)) -> tuple[int, str]:
    done = subprocess.run(["attack-factor", *arguments], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode in good:
        return done.returncode, done.stdout
    if why := NOT_BY_ITSELF.get(done.returncode):
        raise AirflowFailException(why)
    raise AirflowException(f"attack-factor {arguments[0]} failed with {done.returncode}; running it again is safe")


@dag(
    schedule="30 3 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=10)},
    tags=["security"],
)
def attack_factor_nightly():
    @task
    def run() -> bool:
        """Scores; says whether somebody is at level high or above."""
        code, summary = attack_factor(
            "run", "--config", CONFIG, "--strict", "--fail-on", "high",
            "--log-format", "json", "--format", "json", good=(0, 10),
        )
        print(json.dumps(json.loads(summary), indent=2))
        return code == 10

    @task
    def verify() -> None:
        """Recomputes every figure of what was just published."""
        attack_factor("verify", STORE)

    @task
    def tell(somebody_is_attacked: bool) -> None:
        """Replace this by a message to whoever protects people."""
        if somebody_is_attacked:
            print(attack_factor("top", "--store", STORE, "--min-level", "high", "--format", "json")[1])

    attacked = run()
    attacked >> verify()
    tell(attacked)


attack_factor_nightly()
