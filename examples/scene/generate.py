#!/usr/bin/env python3
"""Makes sessions.csv: the last time that 500 users opened the app. Standard library only, fixed seed."""

import csv
import random
from datetime import datetime, timedelta

random.seed(2200)
start = datetime(2024, 11, 4)
edges = ["2024-11-13T07:00:00", "2024-11-13T06:59:59", "2024-11-13T09:30:00", "2024-11-13T22:00:00",
         "2024-11-14T02:00:00", "2024-11-14T02:00:01", "2024-11-16T08:00:00", "2024-11-09T08:00:00",
         "2024-11-17T23:30:00", ""]
rows = []
for user_id in range(1, 501):
    opened = (start + timedelta(seconds=random.randint(0, 14 * 86400 - 1))).isoformat()
    rows.append([user_id, opened, random.choice([1, 3, 8, 20, 45])])
for row, edge in zip(rows, edges):
    row[1] = edge
with open("sessions.csv", "w", encoding="utf-8", newline="") as out:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["user_id", "opened_at", "minutes"])
    writer.writerows(rows)
with open("days.csv", "w", encoding="utf-8", newline="") as out:
    # 9 November 2024 is a Saturday on which people work; 11 November a Monday off, for the example's sake.
    out.write("date,workday\n2024-11-09,true\n2024-11-11,false\n")
