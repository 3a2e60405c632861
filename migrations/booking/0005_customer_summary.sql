-- What a shop asks of its customers to choose some of them: who they are, and what their visits add up to. A row a customer, as
-- narrow as it can be, so that a million of them are looked through in a tenth of a second; adding up ten million visits takes
-- many times as long. Triggers write it in the statement that changes what it is made of, so it is never behind.
create table booking.customer_summary (
    business_id       bigint      not null,
    customer_id       bigint      not null,
    -- Of completed reservations, won.
    total_spent       bigint      not null default 0,
    -- Completed reservations.
    visit_count       integer     not null default 0,
    no_show_count     integer     not null default 0,
    has_phone         boolean     not null,
    has_email         boolean     not null,
    marketing_consent boolean     not null,
    -- Korean days of completed reservations.
    first_visit_on    date,
    last_visit_on     date,
    -- When the last of the reservations begins that are pending or confirmed: one is still to come exactly while this is. When
    -- the next one begins could not be kept, because it changes as time passes.
    planned_until     timestamptz,
    birthday          date,
    -- The day of the year as people say it: 508 is 8 May.
    birthday_day      smallint,
    gender            text,
    tags              text[]      not null,
    -- What was done for them and by whom, of completed reservations; each once, in order.
    service_ids       bigint[]    not null default '{}',
    staff_ids         bigint[]    not null default '{}',
    primary key (business_id, customer_id)
-- Room on each page, so that a visit changes its row in place and no index.
) with (fillfactor = 85);

-- A row for everybody who was not erased.
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
where c.deleted_at is null;
call platform.isolate_tenants('booking.customer_summary');

-- What follows looks customers up one by one and never reads a table through. A plan is kept as long as the connection, and
-- one that was made for the ten thousand rows of a feed into an empty shop would read all of every shop for one visit.

-- Both of two sorted lists of ids, or the first one itself where it has all of the second.
create function booking.with_ids(known bigint[], added bigint[]) returns bigint[]
    language sql immutable parallel safe
    return case when known @> added then known
                else array(select distinct id from unnest(known || added) id order by id) end;

create type booking.somebody as (business_id bigint, customer_id bigint);

-- What was done for some customers, from all of their visits.
create function booking.summarise_services(whose booking.somebody[]) returns void
    language sql
begin atomic
    update booking.customer_summary s
    set service_ids = done.service_ids
    from (
        select w.business_id, w.customer_id,
               coalesce(array_agg(distinct l.service_id order by l.service_id)
                   filter (where l.status = 'COMPLETED'), '{}') as service_ids
        from unnest(whose) w
        left join booking.reservation r on r.business_id = w.business_id and r.customer_id = w.customer_id
        left join booking.reservation_service l on l.business_id = r.business_id and l.reservation_id = r.reservation_id
        group by w.business_id, w.customer_id
    ) done
    where s.business_id = done.business_id and s.customer_id = done.customer_id and s.service_ids <> done.service_ids;
end;

create function booking.summarise_new_customers() returns trigger
    language plpgsql as $$
begin
    insert into booking.customer_summary
        (business_id, customer_id, has_phone, has_email, marketing_consent, birthday, birthday_day, gender, tags)
    select business_id, customer_id, phone is not null, email is not null, marketing_consent, birthday,
           to_char(birthday, 'MMDD')::smallint, gender, tags
    from changed where deleted_at is null;
    return null;
end $$;

-- Who is erased is nobody's to choose any more.
create function booking.summarise_changed_customers() returns trigger
    language plpgsql
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
    as $$
begin
    delete from booking.customer_summary s using changed c
    where c.deleted_at is not null and s.business_id = c.business_id and s.customer_id = c.customer_id;
    update booking.customer_summary s
    set has_phone = c.phone is not null, has_email = c.email is not null, marketing_consent = c.marketing_consent,
        birthday = c.birthday, birthday_day = to_char(c.birthday, 'MMDD')::smallint, gender = c.gender, tags = c.tags
    from changed c
    where c.deleted_at is null and s.business_id = c.business_id and s.customer_id = c.customer_id
      and (s.has_phone, s.has_email, s.marketing_consent, s.birthday, s.gender, s.tags) is distinct from
          (c.phone is not null, c.email is not null, c.marketing_consent, c.birthday, c.gender, c.tags);
    return null;
end $$;

-- New reservations only add: history comes by the million, and nothing that is known has to be read again for it.
create function booking.summarise_new_reservations() returns trigger
    language plpgsql
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
    as $$
begin
    update booking.customer_summary s
    set total_spent = s.total_spent + v.total_spent, visit_count = s.visit_count + v.visit_count,
        no_show_count = s.no_show_count + v.no_show_count,
        first_visit_on = least(s.first_visit_on, v.first_visit_on),
        last_visit_on = greatest(s.last_visit_on, v.last_visit_on),
        planned_until = greatest(s.planned_until, v.planned_until),
        staff_ids = booking.with_ids(s.staff_ids, v.staff_ids)
    from (
        select business_id, customer_id,
               coalesce(sum(price) filter (where status = 'COMPLETED'), 0) as total_spent,
               count(*) filter (where status = 'COMPLETED') as visit_count,
               count(*) filter (where status = 'NO_SHOW') as no_show_count,
               min(visit_on) filter (where status = 'COMPLETED') as first_visit_on,
               max(visit_on) filter (where status = 'COMPLETED') as last_visit_on,
               max(start_at) filter (where status in ('PENDING', 'CONFIRMED')) as planned_until,
               coalesce(array_agg(distinct staff_id)
                   filter (where status = 'COMPLETED' and staff_id is not null), '{}') as staff_ids
        from changed where customer_id is not null and status <> 'CANCELLED'
        group by business_id, customer_id
    ) v
    where s.business_id = v.business_id and s.customer_id = v.customer_id;
    return null;
end $$;

-- One that was changed may have been the first, the last or the only one: all of the customer's are added up again, and
-- those of whoever it belonged to before.
create function booking.summarise_changed_reservations() returns trigger
    language plpgsql
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
    as $$
begin
    update booking.customer_summary s
    set total_spent = v.total_spent, visit_count = v.visit_count, no_show_count = v.no_show_count,
        first_visit_on = v.first_visit_on, last_visit_on = v.last_visit_on, planned_until = v.planned_until,
        staff_ids = v.staff_ids
    from (
        select business_id, customer_id,
               coalesce(sum(r.price) filter (where r.status = 'COMPLETED'), 0) as total_spent,
               count(*) filter (where r.status = 'COMPLETED') as visit_count,
               count(*) filter (where r.status = 'NO_SHOW') as no_show_count,
               min(r.visit_on) filter (where r.status = 'COMPLETED') as first_visit_on,
               max(r.visit_on) filter (where r.status = 'COMPLETED') as last_visit_on,
               max(r.start_at) filter (where r.status in ('PENDING', 'CONFIRMED')) as planned_until,
               coalesce(array_agg(distinct r.staff_id order by r.staff_id)
                   filter (where r.status = 'COMPLETED' and r.staff_id is not null), '{}') as staff_ids
        from (select business_id, customer_id from before where customer_id is not null
              union select business_id, customer_id from changed where customer_id is not null) whose
        left join booking.reservation r using (business_id, customer_id)
        group by business_id, customer_id
    ) v
    where s.business_id = v.business_id and s.customer_id = v.customer_id
      and (s.total_spent, s.visit_count, s.no_show_count, s.first_visit_on, s.last_visit_on, s.planned_until, s.staff_ids)
          is distinct from
          (v.total_spent, v.visit_count, v.no_show_count, v.first_visit_on, v.last_visit_on, v.planned_until, v.staff_ids);
    -- What was done went along to whom the visit belongs now.
    perform from (
        select business_id, reservation_id, customer_id from before
        except select business_id, reservation_id, customer_id from changed) moved;
    if found then
        perform booking.summarise_services(array(
            select row(business_id, customer_id)::booking.somebody
            from (select business_id, customer_id from before union select business_id, customer_id from changed) whose
            where customer_id is not null));
    end if;
    return null;
end $$;

create function booking.summarise_new_services() returns trigger
    language plpgsql
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
    as $$
begin
    update booking.customer_summary s
    set service_ids = booking.with_ids(s.service_ids, done.service_ids)
    from (
        select r.business_id, r.customer_id, array_agg(distinct l.service_id) as service_ids
        from changed l
        join booking.reservation r on r.business_id = l.business_id and r.reservation_id = l.reservation_id
        where l.status = 'COMPLETED' and r.customer_id is not null
        group by r.business_id, r.customer_id
    ) done
    where s.business_id = done.business_id and s.customer_id = done.customer_id
      and not s.service_ids @> done.service_ids;
    return null;
end $$;

-- Lines that are taken away are rarely of a completed visit: then it is corrected afterwards.
create function booking.summarise_changed_services() returns trigger
    language plpgsql
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
    as $$
begin
    perform from changed where status = 'COMPLETED';
    if found then
        perform booking.summarise_services(array(
            select distinct row(r.business_id, r.customer_id)::booking.somebody
            from changed l
            join booking.reservation r on r.business_id = l.business_id and r.reservation_id = l.reservation_id
            where l.status = 'COMPLETED' and r.customer_id is not null));
    end if;
    return null;
end $$;

create trigger summarise_insert after insert on booking.customer
    referencing new table as changed for each statement execute function booking.summarise_new_customers();
create trigger summarise_update after update on booking.customer
    referencing new table as changed for each statement execute function booking.summarise_changed_customers();
create trigger summarise_insert after insert on booking.reservation
    referencing new table as changed for each statement execute function booking.summarise_new_reservations();
create trigger summarise_update after update on booking.reservation
    referencing old table as before new table as changed
    for each statement execute function booking.summarise_changed_reservations();
create trigger summarise_insert after insert on booking.reservation_service
    referencing new table as changed for each statement execute function booking.summarise_new_services();
create trigger summarise_update after update on booking.reservation_service
    referencing new table as changed for each statement execute function booking.summarise_new_services();
create trigger summarise_update_before after update on booking.reservation_service
    referencing old table as changed for each statement execute function booking.summarise_changed_services();
create trigger summarise_delete after delete on booking.reservation_service
    referencing old table as changed for each statement execute function booking.summarise_changed_services();

create view booking_read.customer_summary as
    select business_id, customer_id, total_spent, visit_count, no_show_count, has_phone, has_email, marketing_consent,
           first_visit_on, last_visit_on, planned_until, birthday, birthday_day, gender, tags, service_ids, staff_ids
    from booking.customer_summary;
