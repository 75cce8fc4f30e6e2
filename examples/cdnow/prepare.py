#!/usr/bin/env python3
"""Makes purchases.csv.gz and customers.csv from the purchase history in CDNOW_master.txt.gz.

A purchase of the history is a row, the 255 that stand twice included. A customer is a row of
customers.csv; nothing else is known of them. Only Python's standard library is needed. Run it in this
folder: python3 prepare.py
"""

import csv
import gzip
import io

customers = set()
rows = io.StringIO(newline="")
writer = csv.writer(rows, lineterminator="\n")
writer.writerow(["customer_id", "bought_on", "cds", "amount"])
with gzip.open("CDNOW_master.txt.gz", "rt", encoding="ascii") as purchases:
    next(purchases)  # the header
    for line in purchases:
        customer, date, cds, dollars = line.split()
        customers.add(int(customer))
        writer.writerow([int(customer), f"{date[0:4]}-{date[4:6]}-{date[6:8]}", int(cds), dollars])

# Without a time in its header, so that the file is the same whenever it is made.
with open("purchases.csv.gz", "wb") as out:
    out.write(gzip.compress(rows.getvalue().encode("ascii"), mtime=0))
with open("customers.csv", "w", encoding="utf-8", newline="") as out:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["customer_id"])
    writer.writerows([customer] for customer in sorted(customers))
