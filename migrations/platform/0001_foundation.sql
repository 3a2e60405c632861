-- What every context stands on. Each context keeps its tables in a schema of its own name.

-- Row-level security: the second lock behind the `business_id = $1` that every query names.
--
-- A transaction announces for whom it works: `set local app.business_id = '17'` for one tenant, or
-- `set local app.scope = 'system'` for a worker that serves all of them. A transaction that
-- announces nothing sees nothing.
create function platform.may_see(row_business_id bigint) returns boolean
    language sql stable
    return row_business_id = nullif(current_setting('app.business_id', true), '')::bigint
        or current_setting('app.scope', true) = 'system';

-- Puts a tenant table behind that lock. FORCE makes the table's owner obey as well.
create procedure platform.isolate_tenants(target regclass)
    language plpgsql as $$
begin
    execute format('alter table %s enable row level security', target);
    execute format('alter table %s force row level security', target);
    execute format('create policy tenant on %s using (platform.may_see(business_id))', target);
end $$;

-- What happened, written in the transaction that made it true. Never changed, never deleted.
create table platform.event (
    business_id bigint      not null,
    -- In the order in which they happened: two of one transaction often share their microsecond.
    event_id    bigint      not null generated always as identity,
    kind        text        not null check (kind ~ '^[a-z_]+\.[a-z_]+$'),
    occurred_at timestamptz not null,
    data        jsonb       not null,
    primary key (business_id, event_id)
);
call platform.isolate_tenants('platform.event');

-- Requests that carried an Idempotency-Key, with the answers they got.
create table platform.idempotency_key (
    business_id  bigint      not null,
    key          text        not null check (length(key) between 1 and 255),
    -- SHA-256 over method, path and body: the same key must mean the same request.
    fingerprint  bytea       not null,
    -- The run that the key belongs to; another one after the first was taken for dead.
    claim_id     uuid        not null,
    claimed_at   timestamptz not null,
    status       smallint,
    content_type text,
    body         bytea,
    answered_at  timestamptz,
    primary key (business_id, key),
    -- Either still running or answered in full.
    check (num_nulls(status, body, answered_at) in (0, 3))
);
create index idempotency_key_age on platform.idempotency_key (claimed_at);
call platform.isolate_tenants('platform.idempotency_key');

-- How far the movable clock of a development system is ahead of real time. No row: not moved.
create table platform.dev_clock (
    only_row      boolean primary key default true check (only_row),
    offset_micros bigint  not null
);
