#!/usr/bin/env python3
"""Makes users.csv and truth.csv: 2,000 users of a fund app whose type is planted.

A user's type is drawn first, and the columns then are drawn so that they show it. Only Python's
standard library is needed; the seed is fixed. Run it in this folder: python3 generate.py
"""

import csv
import random

random.seed(20241115)
CHANNELS = ["social", "search", "ads", "referral", ""]
TYPES = ["novice_weak", "novice_strong", "pro_weak", "pro_strong"]

users, truth = [], []
for user_id in range(1, 2001):
    kind = random.choices(TYPES, weights=[45, 25, 18, 12])[0]
    expert, willing = kind.startswith("pro"), kind.endswith("strong")
    if expert:
        quiz, years = random.randint(80, 100), f"{random.uniform(3, 20):.1f}"
    elif random.random() < 0.3:
        # Knows the theory, but has never invested, or does not say for how long.
        quiz, years = random.randint(80, 100), random.choice(["", f"{random.uniform(0, 2.9):.1f}"])
    else:
        quiz, years = random.randint(0, 79), random.choice(["", f"{random.uniform(0, 10):.1f}"])
    if not willing:
        orders, investable = random.randint(0, 4), random.randint(0, 49_999_999) / 100
    elif random.random() < 0.5:
        orders, investable = random.randint(5, 30), random.randint(0, 49_999_999) / 100
    else:
        orders, investable = random.randint(0, 30), random.randint(50_000_000, 900_000_000) / 100
    age = "" if random.random() < 0.1 else random.randint(18, 80)
    users.append([user_id, age, random.choice(CHANNELS), quiz, years, f"{investable:.2f}", orders])
    truth.append([user_id, kind])

# The lines themselves: exactly on each threshold, and just below it.
edges = [(80, "3.0", "500000.00", 0, "pro_strong"), (79, "3.0", "500000.00", 0, "novice_strong"),
         (80, "2.9", "499999.99", 4, "novice_weak"), (80, "3.0", "499999.99", 5, "pro_strong"),
         (100, "", "0.00", 0, "novice_weak")]
for row, (quiz, years, investable, orders, kind) in enumerate(edges):
    users[row][3:] = [quiz, years, investable, orders]
    truth[row][1] = kind

def write(name, header, rows):
    with open(name, "w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)

write("users.csv", ["user_id", "age", "channel", "quiz_score", "invest_years", "investable", "orders_90d"], users)
write("truth.csv", ["user_id", "type"], truth)
