#!/usr/bin/env python3
"""Makes users.csv, one row a user, from the event log in events.csv.gz.

Of a user the log says the channel they came by and the month of their cohort; both are the same in
all of a user's events, which this checks. Only Python's standard library is needed. Run it in this
folder: python3 prepare.py
"""

import csv
import gzip

users = {}
with gzip.open("events.csv.gz", "rt", encoding="utf-8", newline="") as events:
    for event in csv.DictReader(events):
        known = (event["acquisition_channel"], event["user_cohort"])
        if users.setdefault(event["user_id"], known) != known:
            raise SystemExit(f"{event['user_id']} has two channels or cohorts")

with open("users.csv", "w", encoding="utf-8", newline="") as out:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["user_id", "acquisition_channel", "user_cohort"])
    for user, known in sorted(users.items()):
        writer.writerow([user, *known])
