-- A feed brings ten thousand reservations with as many services and more. Looking up what each of them refers to, row by
-- row as a foreign key does, took twice as long as writing them. What a statement refers to is looked up once here,
-- however often it refers to it. Nothing that is referred to is ever deleted: see the end.
alter table booking.reservation drop constraint reservation_business_id_customer_id_fkey;
alter table booking.reservation drop constraint reservation_business_id_staff_id_fkey;
alter table booking.reservation_service drop constraint reservation_service_business_id_reservation_id_fkey;
alter table booking.reservation_service drop constraint reservation_service_business_id_service_id_fkey;

create function booking.must_exist(missing text) returns void
    language plpgsql as $$
begin
    if missing is not null then
        raise foreign_key_violation using message = format('there is no %s', missing);
    end if;
end $$;

create function booking.check_reservations() returns trigger
    language plpgsql as $$
begin
    perform booking.must_exist((
        select format('customer %s of business %s', customer_id, business_id)
        from (select distinct business_id, customer_id from changed where customer_id is not null) named
        where not exists (
            select from booking.customer known
            where known.business_id = named.business_id and known.customer_id = named.customer_id)
        limit 1));
    perform booking.must_exist((
        select format('staff %s of business %s', staff_id, business_id)
        from (select distinct business_id, staff_id from changed where staff_id is not null) named
        where not exists (
            select from booking.staff known
            where known.business_id = named.business_id and known.staff_id = named.staff_id)
        limit 1));
    return null;
end $$;

create function booking.check_reservation_services() returns trigger
    language plpgsql as $$
begin
    perform booking.must_exist((
        select format('service %s of business %s', service_id, business_id)
        from (select distinct business_id, service_id from changed) named
        where not exists (
            select from booking.service known
            where known.business_id = named.business_id and known.service_id = named.service_id)
        limit 1));
    perform booking.must_exist((
        select format('reservation %s of business %s', reservation_id, business_id)
        from changed named
        where line = 1 and not exists (
            select from booking.reservation known
            where known.business_id = named.business_id and known.reservation_id = named.reservation_id)
        limit 1));
    return null;
end $$;

create trigger references_insert after insert on booking.reservation
    referencing new table as changed for each statement execute function booking.check_reservations();
create trigger references_update after update on booking.reservation
    referencing new table as changed for each statement execute function booking.check_reservations();
create trigger references_insert after insert on booking.reservation_service
    referencing new table as changed for each statement execute function booking.check_reservation_services();
create trigger references_update after update on booking.reservation_service
    referencing new table as changed for each statement execute function booking.check_reservation_services();

-- Customers are erased, staff leave and services are withdrawn, but their rows stay.
create function booking.refuse_delete() returns trigger
    language plpgsql as $$
begin
    raise restrict_violation using message = format('rows of %I are never deleted', tg_table_name);
end $$;

do $$
declare referred_to text;
begin
    foreach referred_to in array array['customer', 'staff', 'service', 'reservation'] loop
        execute format('create trigger never_deleted before delete on booking.%I
            for each row execute function booking.refuse_delete()', referred_to);
    end loop;
end $$;
