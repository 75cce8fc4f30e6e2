-- Written by hand from the meaning of tests/duckdb/cdnow.seg, in DuckDB's SQL. A block is a trait: a query
-- that gives `id` and `value`, or the aggregate of a customer's rows of `p`.

-- tables
create view c as select customer_id as id from read_csv('{examples}/cdnow/customers.csv');
create view everything as select customer_id as id, bought_on as d, cds, amount
  from read_csv('{examples}/cdnow/purchases.csv.gz',
    types = {'bought_on': 'DATE', 'cds': 'BIGINT', 'amount': 'DECIMAL(10,2)'});
create table p as select * from everything where d <= date '1998-03-31';
create view rows_of_users as select c.id, p.d, p.cds, p.amount from c left join p using (id);

-- n_all
count(d)
-- n_90d
count(d) filter (d > date '1998-03-31' - 90)
-- n_3_months
count(d) filter (d > date '1997-12-31')
-- n_1_year
count(d) filter (d > date '1997-03-31')
-- n_52_weeks
count(d) filter (d > date '1998-03-31' - 364)
-- n_between
count(d) filter (d > date '1998-03-31' - 180 and d <= date '1998-03-31' - 90)
-- n_months_ago
count(d) filter (d > date '1997-09-30' and d <= date '1998-02-28')
-- n_since
count(d) filter (d >= date '1998-01-01')
-- n_since_february
count(d) filter (d >= date '1997-02-28')
-- n_before_july
count(d) filter (d >= date '1997-06-01' and d < date '1997-07-01')
-- n_big
count(d) filter (amount > 50)
-- n_big_90d
count(d) filter (amount > 50 and cds >= 3 and d > date '1998-03-31' - 90)
-- n_free
count(d) filter (amount = 0)
-- n_weekend
count(d) filter (isodow(d) in (6, 7))
-- sum_all
coalesce(sum(amount), 0)
-- sum_90d
coalesce(sum(amount) filter (d > date '1998-03-31' - 90), 0)
-- sum_cds
coalesce(sum(cds), 0)
-- sum_cds_december
coalesce(sum(cds) filter (month(d) = 12), 0)
-- sum_a_cd
coalesce(fsum(amount::double / cds), 0)
-- sum_discount
coalesce(sum(greatest(amount - 20, 0)) filter (cds >= 2), 0)
-- avg_all
avg(amount::double)
-- avg_cds_1y
avg(cds) filter (d > date '1997-03-31')
-- min_amount
min(amount)
-- max_amount
max(amount)
-- max_amount_90d
max(amount) filter (d > date '1998-03-31' - 90)
-- min_cds_big
min(cds) filter (amount >= 30)
-- first_day
min(d)
-- last_day
max(d)
-- min_day_1998
min(d) filter (d >= date '1998-01-01')
-- first_amount
arg_min(amount, (d, amount))
-- last_amount
arg_min(amount, (date '1998-03-31' - d, amount))
-- last_cds_big
arg_min(cds, (date '1998-03-31' - d, cds)) filter (amount > 25)
-- first_cds_90d
arg_min(cds, (d, cds)) filter (d > date '1998-03-31' - 90)
-- days_bought
count(distinct d)
-- months_bought
count(distinct date_trunc('month', d))
-- amounts
count(distinct amount)
-- cds_90d
count(distinct cds) filter (d > date '1998-03-31' - 90)
-- mode_cds
select id, arg_min(cds, (-n, cds)) as value from (select id, cds, count(*) as n from p group by all) group by id
-- mode_amount
select id, arg_min(amount, (-n, amount)) as value from (select id, amount, count(*) as n from p group by all) group by id
-- mode_weekday
select id, ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'][arg_min(w, (-n, w))] as value
from (select id, isodow(d) as w, count(*) as n from p group by all) group by id
-- share_big
count(d) filter (amount > 50) / nullif(count(d), 0)
-- share_big_1y
count(d) filter (cds = 1 and d > date '1997-03-31') / nullif(count(d) filter (d > date '1997-03-31'), 0)
-- any_free
coalesce(bool_or(amount = 0), false)
-- none_90d
not coalesce(bool_or(d > date '1998-03-31' - 90), false)
-- first_month
select id, sum(amount) as value from p join (select id, min(d) as f from p group by id) using (id) where d - f <= 30 group by id
-- above_average
select id, count(*) filter (amount * n > s) as value
from p join (select id, count(*) as n, sum(amount) as s from p group by id) using (id) group by id
-- within_a_month
select id, count(*) as value from p join (select id, min(d) as f from p group by id) using (id)
where d <= f + interval 1 month group by id
-- before_last
select id, count(*) filter (d >= l - 60 and d < l) as value
from p join (select id, max(d) as l from p group by id) using (id) group by id
-- again_in_a_week
select c.id, exists (from p a join p b on a.id = b.id and b.d > a.d and b.d - a.d <= 7 where a.id = c.id) as value from c
-- up_then_no_more
select c.id, exists (from p a where a.id = c.id and a.amount > 40 and a.d + 90 <= date '1998-03-31'
  and not exists (from p b where b.id = a.id and b.d > a.d and b.d <= a.d + 90)) as value
from c
-- big_big_no_small
select c.id, exists (from p a join p b on a.id = b.id and b.d > a.d where a.id = c.id and a.amount > 40 and b.amount > 40
  and not exists (from p s where s.id = a.id and s.amount < 15 and s.d > a.d and s.d < b.d)) as value
from c
-- three_in_a_year
with days as (select distinct id, d from p), ahead as (select id, d, lead(d, 2) over (partition by id order by d) as third from days)
select c.id, exists (from ahead where ahead.id = c.id and third - d <= 365) as value from c
-- r
with v as (select id, date '1998-03-31' - max(d) as x from p group by id),
     q as (select quantile_cont(x, [0.2, 0.4, 0.6, 0.8]) as cuts from v)
select id, 5 - (x > cuts[1])::int - (x > cuts[2])::int - (x > cuts[3])::int - (x > cuts[4])::int as value from v, q
-- f
with v as (select id, count(*) as x from p group by id),
     q as (select quantile_cont(x, [0.2, 0.4, 0.6, 0.8]) as cuts from v)
select id, 1 + (x > cuts[1])::int + (x > cuts[2])::int + (x > cuts[3])::int + (x > cuts[4])::int as value from v, q
-- m
with v as (select id, sum(amount) as x from p group by id), o as (select x, row_number() over (order by x) - 1 as i from v),
     n as (select count(*) as n from v),
     -- Exact, in fifths of a cent: type 7 is at (n - 1) k / 5.
     q as (select k, 5 * a.x + (b.x - a.x) * (((n - 1) * k) % 5) as cut from n, (values (1), (2), (3), (4)) ks(k)
           join o a on a.i = ((n - 1) * k) // 5 join o b on b.i = least(((n - 1) * k) // 5 + 1, n - 1))
select id, 1 + count(*) filter (5 * x > cut) as value from v, q group by id
-- average_spend
select id, (select avg(x::double) from (select sum(amount) as x from p group by id)) as value from c
-- median_spend
select id, (select median(x::double) from (select sum(amount) as x from p group by id)) as value from c
-- n_as_it_was
count(d) filter (d > date '1998-03-31' - 180 and d <= date '1998-03-31' - 90)
