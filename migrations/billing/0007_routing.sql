-- Which providers a business is to use. Business 0 is the platform: its rules are for every business
-- that has none of its own. The system's: a business is told the outcome, not the rules.
create table billing.route (
    business_id bigint  not null,
    provider    text    not null,
    -- Lower first; a later rank is for when every provider of those before it is down.
    rank        integer not null check (rank between 1 and 9),
    -- The share among those of the same rank.
    weight      integer not null default 1 check (weight between 1 and 1000),
    primary key (business_id, provider)
);
alter table billing.route enable row level security;
alter table billing.route force row level security;
create policy system on billing.route using (current_setting('app.scope', true) = 'system');

-- The circuit breaker of each provider, shared by all processes. No row: closed.
create table billing.provider_breaker (
    provider    text        primary key,
    state       text        not null check (state in ('CLOSED', 'OPEN', 'HALF_OPEN')),
    -- Why it opened last.
    reason      text        not null,
    opened_at   timestamptz not null,
    -- HALF_OPEN: until when one charge is on its way to find out.
    probe_until timestamptz,
    changed_at  timestamptz not null,
    check ((state = 'HALF_OPEN') = (probe_until is not null))
);
alter table billing.provider_breaker enable row level security;
alter table billing.provider_breaker force row level security;
create policy system on billing.provider_breaker using (current_setting('app.scope', true) = 'system');

-- Beside the card that a subscription names, a business may have others to fall back on: one that it
-- added for that, or the one that it is moving away from, kept until the new one has paid once.
alter table billing.payment_method
    add column standby text check (standby in ('BACKUP', 'PREDECESSOR'));
create unique index payment_method_one_backup on billing.payment_method (business_id, provider)
    where standby = 'BACKUP' and status in ('ACTIVE', 'UNUSABLE');
create index payment_method_standby on billing.payment_method (business_id) where standby is not null;

-- The cards that were tried in the present round of an invoice: a declined charge goes to the next.
alter table billing.invoice add column tried uuid[] not null default '{}';

create index payment_by_provider on billing.payment (provider, settled_at) where settled_at is not null;
