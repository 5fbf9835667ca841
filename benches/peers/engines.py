"""One engine, one job, one process: this is what is measured.

    engines.py ENGINE JOB INPUT OUT [PEOPLE]

JOB is `start` (import the engine and end), `normalize` (INPUT a folder of raw events), `counts` (INPUT
a folder of signals) or `counts-by-day` (the same, a day's folder at a time). Everything is left at the
engine's defaults, so all cores are used.
"""

import os
import pathlib
import sys

import questions
from questions import DAY_MILLIS, EVENT_COLUMNS, SPAN, TARGET_FIELDS


class DuckDb:
    TYPES = {"text": "VARCHAR", "number": "DOUBLE", "integer": "BIGINT", "flag": "BOOLEAN"}
    # As fast here as an aggregate, in half the memory.
    KEPT = f"""
        SELECT * FROM (
            SELECT *, millis // {DAY_MILLIS} AS day, row_number() OVER (
                PARTITION BY tenant_uid, source, signal_uid, millis // {DAY_MILLIS} ORDER BY ingested NULLS FIRST
            ) AS copy
            FROM signals
        ) WHERE copy = 1
    """
    def __init__(self):
        import duckdb

        self.engine = duckdb.connect()

    def counts(self, signals: str, people: str, out: str):
        query = questions.COUNTS.format(
            signals=f"read_parquet({questions.files(signals)})",
            people=f"read_parquet('{people}')",
            time_millis="epoch_ms(time)",
            ingested_millis="epoch_ms(ingested_at)",
            kept=self.KEPT,
            quotient_span=f"strongest // {SPAN}",
        )
        self.engine.execute(f"COPY ({query}) TO '{out}' (FORMAT parquet, COMPRESSION zstd)")

    def normalize(self, events: str, out: str):
        tree = questions.event_tree()
        columns = ", ".join(f"{name}: '{self.type_of(node)}'" for name, node in tree.items())
        targets = ", ".join(f"{field} VARCHAR" for field in TARGET_FIELDS)
        picked = ", ".join(
            f"epoch_ms({path}::TIMESTAMP) AS time" if ours == "time" else f"{path} AS {ours}"
            for path, ours, _ in EVENT_COLUMNS
        )
        self.engine.execute(
            f"COPY (SELECT {picked}, target AS targets FROM read_ndjson({questions.files(events, 'ndjson')}, "
            f"columns = {{{columns}, target: 'STRUCT({targets})[]'}})) TO '{out}' (FORMAT parquet, COMPRESSION zstd)"
        )

    def type_of(self, node) -> str:
        if isinstance(node, str):
            return self.TYPES[node]
        return "STRUCT(" + ", ".join(f"{name} {self.type_of(below)}" for name, below in node.items()) + ")"


class ClickHouse:
    TYPES = {"text": "Nullable(String)", "number": "Nullable(Float64)", "integer": "Nullable(Int64)",
             "flag": "Nullable(Bool)"}
    # Faster here than a window, and than an aggregate of tuples.
    KEPT = f"""
        SELECT *, intDiv(millis, {DAY_MILLIS}) AS day FROM signals
        ORDER BY ingested NULLS FIRST LIMIT 1 BY tenant_uid, source, signal_uid, day
    """

    def __init__(self):
        import chdb

        # One engine for all queries: each call of `chdb.query` would start another.
        self.engine = chdb.connect()

    def counts(self, signals: str, people: str, out: str):
        nested = "*/*" if list(pathlib.Path(signals).glob("*/*.parquet")) else "*"
        query = questions.COUNTS.format(
            signals=f"file('{signals}/{nested}.parquet', 'Parquet')",
            people=f"file('{people}', 'Parquet')",
            time_millis="toUnixTimestamp64Milli(assumeNotNull(time))",
            ingested_millis="if(isNull(ingested_at), NULL, toUnixTimestamp64Milli(assumeNotNull(ingested_at)))",
            kept=self.KEPT,
            quotient_span=f"intDiv(strongest, {SPAN})",
        )
        self.engine.query(f"{query} INTO OUTFILE '{out}' FORMAT Parquet")

    def normalize(self, events: str, out: str):
        structure = ", ".join(f"{name} {self.type_of(node)}" for name, node in questions.event_tree().items())
        targets = ", ".join(f"{field} Nullable(String)" for field in TARGET_FIELDS)
        picked = ", ".join(
            f"toUnixTimestamp64Milli(parseDateTime64BestEffort(assumeNotNull({path}), 3, 'UTC')) AS time"
            if ours == "time" else f"{path} AS {ours}"
            for path, ours, _ in EVENT_COLUMNS
        )
        self.engine.query(
            f"SELECT {picked}, target AS targets FROM file('{events}/*.ndjson', 'JSONEachRow', "
            f"'{structure}, target Array(Tuple({targets}))') INTO OUTFILE '{out}' FORMAT Parquet"
        )

    def type_of(self, node) -> str:
        if isinstance(node, str):
            return self.TYPES[node]
        return "Tuple(" + ", ".join(f"{name} {self.type_of(below)}" for name, below in node.items()) + ")"


class DataFusion:
    # `first_value` in an aggregate is faster, and took a later copy in some of the days.
    KEPT = f"""
        SELECT * FROM (
            SELECT *, millis / {DAY_MILLIS} AS day, row_number() OVER (
                PARTITION BY tenant_uid, source, signal_uid, millis / {DAY_MILLIS} ORDER BY ingested NULLS FIRST
            ) AS copy
            FROM signals
        ) AS numbered WHERE copy = 1
    """

    def __init__(self):
        import datafusion

        self.engine = datafusion.SessionContext()

    def counts(self, signals: str, people: str, out: str):
        millis = "CAST(arrow_cast({}, 'Timestamp(Millisecond, Some(\"UTC\"))') AS BIGINT)"
        self.engine.register_parquet("signal_files", signals)
        self.engine.register_parquet("people_file", people)
        query = questions.COUNTS.format(
            signals="signal_files",
            people="people_file",
            time_millis=millis.format("time"),
            ingested_millis=millis.format("ingested_at"),
            kept=self.KEPT,
            quotient_span=f"strongest / {SPAN}",
        )
        self.engine.sql(f"COPY ({query}) TO '{out}' STORED AS PARQUET").collect()
        for table in ("signal_files", "people_file"):
            self.engine.deregister_table(table)

    def normalize(self, events: str, out: str):
        import pyarrow

        columns = ", ".join(
            f"CAST(arrow_cast({bracketed(path)}, 'Timestamp(Millisecond, Some(\"UTC\"))') AS BIGINT) AS time"
            if ours == "time" else f"{bracketed(path)} AS {ours}"
            for path, ours, _ in EVENT_COLUMNS
        )
        self.engine.register_json("events", events, schema=arrow_schema(pyarrow), file_extension=".ndjson")
        self.engine.sql(f"COPY (SELECT {columns}, target AS targets FROM events) TO '{out}' STORED AS PARQUET").collect()


def bracketed(path: str) -> str:
    first, *below = path.split(".")
    return f'"{first}"' + "".join(f"['{name}']" for name in below)


def arrow_schema(pyarrow):
    types = {"text": pyarrow.string(), "number": pyarrow.float64(), "integer": pyarrow.int64(), "flag": pyarrow.bool_()}

    def of(node):
        if isinstance(node, str):
            return types[node]
        return pyarrow.struct([pyarrow.field(name, of(below)) for name, below in node.items()])

    target = pyarrow.struct([pyarrow.field(field, pyarrow.string()) for field in TARGET_FIELDS])
    fields = [pyarrow.field(name, of(node)) for name, node in questions.event_tree().items()]
    return pyarrow.schema([*fields, pyarrow.field("target", pyarrow.list_(target))])


class Polars:
    def __init__(self):
        import polars

        self.engine = polars

    def counts(self, signals: str, people: str, out: str):
        pl = self.engine
        known = pl.scan_parquet(people).select("tenant_uid", "user_uid", "email")
        rank = pl.col("level").replace_strict({"critical": 4, "high": 3, "medium": 2}, default=1, return_dtype=pl.Int64)
        copies = ["tenant_uid", "source", "signal_uid", "day"]
        carried = ["component", "family", "incident_uid", "email", "rank", "millis"]
        kept = (
            pl.scan_parquet(questions.files(signals), hive_partitioning=False)
            .select(
                "tenant_uid", "source", "signal_uid", "component", "family", "incident_uid",
                pl.col("subject_email").str.strip_chars(" ").str.to_lowercase().alias("email"),
                rank.alias("rank"),
                pl.col("time").dt.epoch("ms").alias("millis"),
                pl.col("ingested_at").dt.epoch("ms").fill_null(0).alias("ingested"),
            )
            .with_columns((pl.col("millis") // DAY_MILLIS).alias("day"))
            .group_by(copies)
            .agg(pl.col(column).min_by("ingested") for column in carried)
        )
        incidents = (
            kept.join(known, on=["tenant_uid", "email"])
            .group_by(
                "tenant_uid", "user_uid", "component", "family", "source",
                pl.coalesce("incident_uid", "signal_uid").alias("incident"), "day",
            )
            .agg((pl.col("rank") * SPAN - pl.col("millis")).max().alias("strongest"))
        )
        representatives = incidents.with_columns((pl.col("strongest") // SPAN + 1).alias("rank")).with_columns(
            (pl.col("rank") * SPAN - pl.col("strongest")).alias("millis")
        )
        levels = {"n_critical": 4, "n_high": 3, "n_medium": 2, "n_low": 1}
        representatives.group_by(questions.KEYS).agg(
            *((pl.col("rank") == rank).sum().cast(pl.Int64).alias(name) for name, rank in levels.items()),
            pl.col("millis").min().alias("first_time"),
            pl.col("millis").max().alias("last_time"),
        ).sink_parquet(out)

    def normalize(self, events: str, out: str):
        pl = self.engine
        types = {"text": pl.String, "number": pl.Float64, "integer": pl.Int64, "flag": pl.Boolean}

        def of(node):
            if isinstance(node, str):
                return types[node]
            return pl.Struct({name: of(below) for name, below in node.items()})

        schema = {name: of(node) for name, node in questions.event_tree().items()}
        schema["target"] = pl.List(pl.Struct({field: pl.String for field in TARGET_FIELDS}))

        def picked(path: str, ours: str):
            first, *below = path.split(".")
            column = pl.col(first)
            for name in below:
                column = column.struct.field(name)
            if ours == "time":
                column = column.str.to_datetime("%Y-%m-%dT%H:%M:%S%.3fZ", time_unit="ms").dt.epoch("ms")
            return column.alias(ours)

        pl.scan_ndjson(questions.files(events, "ndjson"), schema=schema).select(
            *(picked(path, ours) for path, ours, _ in EVENT_COLUMNS), pl.col("target").alias("targets")
        ).sink_parquet(out)


class Pandas:
    def __init__(self):
        import pandas

        self.engine = pandas

    def counts(self, signals: str, people: str, out: str):
        pd = self.engine
        frame = pd.read_parquet(
            questions.files(signals), columns=questions.SIGNAL_COLUMNS, dtype_backend="pyarrow", partitioning=None
        )
        frame["email"] = frame.pop("subject_email").str.strip(" ").str.lower()
        frame["rank"] = frame.pop("level").map({"critical": 4, "high": 3, "medium": 2, "low": 1}).astype("int64")
        frame["millis"] = frame.pop("time").astype("timestamp[ms, tz=UTC][pyarrow]").astype("int64[pyarrow]").astype("int64")
        frame["day"] = frame["millis"] // DAY_MILLIS
        frame = frame.sort_values("ingested_at", na_position="first")
        frame = frame.drop_duplicates(["tenant_uid", "source", "signal_uid", "day"])
        known = pd.read_parquet(people, columns=["tenant_uid", "user_uid", "email"], dtype_backend="pyarrow")
        frame = frame.merge(known, on=["tenant_uid", "email"])
        frame["incident"] = frame["incident_uid"].fillna(frame["signal_uid"])
        frame["strongest"] = frame["rank"] * SPAN - frame["millis"]
        keys = ["tenant_uid", "user_uid", "component", "family", "source", "incident", "day"]
        incidents = frame.groupby(keys, sort=False)["strongest"].max().reset_index()
        del frame
        rank = incidents["strongest"] // SPAN + 1
        incidents["millis"] = rank * SPAN - incidents["strongest"]
        for name, level in {"n_critical": 4, "n_high": 3, "n_medium": 2, "n_low": 1}.items():
            incidents[name] = (rank == level).astype("int64")
        buckets = incidents.groupby(questions.KEYS, sort=False).agg(
            n_critical=("n_critical", "sum"), n_high=("n_high", "sum"), n_medium=("n_medium", "sum"),
            n_low=("n_low", "sum"), first_time=("millis", "min"), last_time=("millis", "max"),
        )
        buckets.reset_index().to_parquet(out, compression="zstd")

    def normalize(self, events: str, out: str):
        """By pyarrow: pandas' own reader has no nested columns."""
        import pyarrow
        import pyarrow.compute
        import pyarrow.json
        import pyarrow.parquet

        options = pyarrow.json.ParseOptions(explicit_schema=arrow_schema(pyarrow), unexpected_field_behavior="ignore")
        writer = None
        for path in questions.files(events, "ndjson"):
            for batch in pyarrow.json.open_json(path, parse_options=options):
                columns = {}
                for path_in_event, ours, _ in EVENT_COLUMNS:
                    first, *below = path_in_event.split(".")
                    column = batch.column(first)
                    if below:
                        column = pyarrow.compute.struct_field(column, below)
                    if ours == "time":
                        column = column.cast(pyarrow.timestamp("ms", "UTC")).cast(pyarrow.int64())
                    columns[ours] = column
                columns["targets"] = batch.column("target")
                table = pyarrow.RecordBatch.from_pydict(columns)
                writer = writer or pyarrow.parquet.ParquetWriter(out, table.schema, compression="zstd")
                writer.write_batch(table)
        writer.close()


ENGINES = {"duckdb": DuckDb, "clickhouse": ClickHouse, "polars": Polars, "datafusion": DataFusion, "pandas": Pandas}


def main():
    name, job, given, out, *people = sys.argv[1:]
    engine = ENGINES[name]()
    if job == "normalize":
        engine.normalize(given, out)
    elif job == "counts":
        engine.counts(given, people[0], out)
    elif job == "counts-by-day":
        os.makedirs(out)
        for day in sorted(pathlib.Path(given).iterdir()):
            engine.counts(str(day), people[0], f"{out}/{day.name.removeprefix('day=')}.parquet")


if __name__ == "__main__":
    main()
