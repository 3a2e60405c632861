-- Customers from before the last migration, which found none of them: it did not say that it works for everybody, and
-- row-level security showed it nobody's. `dangol migrate` says so now.
-- Nobody adds to what is added up meanwhile.
lock table booking.customer, booking.reservation, booking.reservation_service in share row exclusive mode;
insert into booking.customer_summary
    (business_id, customer_id, total_spent, visit_count, no_show_count, has_phone, has_email, marketing_consent,
     first_visit_on, last_visit_on, planned_until, birthday, birthday_day, gender, tags, service_ids, staff_ids)
select c.business_id, c.customer_id, coalesce(v.total_spent, 0), coalesce(v.visit_count, 0), coalesce(v.no_show_count, 0),
       c.phone is not null, c.email is not null, c.marketing_consent, v.first_visit_on, v.last_visit_on, v.planned_until,
       c.birthday, to_char(c.birthday, 'MMDD')::smallint, c.gender, c.tags, coalesce(s.service_ids, '{}'),
       coalesce(v.staff_ids, '{}')
from booking.customer c
left join (
    select business_id, customer_id,
           sum(price) filter (where status = 'COMPLETED') as total_spent,
           count(*) filter (where status = 'COMPLETED') as visit_count,
           count(*) filter (where status = 'NO_SHOW') as no_show_count,
           min(visit_on) filter (where status = 'COMPLETED') as first_visit_on,
           max(visit_on) filter (where status = 'COMPLETED') as last_visit_on,
           max(start_at) filter (where status in ('PENDING', 'CONFIRMED')) as planned_until,
           array_agg(distinct staff_id order by staff_id)
               filter (where status = 'COMPLETED' and staff_id is not null) as staff_ids
    from booking.reservation where customer_id is not null
    group by business_id, customer_id
) v using (business_id, customer_id)
left join (
    select r.business_id, r.customer_id, array_agg(distinct l.service_id order by l.service_id) as service_ids
    from booking.reservation_service l
    join booking.reservation r on r.business_id = l.business_id and r.reservation_id = l.reservation_id
    where l.status = 'COMPLETED' and r.customer_id is not null
    group by r.business_id, r.customer_id
) s using (business_id, customer_id)
where c.deleted_at is null
on conflict do nothing;
