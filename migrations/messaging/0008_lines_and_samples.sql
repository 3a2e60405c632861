-- A line at which people refuse stays its business's as long as somebody may have an advertisement in hand that names it: also
-- while a change waits for its approval, and after another line has taken its place.
create table messaging.refusal_line (
    business_id bigint      not null,
    line        text        not null check (line ~ '^080[0-9]{7,8}$'),
    approved_at timestamptz not null,
    primary key (business_id, line)
);
create index refusal_line_owner on messaging.refusal_line (line);
call platform.isolate_tenants('messaging.refusal_line');
insert into messaging.refusal_line (business_id, line, approved_at)
    select business_id, refusal_number, approved_at from messaging.sender
    where refusal_number is not null and approved_at is not null;

-- Whether somebody still looks for an unknown one: nobody does once nothing is due about it.
create or replace view messaging_read.message as
    select business_id, message_id, batch, dedup_key, customer_id, purpose, channel, status, reason, provider_code,
           delivered_by, created_at, asked_at, sent_at, finished_at, due_at
    from messaging.message;
