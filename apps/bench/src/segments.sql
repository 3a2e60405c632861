-- The visits of one shop's $customers customers, $reservations of them over three years until today. Triggers are left out, as every
-- bulk load of the past leaves them out; what they would have written is written at the end by the statement with which the
-- migration itself begins.
set work_mem = '256MB';
set maintenance_work_mem = '512MB';

insert into booking.staff (business_id, staff_id, name, created_at, changed_at)
select 1, n, '직원 ' || n, now(), now() from generate_series(1, 20) n;
insert into booking.service (business_id, service_id, name, price, duration_minutes, created_at, changed_at)
select 1, n, '시술 ' || n, 30000, 60, now(), now() from generate_series(1, 40) n;

-- A third of the visits are of a fifth of the customers.
insert into booking.reservation
    (business_id, reservation_id, customer_id, staff_id, start_at, status, price, created_at, changed_at)
select 1, n, 1 + abs(hashint8(n)::bigint) % case when n % 3 = 0 then $customers / 5 else $customers end,
       1 + abs(hashint8(n + 7)::bigint) % 20, start_at,
       case when start_at > now() then 'CONFIRMED'
            else (array['COMPLETED', 'COMPLETED', 'COMPLETED', 'COMPLETED', 'COMPLETED', 'COMPLETED', 'COMPLETED', 'COMPLETED',
                        'CANCELLED', 'NO_SHOW'])[1 + abs(hashint8(n * 5)::bigint) % 10] end,
       10000 + 1000 * (abs(hashint8(n * 9)::bigint) % 90), now(), now()
from (select n, now() + interval '14 days' - abs(hashint8(n * 3)::bigint) % 94608000 * interval '1 second' as start_at
      from generate_series(1::bigint, $reservations) n) made;
insert into booking.reservation_service
    (business_id, reservation_id, line, service_id, price, duration_minutes, visit_on, hour, status, staff_id)
select 1, reservation_id, 1, 1 + abs(hashint8(reservation_id * 11)::bigint) % 40, price, 60, visit_on, 10, status, staff_id
from booking.reservation;
