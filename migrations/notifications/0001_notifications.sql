-- What somebody is told. Rows are written by one consumer of events alone, batch after batch under its lock, so their ids
-- are in the order in which they were committed: whoever has seen 17 and asks for what is above it misses nothing.
--
-- A row names an audience and no recipients. Who belongs to it is known by their token when they look, so a notice to
-- everybody is one row, and somebody who becomes a manager sees what the managers were told.
create table notifications.notification (
    -- 0: of the platform.
    business_id     bigint      not null,
    notification_id bigint      not null generated always as identity,
    -- ADMINS: owners and managers of the business. CUSTOMER: one customer of it. EVERYONE: whoever is signed in.
    audience        text        not null check (audience in ('ADMINS', 'CUSTOMER', 'EVERYONE')),
    -- The customer's external id, which is the subject of the customer's token; empty for the others.
    recipient       text        not null default '' check (length(recipient) <= 100),
    -- Whom it is about, and who is to be forgotten with it.
    customer_id     bigint,
    type            text        not null check (type in (
        'RESERVATION_NEW', 'RESERVATION_CONFIRM', 'RESERVATION_CANCEL', 'RESERVATION_REMINDER', 'REVIEW_NEW',
        'PAYMENT_SUCCESS', 'PAYMENT_FAILED', 'SUBSCRIPTION_EXPIRING', 'SYSTEM')),
    title           text        not null check (length(title) between 1 and 200),
    message         text        not null check (length(message) between 1 and 2000),
    -- A path of the frontend, or null where there is nothing to be seen.
    link            text        check (length(link) <= 500),
    created_at      timestamptz not null,
    primary key (business_id, notification_id),
    check ((audience = 'CUSTOMER') = (recipient <> '')),
    check ((audience = 'EVERYONE') = (business_id = 0))
);
-- What every process reads behind what it has read.
create unique index notification_in_order on notifications.notification (notification_id);
-- What one audience was told, without looking at the rows to count them.
create index notification_of_audience on notifications.notification
    (business_id, audience, recipient, notification_id) include (type);
create index notification_about_customer on notifications.notification (business_id, customer_id)
    where customer_id is not null;
create index notification_age on notifications.notification (created_at);
call platform.isolate_tenants('notifications.notification');
-- Somebody may be told things by several businesses, and by the platform. They only read.
create policy told on notifications.notification for select
    using (business_id = any ((select platform.told_businesses())::bigint[]));

-- What a person has read: everything up to a mark, and single ones above it.
create table notifications.read_mark (
    user_id    text   primary key check (length(user_id) between 1 and 300),
    read_up_to bigint not null
);
call platform.isolate_users('notifications.read_mark');

create table notifications.read_one (
    user_id         text   not null check (length(user_id) between 1 and 300),
    notification_id bigint not null,
    primary key (user_id, notification_id)
);
create index read_one_age on notifications.read_one (notification_id);
call platform.isolate_users('notifications.read_one');

-- How a person wants to be told what. What is not said is on.
create table notifications.preference (
    user_id text    not null check (length(user_id) between 1 and 300),
    type    text    not null check (type in (
        'RESERVATION_NEW', 'RESERVATION_CONFIRM', 'RESERVATION_CANCEL', 'RESERVATION_REMINDER', 'REVIEW_NEW',
        'PAYMENT_SUCCESS', 'PAYMENT_FAILED', 'SUBSCRIPTION_EXPIRING', 'SYSTEM')),
    channel text    not null check (channel in ('IN_APP', 'EMAIL', 'KAKAO', 'SMS')),
    enabled boolean not null,
    primary key (user_id, type, channel),
    -- That the platform will be down at night is shown to everybody.
    check (enabled or type <> 'SYSTEM' or channel <> 'IN_APP')
);
call platform.isolate_users('notifications.preference');

-- What a browser connects with, since it cannot send a header. Good once and for half a minute, at every process; only
-- its hash is kept.
create table notifications.ticket (
    ticket_hash     bytea       primary key check (length(ticket_hash) = 32),
    subject         text        not null,
    memberships     jsonb       not null,
    is_platform_admin boolean   not null,
    -- When the token runs out with which it was asked for.
    session_ends_at timestamptz not null,
    expires_at      timestamptz not null
);
create index ticket_age on notifications.ticket (expires_at);
alter table notifications.ticket enable row level security;
alter table notifications.ticket force row level security;
create policy system on notifications.ticket using (current_setting('app.scope', true) = 'system');

-- Of which visits somebody was reminded. One that moves to another day is a visit to be reminded of again.
create table notifications.reminder (
    business_id    bigint not null,
    reservation_id bigint not null,
    visit_on       date   not null,
    primary key (business_id, reservation_id, visit_on)
);
create index reminder_age on notifications.reminder (visit_on);
call platform.isolate_tenants('notifications.reminder');

-- The days whose reminders all went out.
create table notifications.reminder_day (
    visit_on date primary key
);

-- From now on.
insert into platform.event_consumer (name) values ('notifications');
