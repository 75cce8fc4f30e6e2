#!/usr/bin/env python3
"""Makes customers.csv, one row a customer, from the purchases in CDNOW_master.txt.gz.

Only Python's standard library is needed. Run it in this folder: python3 prepare.py
"""

import csv
import gzip
from decimal import Decimal

customers = {}
with gzip.open("CDNOW_master.txt.gz", "rt", encoding="ascii") as purchases:
    next(purchases)  # the header
    for line in purchases:
        customer, date, cds, dollars = line.split()
        day = f"{date[0:4]}-{date[4:6]}-{date[6:8]}"
        row = customers.setdefault(int(customer), [day, day, 0, 0, Decimal(0)])
        row[0] = min(row[0], day)
        row[1] = max(row[1], day)
        row[2] += 1
        row[3] += int(cds)
        row[4] += Decimal(dollars)

with open("customers.csv", "w", encoding="utf-8", newline="") as out:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["customer_id", "first_purchase", "last_purchase", "purchases", "cds", "spend"])
    for customer, (first, last, count, cds, spend) in sorted(customers.items()):
        writer.writerow([customer, first, last, count, cds, f"{spend:.2f}"])
