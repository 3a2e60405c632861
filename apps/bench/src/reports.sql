-- The yardstick of `bench -- reports`: what the revenue report shows, in one statement that reads each visit once. psql
-- runs it with the variables business, first, last, before (as many days earlier as the range is long).
with cell as (
    select grouping(visit_on, staff_id, service_id, hour) as grouped_by, visit_on, staff_id, service_id, hour,
           sum(price) filter (where status = 'COMPLETED') as revenue,
           count(*) filter (where line = 1) as reservations,
           count(*) filter (where line = 1 and status = 'COMPLETED') as completed,
           count(*) filter (where status = 'COMPLETED') as services
    from booking.reservation_service
    where business_id = :business and visit_on between :'first' and :'last'
    group by grouping sets ((visit_on), (staff_id), (service_id), (hour))
)
select cell.grouped_by, cell.visit_on, cell.hour, cell.revenue, cell.reservations, cell.completed, cell.services,
       coalesce(service.name, staff.name) as name
from cell
left join booking.staff on staff.business_id = :business and staff.staff_id = cell.staff_id
left join booking.service on service.business_id = :business and service.service_id = cell.service_id
union all
select null, null, null, sum(price) filter (where status = 'COMPLETED'), count(*) filter (where line = 1),
       count(*) filter (where line = 1 and status = 'COMPLETED'), null, null
from booking.reservation_service
where business_id = :business and visit_on >= :'before' and visit_on < :'first';
