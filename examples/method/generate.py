"""Users of a made-up fund platform for the whole method: `python3 generate.py` writes users.csv."""

import csv
import datetime
import random

NOW = datetime.date(2024, 11, 15)
random.seed(20241115)


def user(number):
    days = int(random.expovariate(1 / 250))
    engaged = random.random()
    orders = 0 if days < 5 else int(random.expovariate(1 / (0.5 + 6 * engaged * engaged)))
    silent = None if orders == 0 else min(days, int(random.expovariate(1 / (10 + 120 * (1 - engaged)))))
    expert = random.random()
    return {
        "user_id": number,
        "signup_at": NOW - datetime.timedelta(days=days),
        "channel": random.choices(["social", "search", "ads", "referral", ""], [30, 25, 30, 10, 5])[0],
        "need": random.choices(["learn", "save", "grow"], [40, 35, 25])[0],
        "quiz_score": min(100, int(30 + 60 * expert + random.gauss(0, 10))) if expert > 0.1 else 0,
        "invest_years": round(random.uniform(0, 10) * expert, 1) if random.random() < 0.8 else "",
        "investable": f"{random.lognormvariate(10.5, 1.4):.2f}",
        "risk_class": random.choices(["conservative", "balanced", "aggressive"], [45, 40, 15])[0],
        "orders_90d": int(orders * min(1, 90 / max(days, 1)) * random.uniform(0.3, 1)),
        "orders_total": orders,
        "silent_days": "" if silent is None else silent,
        "visits_30d": int(random.expovariate(1 / (1 + 20 * engaged))),
        "minutes_a_visit": round(random.expovariate(1 / (2 + 10 * engaged)), 1),
        "comments_30d": int(random.expovariate(1 / (0.1 + 4 * engaged * engaged))),
        "shares_30d": int(random.expovariate(1 / (0.1 + 3 * engaged * engaged))),
        "followers": int(random.lognormvariate(3, 2)),
        "favourite": random.choices(["cash", "bonds", "mixed", "equity", ""], [25, 25, 25, 15, 10])[0],
    }


with open("users.csv", "w", newline="", encoding="utf-8") as file:
    rows = [user(number) for number in range(1, 1501)]
    writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
