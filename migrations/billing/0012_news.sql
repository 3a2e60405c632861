-- A delivery is known by the account that it came for as well, of which the platform's is the nil id
-- here: what somebody sends to one address must not stand in the way of what comes to another.
--
-- The body is not kept: nothing read it, and it may hold what nobody should keep.
alter table billing.webhook
    drop column body,
    alter column merchant_account_id type uuid
        using coalesce(merchant_account_id, '00000000-0000-0000-0000-000000000000'),
    alter column merchant_account_id set default '00000000-0000-0000-0000-000000000000',
    alter column merchant_account_id set not null,
    drop constraint webhook_pkey,
    add primary key (provider, merchant_account_id, delivery_id),
    -- Whether it was about an order or a key of ours when it came. Anybody may send the others, so they
    -- have their turn after these.
    add column is_ours boolean not null default false;
-- From now on received_at is when a delivery came last: one that is repeated while it is being acted on is
-- acted on once more.

drop index billing.webhook_due;
create index webhook_due on billing.webhook (is_ours, due_at) where due_at is not null;
-- Those that are done with, to be deleted one day.
create index webhook_done on billing.webhook (received_at) where due_at is null;
