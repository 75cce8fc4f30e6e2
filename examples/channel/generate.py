#!/usr/bin/env python3
"""Makes users.csv: 800 users by the channel they came from. Standard library only, fixed seed."""

import csv
import random
from datetime import datetime, timedelta

random.seed(42)
now = datetime(2024, 11, 15)
rows = []
for user_id in range(1, 801):
    signup = now - timedelta(seconds=random.randint(0, 120 * 86400))
    channel = random.choice(["social", "search", "ads", "referral", "store", ""])
    rows.append([f"u{user_id:04}", signup.isoformat(), channel, random.randint(0, 3), random.choice(["true", "false"])])
# Exactly on the bound of the thirty days, and a second before it.
rows[0][1], rows[1][1], rows[2][1] = "2024-10-16T00:00:00", "2024-10-15T23:59:59", "2024-11-15T00:00:00"
with open("users.csv", "w", encoding="utf-8", newline="") as out:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["user_id", "signup_at", "channel", "orders", "finished_intro"])
    writer.writerows(rows)
