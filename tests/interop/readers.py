"""Four readers of one Parquet file: which types they see, and which rows."""

import datetime
import math
import pathlib
from dataclasses import dataclass

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

INSTANT = "%Y-%m-%dT%H:%M:%S."

# Contract type: what pyarrow, DuckDB and polars call it. pandas on pyarrow sees pyarrow's types.
TYPES = {
    "string": ("string", "VARCHAR", "String"),
    "int64": ("int64", "BIGINT", "Int64"),
    "float64": ("double", "DOUBLE", "Float64"),
    "boolean": ("bool", "BOOLEAN", "Boolean"),
    "timestamp(ms, UTC)": (
        "timestamp[ms, tz=UTC]",
        "TIMESTAMP WITH TIME ZONE",
        "Datetime(time_unit='ms', time_zone='UTC')",
    ),
    "date": ("date32[day]", "DATE", "Date"),
    "list<string>": ("list<element: string>", "VARCHAR[]", "List(String)"),
    "map<string, string>": ("map<string, string>", "MAP(VARCHAR, VARCHAR)", "Map(String, String)"),
    "list<struct<uid, type, name, display_name>>": (
        "list<element: struct<uid: string, type: string, name: string, display_name: string>>",
        "STRUCT(uid VARCHAR, type VARCHAR, name VARCHAR, display_name VARCHAR)[]",
        "List(Struct({'uid': String, 'type': String, 'name': String, 'display_name': String}))",
    ),
    "list<struct<key, valid_from, valid_to>>": (
        "list<element: struct<key: string, valid_from: timestamp[ms, tz=UTC], valid_to: timestamp[ms, tz=UTC]>>",
        "STRUCT(key VARCHAR, valid_from TIMESTAMP WITH TIME ZONE, valid_to TIMESTAMP WITH TIME ZONE)[]",
        "List(Struct({'key': String, 'valid_from': Datetime(time_unit='ms', time_zone='UTC'), "
        "'valid_to': Datetime(time_unit='ms', time_zone='UTC')}))",
    ),
}


@dataclass
class Seen:
    """What one reader saw of a file."""

    reader: str
    # Column name to type, in file order, in the reader's words.
    types: dict
    # One dict a row, as in the fixtures: nulls left out, instants and days as text.
    rows: list


def read(path: pathlib.Path) -> list[Seen]:
    """The file through pyarrow, DuckDB, polars and pandas."""
    table = pq.read_table(path, partitioning=None)
    db = duckdb.connect()
    db.sql("SET TimeZone = 'UTC'")
    # Without the day that the folder's name tells: the file alone is looked at.
    relation = db.sql(f"FROM read_parquet('{path}', hive_partitioning = false)")
    frame = pl.read_parquet(path, hive_partitioning=False)
    panda = pd.read_parquet(path, dtype_backend="pyarrow", partitioning=None)
    return [
        Seen("pyarrow", arrow_types(table.schema), plain_rows(table.to_pylist(maps_as_pydicts="strict"))),
        Seen(
            "DuckDB",
            {name: str(kind).replace('"', "") for name, kind in zip(relation.columns, relation.types)},
            plain_rows(relation.to_arrow_table().to_pylist(maps_as_pydicts="strict")),
        ),
        Seen(
            "polars",
            {name: str(kind) for name, kind in frame.schema.items()},
            plain_rows(frame.to_dicts()),
        ),
        Seen(
            "pandas",
            {name: arrow_type(kind.pyarrow_dtype) for name, kind in panda.dtypes.items()},
            plain_rows(panda.to_dict("records")),
        ),
    ]


def arrow_types(schema: pa.Schema) -> dict:
    return {field.name: arrow_type(field.type) for field in schema}


def arrow_type(kind: pa.DataType) -> str:
    # The name of a map's entries is no part of the type.
    return "map<string, string>" if pa.types.is_map(kind) else str(kind)


def expected_type(reader: str, kind: str) -> str:
    arrow, duck, polars = TYPES[kind]
    return {"pyarrow": arrow, "pandas": arrow, "DuckDB": duck, "polars": polars}[reader]


def plain_rows(rows: list) -> list:
    return [{name: plain(value) for name, value in row.items() if not is_null(value)} for row in rows]


def is_null(value: object) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def plain(value: object) -> object:
    """One cell as the fixtures write it."""
    if isinstance(value, datetime.datetime):
        assert value.utcoffset() == datetime.timedelta(0), value
        return value.strftime(INSTANT) + f"{value.microsecond // 1000:03d}Z"
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: None if is_null(cell) else plain(cell) for name, cell in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        if value and all(isinstance(entry, tuple) and len(entry) == 2 for entry in value):
            # A map, as pairs.
            return {name: plain(cell) for name, cell in value}
        return [None if is_null(cell) else plain(cell) for cell in value]
    return value
