#!/usr/bin/env python3
"""Twenty traits of events and rfm: Strata beside DuckDB, Polars and ClickHouse, on the same files.

    benches/peers/events.py FOLDER [--users N] [--events N] [--runs 3] [--only strata,duckdb,polars,clickhouse] [--memory 2GiB]

FOLDER holds `users.parquet` and `events/`, as `cargo run --release --example generate_events` writes
them; they are made if they are not there. Every engine reads the files, computes the traits of
`benches/events.seg` for every user who has events, and writes them as Parquet, on two threads. All
outputs must agree before a time is shown. Needs the packages duckdb, polars, chdb and pyarrow.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
NOW = "2024-11-15 00:00:00"
THREADS = 2

# Traits in the order of the rule file; those of rfm come after them.
TRAITS = [
    "orders_all", "paid_all", "refunds", "paid_7d", "paid_30d", "paid_90d", "paid_365d", "spent_all", "spent_30d",
    "spent_90d", "spent_365d", "spent_before", "cheapest", "dearest", "average", "last_paid", "last_bought",
    "active_days", "kinds", "disappointed",
]
RFM = ["recency_days", "frequency", "monetary", "r", "f", "m"]


def sql(dialect, events):
    """One statement for the traits and rfm. Each engine counts with what is its quickest form."""
    duck = dialect == "duckdb"
    now = f"TIMESTAMPTZ '{NOW}+00'" if duck else f"toDateTime64('{NOW}', 6, 'UTC')"
    ago = (lambda n: f"({now} - INTERVAL {n} DAY)") if duck else (lambda n: f"({now} - toIntervalDay({n}))")
    paid = "status = 'paid'"
    since = lambda n: f"{paid} AND ordered_at > {ago(n)}"
    if duck:
        count = lambda c: f"sum(CASE WHEN {c} THEN 1 ELSE 0 END)::BIGINT"
        total = lambda c: f"sum(CASE WHEN {c} THEN amount ELSE 0 END)"
        least, most = f"min(CASE WHEN {paid} THEN amount END)", f"max(CASE WHEN {paid} THEN amount END)"
        average = f"avg(CASE WHEN {paid} THEN amount END)"
        last_paid = f"max(CASE WHEN {paid} THEN ordered_at END)"
        last_bought = f"arg_max(CASE WHEN {paid} THEN category END, CASE WHEN {paid} THEN ordered_at END)"
        days = "count(DISTINCT CAST(ordered_at AS DATE))"
        kinds = "count(DISTINCT category)"
        source = (
            "(SELECT *, max(CASE WHEN category = 'category 1' THEN ordered_at END) OVER (PARTITION BY user_id ORDER BY ordered_at"
            " RANGE BETWEEN UNBOUNDED PRECEDING AND INTERVAL 1 MICROSECOND PRECEDING) AS first_step"
            f" FROM read_parquet('{events}/*.parquet'))"
        )
        sequence = "coalesce(bool_or(status = 'refunded' AND first_step >= ordered_at - INTERVAL 7 DAY), false)"
    else:
        count = lambda c: f"countIf({c})"
        total = lambda c: f"sumIf(amount, {c})"
        least, most = f"minIfOrNull(amount, {paid})", f"maxIfOrNull(amount, {paid})"
        average = f"if(countIf({paid}) > 0, toFloat64(sumIf(amount, {paid})) / countIf({paid}), NULL)"
        last_paid = f"maxIfOrNull(ordered_at, {paid})"
        last_bought = f"argMaxIfOrNull(category, ordered_at, {paid})"
        days = "uniqExact(toDate(ordered_at))"
        kinds = "uniqExact(category)"
        source = f"file('{events}/*.parquet', Parquet)"
        # Its own `sequenceMatch` counts time in seconds and from step to step; this is exact, and quicker.
        firsts = "groupArrayIf(toUnixTimestamp64Micro(ordered_at), category = 'category 1')"
        seconds = "groupArrayIf(toUnixTimestamp64Micro(ordered_at), status = 'refunded')"
        sequence = f"arrayExists(b -> arrayExists(a -> a < b AND b - a <= 604800000000, {firsts}), {seconds})"
    forms = [
        "count(*)", count(paid), count("status = 'refunded'"), count(since(7)), count(since(30)), count(since(90)),
        count(since(365)), total(paid), total(since(30)), total(since(90)), total(since(365)),
        total(f"{paid} AND ordered_at > {ago(90)} AND ordered_at <= {ago(30)}"),
        least, most, average, last_paid, last_bought, days, kinds, sequence,
    ]
    shown = ", ".join(f"{form} AS {name}" for form, name in zip(forms, TRAITS))
    traits = f"SELECT user_id, {shown} FROM {source} WHERE ordered_at <= {now} GROUP BY user_id"
    if duck:
        recency = f"date_diff('day', CAST(last_paid AS DATE), DATE '{NOW[:10]}')"
        cut = lambda x, n: f"(SELECT quantile_cont({x}, {n / 5}) FROM some)"
        score = lambda x: " + ".join(f"CASE WHEN {x} > {x}_{n} THEN 1 ELSE 0 END" for n in range(1, 5))
        cuts = ", ".join(f"quantile_cont({x}, {n / 5}) AS {x}_{n}" for x in RFM[:3] for n in range(1, 5))
        return (
            f"WITH traits AS MATERIALIZED ({traits}), known AS (SELECT *, CASE WHEN paid_all > 0 THEN {recency} END AS recency_days,"
            " CASE WHEN paid_all > 0 THEN paid_all END AS frequency, CASE WHEN paid_all > 0 THEN spent_all END AS monetary FROM traits),"
            f" cuts AS (SELECT {cuts} FROM known)"
            f" SELECT user_id, {', '.join(TRAITS)}, recency_days, frequency, monetary,"
            f" CASE WHEN paid_all > 0 THEN 5 - ({score('recency_days')}) END AS r,"
            f" CASE WHEN paid_all > 0 THEN 1 + {score('frequency')} END AS f,"
            f" CASE WHEN paid_all > 0 THEN 1 + {score('monetary')} END AS m FROM known, cuts"
        )
    recency = f"dateDiff('day', toDate(last_paid), toDate('{NOW[:10]}'))"
    exact = lambda x: f"quantilesExactInclusive(0.2, 0.4, 0.6, 0.8)({x})"
    score = lambda x, cuts: f"arrayCount(cut -> {x} > cut, {cuts})"
    return (
        f"WITH traits AS ({traits}), known AS (SELECT *, if(paid_all > 0, {recency}, NULL) AS recency_days,"
        " if(paid_all > 0, paid_all, NULL) AS frequency, if(paid_all > 0, spent_all, NULL) AS monetary FROM traits),"
        f" cuts AS (SELECT {exact('recency_days')} AS rc, {exact('frequency')} AS fc, {exact('toFloat64(monetary)')} AS mc FROM known)"
        f" SELECT user_id, {', '.join(TRAITS)}, recency_days, frequency, monetary,"
        f" if(paid_all > 0, 5 - {score('recency_days', 'rc')}, NULL) AS r, if(paid_all > 0, 1 + {score('frequency', 'fc')}, NULL) AS f,"
        f" if(paid_all > 0, 1 + {score('toFloat64(monetary)', 'mc')}, NULL) AS m FROM known, cuts"
    )


def duckdb(folder, out):
    import duckdb

    base = duckdb.connect()
    base.execute(f"SET threads = {THREADS}; SET preserve_insertion_order = false; SET enable_progress_bar = false; SET TimeZone = 'UTC'")
    base.execute(f"SET temp_directory = '{out.parent}/duckdb'")
    base.execute(f"COPY ({sql('duckdb', folder / 'events')}) TO '{out}' (FORMAT parquet, COMPRESSION zstd)")


def clickhouse(folder, out):
    import chdb

    settings = f"SETTINGS max_threads = {THREADS}, output_format_parquet_compression_method = 'zstd'"
    query = sql("clickhouse", folder / "events")
    chdb.query(f"INSERT INTO FUNCTION file('{out}', Parquet) {query} {settings}")


def polars(folder, out):
    import datetime as dt

    import polars as pl

    now = dt.datetime.fromisoformat(NOW).replace(tzinfo=dt.timezone.utc)
    c = pl.col
    paid = c("status") == "paid"
    since = lambda n: paid & (c("ordered_at") > now - dt.timedelta(days=n))
    between = since(90) & (c("ordered_at") <= now - dt.timedelta(days=30))
    events = pl.scan_parquet(folder / "events" / "*.parquet").filter(c("ordered_at") <= now)
    first = (
        events.filter(c("category") == "category 1").select("user_id", first_step="ordered_at").sort("first_step")
    )
    second = events.filter(c("status") == "refunded").select("user_id", "ordered_at").sort("ordered_at")
    disappointed = (
        second.join_asof(first, left_on="ordered_at", right_on="first_step", by="user_id", allow_exact_matches=False)
        .filter(c("first_step") >= c("ordered_at") - dt.timedelta(days=7))
        .select("user_id").unique().with_columns(disappointed=pl.lit(True))
    )
    traits = events.group_by("user_id").agg(
        orders_all=pl.len(), paid_all=paid.sum(), refunds=(~paid).sum(), paid_7d=since(7).sum(),
        paid_30d=since(30).sum(), paid_90d=since(90).sum(), paid_365d=since(365).sum(),
        spent_all=c("amount").filter(paid).sum(), spent_30d=c("amount").filter(since(30)).sum(),
        spent_90d=c("amount").filter(since(90)).sum(), spent_365d=c("amount").filter(since(365)).sum(),
        spent_before=c("amount").filter(between).sum(), cheapest=c("amount").filter(paid).min(),
        dearest=c("amount").filter(paid).max(), average=c("amount").filter(paid).cast(pl.Float64).mean(),
        last_paid=c("ordered_at").filter(paid).max(),
        last_bought=c("category").filter(paid).get(c("ordered_at").filter(paid).arg_max()),
        active_days=c("ordered_at").dt.date().n_unique(), kinds=c("category").n_unique(),
    ).join(disappointed, on="user_id", how="left").with_columns(c("disappointed").fill_null(False))
    some = c("paid_all") > 0
    known = traits.with_columns(
        recency_days=pl.when(some).then((pl.lit(now.date()) - c("last_paid").dt.date()).dt.total_days()),
        frequency=pl.when(some).then(c("paid_all")), monetary=pl.when(some).then(c("spent_all")),
    ).collect(engine="streaming")
    score = lambda x: sum((c(x).cast(pl.Float64) > known[x].cast(pl.Float64).quantile(n / 5, "linear")).cast(pl.Int64) for n in range(1, 5))
    known.with_columns(
        r=pl.when(some).then(5 - score("recency_days")), f=pl.when(some).then(1 + score("frequency")),
        m=pl.when(some).then(1 + score("monetary")),
    ).select(["user_id", *TRAITS, *RFM]).write_parquet(out, compression="zstd")


def strata(folder, out, memory=None):
    binary = os.environ.get("STRATA", ROOT / "target/release/strata")
    command = [binary, "run", ROOT / "benches/events.seg", "--table", f"users={folder}/users.parquet", "--table",
               f"orders={folder}/events", "-o", out, "--with-traits", "--threads", str(THREADS), "--keys", "check", "--quiet"]
    subprocess.run(command + (["--memory", memory] if memory else []), check=True)


ENGINES = {"strata": strata, "duckdb": duckdb, "polars": polars, "clickhouse": clickhouse}


def measured(engine, folder, out, memory):
    """Seconds and peak memory (MiB) of one engine in a process of its own, reading included."""
    code = f"import sys; sys.path.insert(0, {str(HERE)!r}); import events; from pathlib import Path; "
    code += f"events.{engine}(Path({str(folder)!r}), Path({str(out)!r}){', ' + repr(memory) if memory else ''})"
    environment = dict(os.environ, POLARS_MAX_THREADS=str(THREADS))
    start = time.monotonic()
    child = subprocess.Popen([sys.executable, "-c", code], env=environment)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.monotonic() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{engine} failed")
    children = usage.ru_maxrss
    return seconds, children / 1024


def digest(out):
    """What an output says, whatever its order and types: for each column count, sum and weighted sum."""
    import duckdb

    base = duckdb.connect()
    base.execute("SET TimeZone = 'UTC'")
    names = {row[0] for row in base.execute(f"DESCRIBE SELECT * FROM '{out}'").fetchall()}
    pick = lambda name: f'"value.{name}"' if f"value.{name}" in names else name
    as_number = {
        "last_paid": "epoch_us(last_paid)", "last_bought": "CAST(split_part(CAST(last_bought AS VARCHAR), ' ', 2) AS INT) + 1",
        "disappointed": "CAST(disappointed AS INT)", "average": "round(average, 6)",
    }
    shown = []
    for name in TRAITS + RFM:
        number = f"CAST({as_number.get(name, pick(name))} AS DECIMAL(38,6))"
        shown.append(f"count({number}), sum({number}), sum({number} * CAST(user_id % 1009 AS DECIMAL(9,0)))")
    # A trait of who has no events is 0 or missing; only who has some is compared.
    values = base.execute(f"SELECT count(*), {', '.join(shown)} FROM '{out}' WHERE orders_all > 0").fetchone()
    names = ["rows"] + [f"{name} {part}" for name in TRAITS + RFM for part in ("count", "sum", "weighted")]
    return dict(zip(names, values))


def versions():
    import chdb
    import duckdb
    import polars

    binary = os.environ.get("STRATA", ROOT / "target/release/strata")
    ours = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    return {"strata": ours, "duckdb": duckdb.__version__, "polars": polars.__version__, "clickhouse": f"chdb {chdb.__version__}"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--users", type=int, default=10_000_000)
    parser.add_argument("--events", type=int, default=100_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default=",".join(ENGINES))
    parser.add_argument("--memory", help="run Strata once more under this bound")
    args = parser.parse_args()
    if not (args.folder / "users.parquet").exists():
        generator = ["cargo", "run", "--release", "--quiet", "--example", "generate_events", "--", "--users", str(args.users),
                     "--events", str(args.events), "-o", str(args.folder)]
        subprocess.run(generator, check=True, cwd=ROOT)
    wanted = [(name, None) for name in args.only.split(",")]
    if args.memory:
        wanted.append(("strata", args.memory))
    results, expected = [], None
    with tempfile.TemporaryDirectory(dir=args.folder) as scratch:
        for name, memory in wanted:
            out = Path(scratch) / f"{name}.parquet"
            times, peak = [], 0
            for _ in range(args.runs):
                out.unlink(missing_ok=True)
                seconds, resident = measured(name, args.folder, out, memory)
                times.append(seconds)
                peak = max(peak, resident)
            found = digest(out)
            expected = expected or found
            for column, value in found.items():
                if value is None or abs(float(value) - float(expected[column])) > abs(float(expected[column])) * 1e-9:
                    sys.exit(f"{name} says {value} for {column}, and {wanted[0][0]} says {expected[column]}")
            results.append((name + (f" --memory {memory}" if memory else ""), statistics.median(times), peak))
    known = versions()
    print("| engine | version | seconds (median) | peak memory, MiB |\n| --- | --- | --- | --- |")
    for name, seconds, peak in results:
        print(f"| {name} | {known[name.split()[0]]} | {seconds:.2f} | {peak:,.0f} |")
    peers = [seconds for name, seconds, _ in results if not name.startswith("strata")]
    ours = [seconds for name, seconds, _ in results if name == "strata"]
    if peers and ours:
        print(f"\nthe best of the others takes {min(peers) / ours[0]:.2f} times as long as Strata")


if __name__ == "__main__":
    main()
