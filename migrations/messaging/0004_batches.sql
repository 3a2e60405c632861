-- What belongs together, such as a campaign, and whether it may go out. A row is there before its first message, so that
-- whoever stops it and whoever is about to send some of it wait for each other.
create table messaging.batch (
    business_id bigint      not null,
    batch       text        not null check (length(batch) between 1 and 100),
    -- HELD waits until somebody says otherwise; CANCELLED is never sent.
    state       text        not null check (state in ('OPEN', 'HELD', 'CANCELLED')),
    changed_at  timestamptz not null,
    primary key (business_id, batch)
);
call platform.isolate_tenants('messaging.batch');

-- How often, minutes apart, its provider was asked in vain for a message whose answer got lost. A look-up that failed does not count.
alter table messaging.message add column absences integer not null default 0;

-- Shops take turns: a hundred thousand messages of one do not keep a message of another's waiting.
drop index messaging.message_waiting;
create index message_waiting on messaging.message (channel, purpose, business_id, due_at) where status = 'QUEUED';
