"""Recomputes with DuckDB what `strata run -o … --with-traits` wrote, key by key.

    witness.py SQL OUTPUT KEY EXAMPLES

SQL has a block a trait; OUTPUT is the Parquet file of the run, with its key column KEY; EXAMPLES is the
folder of the examples. Prints a line a trait and exits 1 where one differs.
"""

import re
import sys

import duckdb

# A sum of doubles depends on the order in DuckDB, not in Strata.
NEARLY = "abs(a - b) <= 1e-11 * greatest(abs(a), abs(b))"


def blocks(text):
    """The blocks of the file by their names; comments of more than a word are comments."""
    found, name = {}, None
    for line in text.splitlines():
        heading = re.fullmatch(r"-- (\w+)", line)
        if heading:
            name = heading.group(1)
            if name in found:
                sys.exit(f"`{name}` stands twice")
            found[name] = ""
        elif name:
            found[name] += line + "\n"
    return found


def main(sql, output, key, examples):
    wanted = blocks(open(sql, encoding="utf-8").read())
    database = duckdb.connect()
    database.execute("set timezone = 'UTC'")
    database.execute(wanted.pop("tables").replace("{examples}", examples))
    database.execute(f'create table strata as select * rename ("{key}" as id) from read_parquet(\'{output}\')')
    types = dict(database.execute("select column_name, data_type from duckdb_columns() where table_name = 'strata'").fetchall())
    missing = sorted(set(wanted) ^ (set(types) - {"id"}))
    if missing:
        sys.exit(f"only one of the two sides has {', '.join(missing)}")
    wrong = 0
    for name, query in wanted.items():
        if not re.match(r"\s*(select|with)\b", query):
            query = f"select id, ({query}) as value from rows_of_users group by id"
        floats = types[name] in ("DOUBLE", "FLOAT")
        same = f"(a is not distinct from b or ({NEARLY}))" if floats else "a is not distinct from b"
        cast = "double" if floats else types[name]
        rows, known, apart, example = database.execute(f"""
            with witness as ({query}),
                 side_by_side as (select id, strata."{name}" as a, witness.value::{cast} as b from strata left join witness using (id))
            select count(*), count(a), count(*) filter (not coalesce({same}, false)),
                   any_value((id, a, b)) filter (not coalesce({same}, false)) from side_by_side""").fetchone()
        print(f"{name}: {rows} rows, {known} known, {apart} differ" + (f", such as {example}" if apart else ""))
        wrong += apart > 0
    print(f"{len(wanted)} traits, {wrong} differ")
    sys.exit(1 if wrong else 0)


main(*sys.argv[1:])
