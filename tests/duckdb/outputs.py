"""Counts both layouts of an output with DuckDB and holds the counts against the summary."""

import json
import sys
from pathlib import Path

import duckdb

folder = Path(sys.argv[1])
summary = json.loads((folder / "summary.json").read_text())
wide, lists = (f"'{folder / name}'" for name in ("wide.parquet", "lists.parquet"))


def one(query):
    return duckdb.sql(query).fetchall()[0][0]


compared = 0


def hold(what, found, expected):
    global compared
    compared += 1
    if found != expected:
        raise SystemExit(f"{what}: {found} for {expected}")


hold("rows", one(f"SELECT count(*) FROM {wide}"), summary["rows"])
names = list(summary["segments"])
for name, users in summary["segments"].items():
    hold(f"{name}, wide", one(f'SELECT count(*) FILTER (WHERE "{name}") FROM {wide}'), users)
    hold(f"{name}, lists", one(f"SELECT count(*) FILTER (WHERE list_contains(segments, '{name}')) FROM {lists}"), users)
for name, members in summary["layers"].items():
    for member, users in members.items():
        wanted = f'"{name}" IS NULL' if member == "" else f"\"{name}\" = '{member}'"
        for table in (wide, lists):
            hold(f"{name} {member}", one(f"SELECT count(*) FILTER (WHERE {wanted}) FROM {table}"), users)
for name, paths in summary.get("stacks", {}).items():
    for table in (wide, lists):
        hold(f"{name} none", one(f'SELECT count(*) FILTER (WHERE "{name}" IS NULL) FROM {table}'), paths[""])
# The lists keep the order of the segments.
order = {name: at for at, name in enumerate(names)}
for (held,) in duckdb.sql(f"SELECT DISTINCT segments FROM {lists}").fetchall():
    if [order[name] for name in held] != sorted(order[name] for name in held):
        raise SystemExit(f"{held} is not in the order of the rules")
print(f"{compared} counts are the same")
