"""Made-up rules of two to six comparisons with shared thresholds, in the words of each engine."""

import random
from datetime import date, datetime, timedelta, timezone

from data import BRANDS, CHANNELS, CITIES, DEVICES, NOW, TIERS

TODAY = date(2024, 11, 15)
LABELS = {"channel": CHANNELS, "device": DEVICES, "tier": TIERS}

NUMBERS = {
    "age": [18, 21, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70],
    "quiz_score": list(range(10, 100, 8)),
    "visits_30d": [1, 2, 3, 5, 8, 12, 16, 20, 30, 40, 60, 90],
    "orders_90d": [1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 25, 30],
    "returns_1y": [1, 2, 3, 4, 5, 6],
    "points": [100, 500, 1000, 2000, 4000, 6000, 8000, 10_000, 12_000, 15_000],
    "invest_years": [0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 10.0, 15.0, 20.0, 25.0],
    "spend_1y": [50.0, 100.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0, 20_000.0, 30_000.0],
    "balance": [100.0, 500.0, 1000.0, 5000.0, 10_000.0, 20_000.0, 50_000.0, 100_000.0],
}
MOMENTS = {
    "signup_at": [30, 60, 90, 180, 365, 540, 730, 1095],
    "last_paid": [7, 14, 30, 60, 90, 180, 365],
}
DAYS = {"birthday": [date(1960 + 5 * n, 1, 1) for n in range(10)]}


def comparison(chance):
    """One comparison: (column, operator, constant or constants)."""
    kind = chance.random()
    if kind < 0.6:
        column = chance.choice(list(NUMBERS))
        return column, chance.choice([">=", "<"]), chance.choice(NUMBERS[column])
    if kind < 0.75:
        column = chance.choice(list(MOMENTS))
        moment = datetime.fromtimestamp(NOW, timezone.utc) - timedelta(days=chance.choice(MOMENTS[column]))
        return column, chance.choice([">=", "<"]), moment
    if kind < 0.8:
        return "birthday", chance.choice([">=", "<"]), chance.choice(DAYS["birthday"])
    if kind < 0.9:
        column = chance.choice(["channel", "device", "tier"])
        return column, "=", chance.choice(LABELS[column])
    if kind < 0.97:
        column, values = chance.choice([("city", CITIES), ("brand", BRANDS)])
        start = chance.randrange(0, len(values) - 8, 8)
        return column, "in", tuple(values[start:start + 8])
    return chance.choice(["member", "opted_in"]), "is", True


def rule(chance):
    """An `and` of clauses, each an `or` of comparisons; no column twice, so that it makes sense."""
    left = chance.randint(2, 6)
    clauses, used = [], set()
    while left:
        take = 1 if left == 1 or chance.random() < 0.7 else 2
        clauses.append([another(chance, used) for _ in range(take)])
        left -= take
    return clauses


def another(chance, used):
    """A comparison of a column that is not used yet."""
    while True:
        found = comparison(chance)
        if found[0] not in used:
            used.add(found[0])
            return found


def rules(count, seed=7):
    chance = random.Random(seed)
    return [rule(chance) for _ in range(count)]


def narrow(members, seed=11):
    """Conditions of a layer's members, each of which takes few of the users."""
    chance = random.Random(seed)
    found = []
    for number in range(members):
        band = [("points", ">=", 40 * number), ("points", "<", 40 * (number + 3))]
        found.append([[part] for part in band] + [[another(chance, {"points"})]])
    return found


def columns(conditions):
    return sorted({part[0] for clauses in conditions for clause in clauses for part in clause})


def quoted(texts, mark):
    return ", ".join(mark + text + mark for text in texts)


def joined(clauses, show, and_, or_):
    parts = [or_.join(show(part) for part in clause) for clause in clauses]
    return and_.join(f"({part})" if len(clause) > 1 else part for part, clause in zip(parts, clauses))


# --- Strata -----------------------------------------------------------------------------------------

TABLE = """strata 1
timezone "UTC"
now 2024-11-15T00:00

type channel = social | search | ads | referral | email | store
type device = ios | android | web
type tier = bronze | silver | gold | platinum

table users key user_id from "users.parquet" {
  user_id      : int
  age          : int?
  channel      : channel
  city         : string?
  device       : device
  tier         : tier
  brand        : string?
  quiz_score   : int
  visits_30d   : int
  orders_90d   : int
  returns_1y   : int
  points       : int?
  invest_years : float?
  spend_1y     : float
  balance      : float?
  signup_at    : timestamp
  last_paid    : timestamp?
  birthday     : date?
  member       : bool
  opted_in     : bool?
}
"""


def strata_part(part):
    column, operator, value = part
    if operator == "is":
        return column
    if operator == "in":
        return column + " in (" + quoted(value, '"') + ")"
    if isinstance(value, datetime):
        value = value.strftime("%Y-%m-%dT%H:%M")
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"{column} {operator} {value}"


def strata_segments(conditions):
    lines = [f"segment s{n} when {joined(clauses, strata_part, ' and ', ' or ')}" for n, clauses in enumerate(conditions)]
    return TABLE + "\n" + "\n".join(lines) + "\n"


def strata_layer(conditions):
    lines = [f"  m{n} when {joined(clauses, strata_part, ' and ', ' or ')}" for n, clauses in enumerate(conditions)]
    return TABLE + "\nlayer best first match partial {\n" + "\n".join(lines) + "\n}\n"


# --- SQL --------------------------------------------------------------------------------------------


def sql_part(dialect):
    def show(part):
        column, operator, value = part
        if operator == "is":
            return column
        if operator == "in":
            return column + " IN (" + quoted(value, "'") + ")"
        if isinstance(value, datetime):
            moment = value.strftime("%Y-%m-%d %H:%M:%S")
            if dialect == "clickhouse":
                return f"{column} {operator} toDateTime64('{moment}', 6, 'UTC')"
            return f"{column} {operator} TIMESTAMPTZ '{moment}+00'" if dialect == "duckdb" else \
                f"{column} {operator} arrow_cast('{moment}', 'Timestamp(Microsecond, Some(\"UTC\"))')"
        if isinstance(value, date):
            return f"{column} {operator} toDate32('{value}')" if dialect == "clickhouse" else f"{column} {operator} DATE '{value}'"
        return f"{column} {operator} '{value}'" if isinstance(value, str) else f"{column} {operator} {value}"
    return show


def sql_condition(clauses, dialect):
    return joined(clauses, sql_part(dialect), " AND ", " OR ")


def sql_counts(conditions, table, dialect):
    if dialect == "clickhouse":
        shown = [f"countIf({sql_condition(clauses, dialect)})" for clauses in conditions]
    else:
        shown = [f"sum(CASE WHEN {sql_condition(clauses, dialect)} THEN 1 ELSE 0 END)" for clauses in conditions]
    return f"SELECT {', '.join(f'{text} AS s{n}' for n, text in enumerate(shown))} FROM {table}"


def sql_booleans(conditions, table, dialect):
    if dialect == "clickhouse":
        wrap = lambda text: f"ifNull({text}, false)::Bool"
    else:
        wrap = lambda text: f"coalesce({text}, false)"
    shown = [f"{wrap(sql_condition(clauses, dialect))} AS s{n}" for n, clauses in enumerate(conditions)]
    return f"SELECT user_id, {', '.join(shown)} FROM {table}"


def sql_layer(conditions, table, dialect):
    arms = [f"WHEN {sql_condition(clauses, dialect)} THEN 'm{n}'" for n, clauses in enumerate(conditions)]
    return f"SELECT user_id, CASE {' '.join(arms)} END AS best FROM {table}"


# --- Polars -----------------------------------------------------------------------------------------


def polars_condition(clauses):
    import functools
    import operator as op

    import polars as pl

    def show(part):
        column, operator, value = part
        column = pl.col(column)
        if operator == "is":
            return column
        if operator == "in":
            return column.is_in(list(value))
        return {">=": column.__ge__, "<": column.__lt__, "=": column.__eq__}[operator](value)

    return functools.reduce(op.and_, [functools.reduce(op.or_, [show(part) for part in clause]) for clause in clauses])
