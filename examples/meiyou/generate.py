#!/usr/bin/env python3
"""Makes users.csv: 300 users of a women's health app as of 29 February 2024, the edges first.

Only Python's standard library is needed; the seed is fixed. Run it in this folder: python3 generate.py
"""

import csv
import random
from datetime import date, timedelta

random.seed(20240229)
TODAY = date(2024, 2, 29)


def day(days_from_today):
    return (TODAY + timedelta(days=days_from_today)).isoformat()


# user_id, last_period, cycle_days, trying, due_date, birth_date
rows = [
    [1, "", "", "false", day(1), ""],  # 39 weeks 6 days
    [2, "", "", "false", day(0), ""],  # 40 weeks, due on 29 February
    [3, "", "", "false", day(-14), ""],  # 42 weeks: the last day of a pregnancy
    [4, "", "", "false", day(-15), ""],  # a day beyond: the app has not been told of the birth
    [5, "", "", "false", day(280), ""],  # the very first day
    [6, "", "", "false", day(281), ""],  # a due date that cannot be yet
    [7, day(-14), 28, "true", "", ""],  # ovulation today
    [8, day(-28), 28, "true", "", ""],  # period due today
    [9, day(-9), 28, "true", "", ""],  # the fertile window opens today
    [10, day(-16), 28, "false", "", ""],  # and closed yesterday
    [11, "", "", "false", day(-30), day(-28)],  # four weeks after a birth
    [12, "", "", "false", day(-200), "2023-08-29"],  # six months after a birth, to the day
    [13, "", "", "false", "", "2020-02-29"],  # a child born on an earlier 29 February
    [14, "", 28, "true", "", ""],  # has not told when her last period was
    [15, day(-5), "", "true", "", ""],  # nor how long her cycle is
    [16, day(0), 21, "false", "", ""],
]
for user_id in range(17, 301):
    kind = random.choice(["normal", "normal", "trying", "pregnant", "postpartum"])
    row = [user_id, "", "", "false", "", ""]
    if kind in ("normal", "trying"):
        row[1] = day(-random.randint(0, 40)) if random.random() > 0.1 else ""
        row[2] = random.randint(21, 40) if random.random() > 0.1 else ""
        row[3] = "true" if kind == "trying" else "false"
    elif kind == "pregnant":
        row[4] = day(random.randint(-14, 270))
    else:
        birth = -random.randint(0, 250)
        row[4], row[5] = day(birth + random.randint(-10, 20)), day(birth)
    rows.append(row)

with open("users.csv", "w", encoding="utf-8", newline="") as out:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["user_id", "last_period", "cycle_days", "trying", "due_date", "birth_date"])
    writer.writerows(rows)
