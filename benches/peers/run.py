"""Measures Strata against DuckDB, Polars, DataFusion and ClickHouse (chdb) on the same users and rules.

Each engine works in its best form on the same number of threads; all counts must agree before a time
counts. SQL engines measure 1,000 rules once, on a tenth of the users, times ten; such a time is marked `*`.
A time at which others used more than a tenth of the machine is marked `~`.
"""

import argparse
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import data
import rules

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "target" / "peers"
KINDS = ["memory", "parquet", "wide", "layer", "alone"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", "--repeat", dest="repeat", type=int, default=3, help="each time is the median of so many")
    parser.add_argument("--only", default="", help="engines, comma between")
    parser.add_argument("--work", default=",".join(KINDS), help=f"any of {','.join(KINDS)}, comma between")
    parser.add_argument("--sizes", default="10,100,1000", help="numbers of rules")
    parser.add_argument("--json", help="where the measurements go as JSON")
    parser.add_argument("--write", action="store_true", help="put the tables and the roofline into docs/src/performance.md")
    return parser.parse_args()


class Engine:
    """What every engine can be asked; a subclass does it."""

    slow_from = 1000  # from so many rules on it is measured on a tenth of the users
    hopeless_from = 10**9  # from so many rules on it is not measured from files, which takes longer still

    def load(self, path, conditions):
        """Brings the columns of the conditions into memory."""

    def unload(self):
        """Lets them go."""


class Strata(Engine):
    name = "Strata"
    slow_from = 10**9

    def __init__(self, threads):
        self.threads = threads
        self.made = {}
        self.binary = ROOT / "target" / "release" / "strata"
        self.bench = ROOT / "target" / "release" / "examples" / "in_memory"
        self.version = subprocess.run([self.binary, "--version"], capture_output=True, text=True).stdout.strip()

    def rules(self, conditions, layer=False):
        path = WORK / "rules.seg"
        path.write_text(rules.strata_layer(conditions) if layer else rules.strata_segments(conditions))
        return path

    def built(self, conditions, layer=False):
        """The rules checked and proved, as a warehouse has a prepared statement; made once for each set."""
        known = (len(conditions), layer)
        if known not in self.made:
            self.made[known] = WORK / f"rules-{len(conditions)}{'-layer' if layer else ''}.ir.json"
            command = [self.binary, "build", "-q", self.rules(conditions, layer), "-o", self.made[known]]
            subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        return self.made[known]

    def memory(self, path, conditions, repeat, *more):
        done = subprocess.run(
            [self.bench, self.rules(conditions), path, "--threads", str(self.threads), "--repeat", str(repeat), *more],
            capture_output=True, text=True, check=True)
        report = json.loads(done.stdout)
        self.notes = {key: report[key] for key in ("bytes", "distinct_tests", "registers", "compile_seconds", "processor_seconds")}
        return [sum(count) for count in report["counts"]], report["seconds"]

    def run(self, path, conditions, layer=False, out=None):
        into = ["-o", out] if out else []
        done = subprocess.run(
            [self.binary, "run", self.built(conditions, layer), "--table", f"users={path}", "--threads",
             str(self.threads), "--summary", "json", *into], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return json.loads(done.stdout)

    def counts(self, path, conditions):
        return list(self.run(path, conditions)["segments"].values())

    def write(self, path, conditions, out):
        self.run(path, conditions, out=out)

    def layer(self, path, conditions, out):
        self.run(path, conditions, layer=True, out=out)


class DuckDB(Engine):
    name = "DuckDB"

    def __init__(self, threads):
        import duckdb
        self.version = duckdb.__version__
        self.db = duckdb.connect()
        self.db.execute(f"SET threads={threads}; SET TimeZone='UTC'; SET preserve_insertion_order=true")

    def load(self, path, conditions):
        self.db.execute(f"CREATE TABLE users AS SELECT {', '.join(rules.columns(conditions))} FROM '{path}'")

    def unload(self):
        self.db.execute("DROP TABLE users")

    def loaded(self, conditions):
        return list(self.db.execute(rules.sql_counts(conditions, "users", "duckdb")).fetchall()[0])

    def counts(self, path, conditions):
        return list(self.db.execute(rules.sql_counts(conditions, f"'{path}'", "duckdb")).fetchall()[0])

    def write(self, path, conditions, out):
        self.copy(rules.sql_booleans(conditions, f"'{path}'", "duckdb"), out)

    def layer(self, path, conditions, out):
        self.copy(rules.sql_layer(conditions, f"'{path}'", "duckdb"), out)

    def copy(self, query, out):
        self.db.execute(f"COPY ({query}) TO '{out}' (FORMAT parquet, COMPRESSION zstd)")


class DataFusion(Engine):
    name = "DataFusion"
    slow_from = 100
    hopeless_from = 1000

    def __init__(self, threads):
        import datafusion
        self.version = datafusion.__version__
        config = datafusion.SessionConfig().with_target_partitions(threads)
        self.context = datafusion.SessionContext(config)

    def table(self, path):
        self.context.register_parquet("file", str(path))
        return "file"

    def load(self, path, conditions):
        frame = self.context.read_parquet(str(path)).select(*rules.columns(conditions))
        self.context.register_record_batches("users", frame.collect_partitioned())

    def unload(self):
        self.context.deregister_table("users")

    def ask(self, query):
        rows = self.context.sql(query).collect()
        return [rows[0].column(n)[0].as_py() for n in range(rows[0].num_columns)]

    def loaded(self, conditions):
        return self.ask(rules.sql_counts(conditions, "users", "datafusion"))

    def counts(self, path, conditions):
        try:
            return self.ask(rules.sql_counts(conditions, self.table(path), "datafusion"))
        finally:
            self.context.deregister_table("file")

    def write(self, path, conditions, out):
        self.context.sql(rules.sql_booleans(conditions, self.table(path), "datafusion")).write_parquet(str(out))
        self.context.deregister_table("file")

    def layer(self, path, conditions, out):
        self.context.sql(rules.sql_layer(conditions, self.table(path), "datafusion")).write_parquet(str(out))
        self.context.deregister_table("file")


class Polars(Engine):
    name = "Polars"
    slow_from = 10**9

    def __init__(self, threads):
        os.environ["POLARS_MAX_THREADS"] = str(threads)
        import polars
        self.pl = polars
        self.version = polars.__version__

    def frame(self, conditions):
        conditions = [rules.polars_condition(clauses).sum().alias(f"s{n}") for n, clauses in enumerate(conditions)]
        return conditions

    def load(self, path, conditions):
        # Texts are categoricals already: the file keeps them as dictionaries.
        self.users = self.pl.read_parquet(path, columns=rules.columns(conditions))

    def unload(self):
        del self.users

    def loaded(self, conditions):
        return list(self.users.lazy().select(self.frame(conditions)).collect().row(0))

    def counts(self, path, conditions):
        lazy = self.pl.scan_parquet(path).select(self.frame(conditions))
        return list(lazy.collect(engine="streaming").row(0))

    def write(self, path, conditions, out):
        shown = [rules.polars_condition(clauses).fill_null(False).alias(f"s{n}") for n, clauses in enumerate(conditions)]
        self.pl.scan_parquet(path).select("user_id", *shown).sink_parquet(out)

    def layer(self, path, conditions, out):
        chosen = self.pl
        for n, clauses in enumerate(conditions):
            chosen = chosen.when(rules.polars_condition(clauses)).then(self.pl.lit(f"m{n}"))
        self.pl.scan_parquet(path).select("user_id", chosen.otherwise(None).alias("best")).sink_parquet(out)


class ClickHouse(Engine):
    name = "ClickHouse"

    def __init__(self, threads):
        import chdb
        from chdb import session
        self.version = chdb.__version__
        self.session = session.Session()
        self.settings = f" SETTINGS max_threads={threads}, max_query_size=100000000, max_ast_elements=10000000, max_expanded_ast_elements=10000000, session_timezone='UTC'"

    def load(self, path, conditions):
        texts = {"channel", "city", "device", "tier", "brand"}
        def shown(column):
            if column in texts:
                return f"toLowCardinality({column}) AS {column}"
            return f"assumeNotNull({column}) AS {column}" if column in NEVER_MISSING else column
        chosen = ", ".join(shown(column) for column in rules.columns(conditions))
        self.session.query("CREATE DATABASE IF NOT EXISTS bench ENGINE = Atomic")
        self.session.query(f"CREATE TABLE bench.users ENGINE = Memory AS SELECT {chosen} FROM file('{path}', Parquet){self.settings}")

    def unload(self):
        self.session.query("DROP TABLE bench.users")

    def ask(self, query):
        text = str(self.session.query(query + self.settings, "TabSeparated")).strip()
        return [int(value) for value in text.split("\t")]

    def loaded(self, conditions):
        return self.ask(rules.sql_counts(conditions, "bench.users", "clickhouse"))

    def counts(self, path, conditions):
        return self.ask(rules.sql_counts(conditions, f"file('{path}', Parquet)", "clickhouse"))

    def write(self, path, conditions, out):
        query = rules.sql_booleans(conditions, f"file('{path}', Parquet)", "clickhouse")
        self.insert(query, out)

    def layer(self, path, conditions, out):
        query = rules.sql_layer(conditions, f"file('{path}', Parquet)", "clickhouse")
        self.insert(query, out)

    def insert(self, query, out):
        into = f"INSERT INTO FUNCTION file('{out}', Parquet) {query}"
        self.session.query(f"{into}{self.settings}, engine_file_truncate_on_insert=1")


NEVER_MISSING = {"quiz_score", "visits_30d", "orders_90d", "returns_1y", "spend_1y", "signup_at", "member"}


def processor_seconds():
    """Of this process and those that it started and that have ended, over all threads."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def machine_seconds():
    """Processor seconds that anybody spent on this machine, its host's other guests included."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


class Seconds(float):
    """By the clock on the wall; with them those of the processors, and the share that others had."""

    processors = 0.0
    others = 0.0
    scaled = False

    def __new__(cls, wall, processors, others=0.0, scaled=False):
        seconds = super().__new__(cls, wall)
        seconds.processors, seconds.others, seconds.scaled = processors, others, scaled
        return seconds

    def times(self, factor):
        return Seconds(float(self) * factor, self.processors * factor, self.others, True)

    def noted(self):
        return {"seconds": float(self), "processors": self.processors, "others": self.others, "scaled": self.scaled}


def timed(repeat, work):
    walls, processors, outcome = [], [], None
    begun, all_before, own_before = time.perf_counter(), machine_seconds(), processor_seconds()
    for _ in range(repeat):
        gc.collect()
        busy, start = processor_seconds(), time.perf_counter()
        outcome = work()
        walls.append(time.perf_counter() - start)
        processors.append(processor_seconds() - busy)
    machine = machine_seconds() - all_before - (processor_seconds() - own_before)
    others = max(0.0, machine / (time.perf_counter() - begun) / os.cpu_count())
    return outcome, Seconds(statistics.median(walls), statistics.median(processors), others)


def scan_seconds(path, conditions, args):
    """The bare scan: the columns that the rules need, read by the parquet crate alone."""
    scan = ROOT / "target" / "release" / "examples" / "scan"
    command = [scan, path, ",".join(rules.columns(conditions)), "--threads", str(args.threads), "--repeat", "1"]
    reports = []
    _, seconds = timed(args.repeat, lambda: reports.append(json.loads(subprocess.run(command, capture_output=True, check=True).stdout)))
    own = [report["seconds"][0] for report in reports]
    # The process reads twice, and only the second time counts.
    return Seconds(statistics.median(own), seconds.processors / 2, seconds.others)


def bandwidth(threads):
    """Bytes a second that this machine reads from memory with so many threads."""
    import numpy as np
    from concurrent.futures import ThreadPoolExecutor
    parts = [np.ones(64 << 20, dtype=np.int64) for _ in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        _, seconds = timed(5, lambda: list(pool.map(lambda part: part.max(), parts)))
    return sum(part.nbytes for part in parts) / seconds


def measure(args):
    WORK.mkdir(parents=True, exist_ok=True)
    full, tenth = WORK / f"users-{args.rows}.parquet", WORK / f"users-{args.rows // 10}.parquet"
    data.make(full, args.rows)
    data.make(tenth, args.rows // 10)
    wanted = [name for name in args.only.split(",") if name]
    engines = [kind for kind in (Strata, DuckDB, Polars, DataFusion, ClickHouse) if not wanted or kind.name in wanted]
    engines = [kind(args.threads) for kind in engines]
    alone = Strata(args.threads)
    work, results, notes, sizes_of = args.work.split(","), {}, {}, {}
    sizes = [int(size) for size in args.sizes.split(",")]

    def note(row, name, seconds):
        results.setdefault(row, {})[name] = seconds.noted()
        marks = f"others {seconds.others:.0%}" + (", a tenth of the users times ten" if seconds.scaled else "")
        print(f"{row:40} {name:12} {seconds:9.3f} s {seconds.processors:9.3f} s of the processors ({marks})",
              file=sys.stderr, flush=True)

    def agree(row, engine, counts, known):
        counts = [int(count or 0) for count in counts]
        if known.setdefault("counts", counts) != counts:
            differ = [n for n, (a, b) in enumerate(zip(known["counts"], counts)) if a != b]
            raise SystemExit(f"{row}: {engine.name} counts otherwise, first in rule {differ[0]}: "
                             f"{counts[differ[0]]} for {known['counts'][differ[0]]}")

    for size in sizes:
        conditions = rules.rules(size)
        agreed = {True: {}, False: {}}
        for kind in ("memory", "parquet"):
            if kind not in work:
                continue
            row = f"{size:,} rules, " + ("in memory" if kind == "memory" else "from Parquet")
            for engine in engines:
                if kind == "parquet" and size >= engine.hopeless_from:
                    continue
                slow = size >= engine.slow_from and isinstance(engine, (DuckDB, DataFusion, ClickHouse))
                path, repeat = (tenth, 1) if slow else (full, args.repeat)
                if isinstance(engine, Strata):
                    agree(row, engine, engine.counts(tenth, conditions), agreed[True])
                if kind == "memory" and isinstance(engine, Strata):
                    (counts, walls), whole = timed(1, lambda: engine.memory(path, conditions, repeat))
                    busy = statistics.median(engine.notes["processor_seconds"])
                    seconds = Seconds(statistics.median(walls), busy, whole.others)
                    notes[row] = engine.notes
                elif kind == "memory":
                    engine.load(path, conditions)
                    engine.loaded(conditions[:2])
                    counts, seconds = timed(repeat, lambda: engine.loaded(conditions))
                    engine.unload()
                else:
                    counts, seconds = timed(repeat, lambda: engine.counts(path, conditions))
                agree(row, engine, counts, agreed[slow])
                note(row, engine.name, seconds.times(10) if slow else seconds)
            if kind == "parquet":
                note(row, "bare scan", scan_seconds(full, conditions, args))
    jobs = [(f"{size} wide booleans", "write", rules.rules(size)) for size in (10, 100) if "wide" in work]
    jobs += [("a layer of 100 members", "layer", rules.narrow(100))] if "layer" in work else []
    for name, how, conditions in jobs:
        row, known = f"{name} to Parquet", {}
        for engine in engines:
            slow = isinstance(engine, DataFusion) and len(conditions) > 10
            path, repeat = (tenth, 1) if slow else (full, args.repeat)
            out = WORK / f"out-{engine.name}.parquet"
            _, seconds = timed(repeat, lambda: getattr(engine, how)(path, conditions, out))
            if not slow:
                agree(row, engine, output_counts(out), known)
            size = sum(f.stat().st_size for f in out.rglob("*.parquet")) if out.is_dir() else out.stat().st_size
            sizes_of.setdefault(row, {})[engine.name] = size
            note(row, engine.name, seconds.times(10) if slow else seconds)
    versions = {engine.name: engine.version for engine in engines}
    return {"machine": machine(), "rows": args.rows, "threads": args.threads, "versions": versions,
            "bytes_a_second": bandwidth(args.threads), "results": results, "notes": notes, "sizes": sizes_of,
            "comparisons_a_second": in_cache(alone, full, args),
            "alone": strata_alone(alone, full, args) if "alone" in work else {}}


def in_cache(strata, path, args):
    """Comparisons a second where users stay in cache and there is much to do for each byte."""
    strata.threads = args.threads
    _, walls = strata.memory(path, rules.rules(1000), args.repeat, "--in-cache", "16384")
    return max(1, args.rows // 16384) * 16384 * strata.notes["distinct_tests"] / statistics.median(walls)


def strata_alone(strata, full, args):
    """What no peer has: how the time grows with rules and threads, and what it takes to start."""
    def memory(count, threads):
        strata.threads = threads
        _, walls = strata.memory(full, rules.rules(count), args.repeat)
        return statistics.median(walls), strata.notes
    found = {}
    (thousand, notes), (ten_thousand, more) = memory(1000, args.threads), memory(10_000, args.threads)
    found["10,000 rules in memory, times the seconds of 1,000"] = ten_thousand / thousand
    found["distinct comparisons of 1,000 and 10,000 rules"] = [notes["distinct_tests"], more["distinct_tests"]]
    found["seconds to parse, check and plan 1,000 rules"] = notes["compile_seconds"]
    found["seconds to parse, check and plan 10,000 rules"] = more["compile_seconds"]
    one, two = memory(100, 1)[0], memory(100, 2)[0]
    found["100 rules in memory, 2 threads against 1"] = one / two
    one, two = memory(1000, 1)[0], memory(1000, 2)[0]
    found["1,000 rules in memory, 2 threads against 1"] = one / two
    few = WORK / "users-1000.parquet"
    data.make(few, 1000)
    program = WORK / "few.seg"
    program.write_text(rules.strata_segments(rules.rules(10)))
    run = [strata.binary, "run", program, "--table", f"users={few}", "-q", "-o", WORK / "few.parquet"]
    found["seconds of `run` over 1,000 users"] = float(timed(20, lambda: subprocess.run(run, check=True))[1])
    program = WORK / "fifty.seg"
    program.write_text(rules.strata_segments(rules.rules(20)))
    check = [strata.binary, "check", "-q", program]
    found["seconds of `check` of 50 lines"] = float(timed(20, lambda: subprocess.run(check, check=True))[1])
    return found


def output_counts(path):
    """How many users each column of an output takes, read by a reader that is none of ours."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
    table = pq.read_table(path)
    counts = []
    for name in table.column_names[1:]:
        column = table.column(name)
        if str(column.type) == "bool":
            counts.append(pc.sum(column).as_py())
        else:
            found = {str(row["values"]): row["counts"] for row in column.combine_chunks().cast("string").value_counts().to_pylist()}
            counts += [found.get(f"m{n}", 0) for n in range(100)] + [table.num_rows]
    return counts


def machine():
    model = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return f"{model[0] if model else platform.processor()}, {os.cpu_count()} cores, Linux {platform.release()}"


def table(found):
    names = list(found["versions"])
    lines = [f"Machine: {found['machine']}; {found['rows']:,} users; {found['threads']} threads; "
             f"{found['bytes_a_second'] / 1e9:.1f} GB/s from memory.", "", "Seconds by the clock:", ""]
    lines += rows(found, names, "seconds")
    lines += ["", "Seconds of the processors, all threads together (what a busy machine distorts least):", ""]
    lines += rows(found, names, "processors")
    lines += ["", "`*`: a tenth of the users, times ten. `~`: others used more than a tenth of the machine.", ""]
    for what, value in found["alone"].items():
        lines.append(f"- {what}: {value if isinstance(value, list) else f'{value:.3f}'}")
    return "\n".join(lines)


def rows(found, names, which):
    versions = [f"{name} {found['versions'][name].removeprefix('strata ')}" for name in names]
    lines = ["| work | " + " | ".join(versions) + " | best peer ÷ Strata | Strata ÷ bare scan |",
             "| --- |" + " ---: |" * (len(names) + 2)]
    for row, seconds in found["results"].items():
        peers = [seconds[name][which] for name in names if name != "Strata" and name in seconds]
        own, scan = seconds.get("Strata"), seconds.get("bare scan")
        ratio = f"{min(peers) / own[which]:.1f}" if peers and own and own[which] else ""
        over = f"{own[which] / scan[which]:.2f} of {scan[which]:.3f}" if own and scan else ""
        shown = [cell(seconds[name], which) if name in seconds else "–" for name in names]
        lines.append(f"| {row} | " + " | ".join(shown) + f" | {ratio} | {over} |")
    return lines


def write(found):
    """The tables and what a core does in a second, between the marks of the page; the roofline beside it."""
    import roofline
    page = ROOT / "docs" / "src" / "performance.md"
    before, rest = page.read_text().split("<!-- measured -->\n")
    after = rest.split("<!-- end of measured -->")[1]
    text = before + "<!-- measured -->\n" + table(found) + "\n\n" + a_core(found) + "<!-- end of measured -->" + after
    page.write_text(text)
    (page.parent / "roofline.svg").write_text(roofline.draw(found))


def a_core(found):
    """What one core takes in from memory in a second, and from files."""
    lines = ["| work | GB a second from memory, a core | of what memory gives |", "| --- | ---: | ---: |"]
    for row, notes in found["notes"].items():
        speed = notes["bytes"] / found["results"][row]["Strata"]["seconds"]
        share = speed / found["bytes_a_second"]
        lines.append(f"| {row} | {speed / found['threads'] / 1e9:.2f} | {share:.0%} |")
    lines.append("")
    return "\n".join(lines)


def cell(seconds, which):
    return f"{seconds[which]:.3f}" + ("*" if seconds["scaled"] else "") + ("~" if seconds["others"] > 0.1 else "")


if __name__ == "__main__":
    options = arguments()
    found = measure(options)
    if options.json:
        Path(options.json).write_text(json.dumps(found, indent=1))
    print(table(found))
    if options.write:
        write(found)
