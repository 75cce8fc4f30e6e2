"""The made-up users that all engines are measured on: 20 columns, half a million rows a row group."""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

GROUP = 500_000
NOW = 1_731_628_800  # 2024-11-15T00:00Z, in seconds
DAY = 86_400

CHANNELS = ["social", "search", "ads", "referral", "email", "store"]
CITIES = [f"city{n}" for n in range(300)]
DEVICES = ["ios", "android", "web"]
TIERS = ["bronze", "silver", "gold", "platinum"]
BRANDS = [f"brand{n}" for n in range(40)]


def texts(chance, rows, values, missing=0.0):
    codes = pa.array(chance.integers(0, len(values), rows, dtype=np.int32), mask=chance.random(rows) < missing)
    return pa.DictionaryArray.from_arrays(codes, pa.array(values))


def numbers(chance, values, missing=0.0):
    return pa.array(values, mask=chance.random(len(values)) < missing if missing else None)


def skewed(chance, rows, most):
    return (chance.random(rows) ** 3 * most).astype(np.int64)


def money(chance, rows, most):
    return np.round(chance.random(rows) ** 3 * most, 2)


def moments(chance, rows, days, missing=0.0):
    seconds = NOW - (chance.random(rows) * days * DAY).astype(np.int64)
    kept = None if not missing else chance.random(rows) < missing
    return pa.array(seconds * 1_000_000, mask=kept).cast(pa.timestamp("us", "UTC"))


def days(chance, rows, start, count, missing):
    values = (NOW // DAY + start + chance.integers(0, count, rows)).astype(np.int32)
    return pa.array(values, mask=chance.random(rows) < missing).cast(pa.date32())


def group(seed, first, rows):
    chance = np.random.default_rng([seed, first])
    return pa.table({
        "user_id": pa.array(np.arange(first, first + rows, dtype=np.int64) * 3 + 1_000_000),
        "age": numbers(chance, chance.integers(14, 80, rows), 0.05),
        "channel": texts(chance, rows, CHANNELS),
        "city": texts(chance, rows, CITIES, 0.03),
        "device": texts(chance, rows, DEVICES),
        "tier": texts(chance, rows, TIERS),
        "brand": texts(chance, rows, BRANDS, 0.1),
        "quiz_score": numbers(chance, chance.integers(0, 101, rows)),
        "visits_30d": numbers(chance, skewed(chance, rows, 120)),
        "orders_90d": numbers(chance, skewed(chance, rows, 40)),
        "returns_1y": numbers(chance, skewed(chance, rows, 12)),
        "points": numbers(chance, skewed(chance, rows, 20_000), 0.1),
        "invest_years": numbers(chance, np.round(chance.random(rows) * 30, 1), 0.2),
        "spend_1y": numbers(chance, money(chance, rows, 50_000)),
        "balance": numbers(chance, money(chance, rows, 200_000), 0.3),
        "signup_at": moments(chance, rows, 1500),
        "last_paid": moments(chance, rows, 700, 0.4),
        "birthday": days(chance, rows, -25_000, 20_000, 0.15),
        "member": pa.array(chance.random(rows) < 0.3),
        "opted_in": pa.array(chance.random(rows) < 0.6, mask=chance.random(rows) < 0.1),
    })


def make(path, rows, seed=1):
    """Writes the users, unless a file of them is there already."""
    path = Path(path)
    if path.exists() and pq.ParquetFile(path).metadata.num_rows == rows:
        return
    unready = path.with_suffix(".part")
    writer = None
    for first in range(0, rows, GROUP):
        table = group(seed, first, min(GROUP, rows - first))
        writer = writer or pq.ParquetWriter(unready, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=GROUP)
    writer.close()
    unready.rename(path)


if __name__ == "__main__":
    make(sys.argv[1], int(sys.argv[2]))
