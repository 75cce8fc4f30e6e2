-- Written by hand from the meaning of tests/duckdb/shop.seg, in DuckDB's SQL. A block is a trait: a query
-- that gives `id` and `value`, or the aggregate of a user's rows of `a`.

-- tables
create type step as enum ('home', 'catalog', 'search', 'filter_results', 'compare', 'product_view', 'promo_page',
  'wishlist_add', 'add_to_cart', 'cart', 'shipping_details', 'payment_details', 'payment_error', 'checkout_bug',
  'error_page', 'purchase', 'review_page', 'support_chat', 'account_page');
create table u as select user_id as id from read_csv('{examples}/shop/users.csv');
create table a as select user_id as id, session_id as session, event::step as event, "timestamp" as t, platform
  from read_csv('{examples}/shop/events.csv.gz') where "timestamp" <= timestamp '2024-05-10 08:30:00';
create view rows_of_users as select u.id, a.session, a.event, a.t, a.platform from u left join a using (id);
create macro moment() as timestamp '2024-05-10 08:30:00';

-- n_all
count(t)
-- n_30d
count(t) filter (t > moment() - interval 30 days)
-- n_36h
count(t) filter (t > moment() - interval 36 hours)
-- n_month
count(t) filter (t > timestamp '2024-04-10 08:30:00')
-- n_2_weeks
count(t) filter (t > moment() - interval 14 days)
-- n_then
count(t) filter (t > moment() - interval 60 days and t <= moment() - interval 30 days)
-- n_since
count(t) filter (t >= timestamp '2024-04-09 00:00:00')
-- n_since_day
count(t) filter (t >= timestamp '2024-04-09 00:00:00')
-- n_before_bug
count(t) filter (t >= timestamp '2024-03-10 00:00:00' and t < timestamp '2024-04-09 00:00:00')
-- n_hours_before
count(t) filter (t >= timestamp '2024-04-09 00:00:00' and t < timestamp '2024-04-09 12:00:00')
-- bought
count(t) filter (event = 'purchase')
-- bought_30d
count(t) filter (event = 'purchase' and t > moment() - interval 30 days)
-- carts_mobile
count(t) filter (event = 'cart' and platform = 'mobile')
-- searched
count(t) filter (event in ('search', 'filter_results', 'compare') and t > moment() - interval 60 days)
-- at_night
count(t) filter (hour(t) < 6)
-- at_lunch
count(t) filter (t::time between time '12:00:00' and time '13:30:00')
-- on_weekends
count(t) filter (isodow(t) >= 6 and t > moment() - interval 60 days)
-- late_evening
count(t) filter (t::time >= time '22:00:00' or t::time <= time '02:00:00')
-- sessions
count(distinct session)
-- sessions_30d
count(distinct session) filter (t > moment() - interval 30 days)
-- days_seen
count(distinct t::date)
-- devices
count(distinct platform)
-- kinds
count(distinct event) filter (t > moment() - interval 30 days)
-- promo_sessions
count(distinct session) filter (event = 'promo_page')
-- first_seen
min(t)
-- last_seen
max(t)
-- last_bought
max(t) filter (event = 'purchase')
-- min_seen_april
min(t) filter (t >= timestamp '2024-04-01 00:00:00')
-- max_hour
max(hour(t)) filter (t > moment() - interval 30 days)
-- first_event
select id, min(event) as value from a join (select id, min(t) as t from a group by id) using (id, t) group by id
-- last_event
select id, min(event) as value from a join (select id, max(t) as t from a group by id) using (id, t) group by id
-- first_session
select id, min(session) as value from a join (select id, min(t) as t from a group by id) using (id, t) group by id
-- last_platform
select id, min(platform) as value
from (from a where event = 'purchase') join (select id, max(t) as t from a where event = 'purchase' group by id) using (id, t)
group by id
-- mode_event
select id, event as value
from (select id, event, row_number() over (partition by id order by count(*) desc, event) as place from a group by id, event)
where place = 1
-- mode_platform
select id, platform as value
from (select id, platform, row_number() over (partition by id order by count(*) desc, platform) as place
      from a where t > moment() - interval 30 days group by id, platform)
where place = 1
-- mode_hour
select id, h as value
from (select id, hour(t) as h, row_number() over (partition by id order by count(*) desc, hour(t)) as place from a group by id, hour(t))
where place = 1
-- share_mobile
count(t) filter (platform = 'mobile') / nullif(count(t), 0)
-- share_weighing
count(t) filter (event in ('filter_results', 'compare', 'wishlist_add') and t > moment() - interval 90 days)
  / nullif(count(t) filter (t > moment() - interval 90 days), 0)
-- avg_hour
avg(hour(t))
-- sum_hours
coalesce(sum(hour(t)) filter (t > moment() - interval 30 days), 0)
-- any_bug
coalesce(bool_or(event = 'checkout_bug'), false)
-- none_30d
not coalesce(bool_or(t > moment() - interval 30 days), false)
-- on_main_device
select u.id, coalesce(max(n), 0) as value from u left join (select id, platform, count(*) as n from a group by all) using (id) group by u.id
-- main_device
select id, platform as value
from (select id, platform, row_number() over (partition by id order by count(*) desc, platform) as place from a group by id, platform)
where place = 1
-- first_week
select u.id, count(a.t) as value
from u left join (select id, min(t) as f from a group by id) s using (id) left join a on a.id = u.id and a.t < s.f + interval 7 days
group by u.id
-- before_last_buy
select u.id, count(a.t) as value
from u left join (select id, max(t) as l from a where event = 'purchase' group by id) s using (id)
  left join a on a.id = u.id and a.t >= s.l - interval 3 days and a.t < s.l
group by u.id
-- after_the_first
select u.id, count(a.t) as value
from u left join (select id, min(t) as f from a where event = 'purchase' group by id) s using (id) left join a on a.id = u.id and a.t > s.f
group by u.id
-- promo_then_buy
select u.id, exists (from a p join a b on b.id = p.id and b.t > p.t and b.t <= p.t + interval 24 hours
  where p.id = u.id and p.event = 'promo_page' and b.event = 'purchase') as value
from u
-- abandoned
select u.id, exists (from a c join a s on s.id = c.id and s.t > c.t and s.t <= c.t + interval 24 hours
  where c.id = u.id and c.event = 'cart' and s.event = 'shipping_details' and c.t + interval 24 hours <= moment()
    and not exists (from a b where b.id = c.id and b.event = 'purchase' and b.t > s.t and b.t <= c.t + interval 24 hours)) as value
from u
-- straight_through
select u.id, exists (from a c join a b on b.id = c.id and b.t > c.t and b.t <= c.t + interval 30 minutes
  where c.id = u.id and c.event = 'cart' and b.event = 'purchase'
    and not exists (from a x where x.id = c.id and x.event in ('payment_error', 'error_page', 'checkout_bug') and x.t > c.t and x.t < b.t)) as value
from u
-- never_again
select u.id, exists (from a c where c.id = u.id and c.event = 'checkout_bug'
  and not exists (from a b where b.id = c.id and b.event = 'purchase' and b.t > c.t)) as value
from u
-- three_searches
select u.id, exists (from a x join a y on y.id = x.id and y.t > x.t join a z on z.id = x.id and z.t > y.t and z.t <= x.t + interval 10 minutes
  where x.id = u.id and x.event = 'search' and y.event = 'search' and z.event = 'search') as value
from u
-- activity
with v as (select id, count(t) filter (t > moment() - interval 30 days) as x from rows_of_users group by id),
     q as (select quantile_cont(x, [0.25, 0.5, 0.75]) as cuts from v)
select id, 1 + (x > cuts[1])::int + (x > cuts[2])::int + (x > cuts[3])::int as value from v, q
-- activity_among
with v as (select id, count(t) as x, count(t) filter (event = 'purchase') as bought from rows_of_users group by id),
     q as (select quantile_cont(x, [0.2, 0.4, 0.6, 0.8]) as cuts from v where bought > 0)
select id, 5 - (x > cuts[1])::int - (x > cuts[2])::int - (x > cuts[3])::int - (x > cuts[4])::int as value from v, q
-- typical
select id, (select quantile_cont(x, 0.9) from (select count(t) as x from rows_of_users group by id)) as value from u
-- abandoned_before
select u.id, exists (from a c join a s on s.id = c.id and s.t > c.t and s.t <= c.t + interval 24 hours
  where c.id = u.id and c.event = 'cart' and s.event = 'shipping_details' and c.t + interval 24 hours <= moment() - interval 30 days
    and not exists (from a b where b.id = c.id and b.event = 'purchase' and b.t > s.t and b.t <= c.t + interval 24 hours)) as value
from u
