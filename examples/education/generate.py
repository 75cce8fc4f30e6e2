#!/usr/bin/env python3
"""Makes users.csv: 600 families of an online school. Standard library only, fixed seed."""

import csv
import random

random.seed(699)
rows = []
for user_id in range(1, 601):
    kind = random.choice(["price", "service", "both", "new"])
    bought = 0 if kind == "new" else random.randint(1, 12)
    if kind == "new":
        top = ""
    elif kind == "price":
        top = f"{random.choice([9.9, 49, 99, 199, 399, 598, 698.99]):.2f}"
    else:
        top = f"{random.choice([699, 799, 1299, 2980, 4680]):.2f}"
    coupons = random.randint(0, bought) if kind != "service" else 0
    messages = random.randint(0, 5) if kind in ("price", "new") else random.randint(3, 60)
    rows.append([user_id, random.choice([0, 1, 2, 3, 4, 5, 6]), bought, top, coupons, messages, random.choice(["true", "false", ""])])
# The line itself, and a cent below it.
rows[0][2:6] = [1, "699.00", 0, 10]
rows[1][2:6] = [1, "698.99", 1, 0]
rows[2][2:6] = [1, "699.00", 1, 0]

with open("users.csv", "w", encoding="utf-8", newline="") as out:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["user_id", "grade", "courses", "highest_price", "coupons", "tutor_messages", "asked_for_trial"])
    writer.writerows(rows)
