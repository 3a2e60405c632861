-- Who listens to events, and how far each has come.
--
-- Events become visible in the order in which their transactions commit, which is not the order of their ids: whoever
-- remembered "up to event 17" would miss a 16 that was committed later. So an event keeps the transaction that wrote it,
-- and only those are read whose transaction is older than every one that still runs: behind them nothing can appear.
--
-- What there is already was committed before anything else, and costs no rewrite of the table.
alter table platform.event add column xid xid8 not null default '0';
alter table platform.event alter column xid set default pg_current_xact_id();
create index event_in_commit_order on platform.event (xid, event_id);

-- A consumer is registered by a migration of its context, so that it begins at that moment: nothing published later
-- is missed, and the years before do not happen once more.
create table platform.event_consumer (
    name     text   primary key,
    -- Everything up to here has been dealt with, in commit order.
    xid      xid8   not null default pg_snapshot_xmin(pg_current_snapshot()),
    event_id bigint not null default 0
);

-- A transaction that works for one person says who it is, and of which businesses they are told something. What is told
-- to everybody stands under business 0.
create function platform.told_businesses() returns bigint[]
    language sql stable
    return coalesce(nullif(current_setting('app.told_businesses', true), '')::bigint[], '{}');

create function platform.served_user() returns text
    language sql stable
    return nullif(current_setting('app.user_id', true), '');

-- Puts a table of what belongs to a person, and to no business, behind that lock.
create procedure platform.isolate_users(target regclass)
    language plpgsql as $$
begin
    execute format('alter table %s enable row level security', target);
    execute format('alter table %s force row level security', target);
    execute format(
        'create policy person on %s using (
             (select platform.serves_all()) or user_id = (select platform.served_user()))', target);
end $$;
