-- What is said, to whom and when it was written down never changes; how it stands changes at every step. In one table each
-- step wrote the whole message anew and put it into all its indexes, which was most of the work of a campaign. So how a
-- message stands has a narrow table of its own.
--
-- The two rows of a message are written in one transaction and never deleted. A foreign key between them would lock and look
-- up the other row for each message, to find what is there by construction.

-- Whoever still runs the old version waits here and fails then: what it wrote in between would be lost.
lock table messaging.message in access exclusive mode;

create table messaging.delivery (
    business_id   bigint      not null,
    message_id    uuid        not null,
    -- When something is to be done about it: sent, looked up, or taken over from a process that died.
    due_at        timestamptz,
    -- Not sent after this: nobody wants to be reminded of yesterday.
    not_after     timestamptz,
    -- Set right before the step that cannot be taken back. Null while SENDING: certainly not sent.
    asked_at      timestamptz,
    sent_at       timestamptz,
    finished_at   timestamptz,
    -- Who works on it, under this name.
    claim_id      uuid,
    attempts      integer     not null default 0,
    checks        integer     not null default 0,
    -- How often, minutes apart, its provider was asked in vain for a message whose answer got lost. A look-up that failed
    -- does not count.
    absences      integer     not null default 0,
    -- As in the message, which says what they may be: what a queue goes by.
    channel       text        not null,
    purpose       text        not null,
    batch         text,
    status        text        not null,
    -- Why it failed or was left out.
    reason        text        check (length(reason) between 1 and 60),
    provider      text        check (provider in ('SMTP', 'SOLAPI', 'NHN')),
    provider_id   text        check (length(provider_id) between 1 and 200),
    -- The provider's own word for what became of it.
    provider_code text        check (length(provider_code) between 1 and 60),
    -- By which way it reached somebody: a Kakao message that could not be delivered goes on as a text.
    delivered_by  text        check (delivered_by in ('SMS', 'LMS', 'ALIMTALK', 'BRAND', 'EMAIL')),
    primary key (business_id, message_id),
    check (case status
        when 'QUEUED' then due_at is not null and num_nonnulls(claim_id, asked_at, sent_at, finished_at) = 0
        when 'SENDING' then num_nulls(due_at, claim_id, provider) = 0 and num_nonnulls(sent_at, finished_at) = 0
        when 'UNKNOWN' then asked_at is not null and sent_at is null
        when 'SENT' then num_nulls(asked_at, sent_at) = 0 and finished_at is null
        when 'DELIVERED' then num_nulls(asked_at, sent_at, finished_at) = 0
        when 'FAILED' then num_nulls(reason, finished_at) = 0
        when 'EXCLUDED' then num_nulls(reason, finished_at) = 0
        else false
    end)
-- Room on each page, so that the mark before a message goes out changes its row in place and no index.
) with (fillfactor = 50);

insert into messaging.delivery
    (business_id, message_id, due_at, not_after, asked_at, sent_at, finished_at, claim_id, attempts, checks, absences,
     channel, purpose, batch, status, reason, provider, provider_id, provider_code, delivered_by)
select business_id, message_id, due_at, not_after, asked_at, sent_at, finished_at, claim_id, attempts, checks, absences,
       channel, purpose, batch, status, reason, provider, provider_id, provider_code, delivered_by
from messaging.message;

-- What waits to be sent: a receipt never queues behind a campaign, and shops take turns.
create index delivery_waiting on messaging.delivery (channel, purpose, business_id, due_at) where status = 'QUEUED';
create index delivery_open on messaging.delivery (due_at)
    where status in ('SENDING', 'SENT', 'UNKNOWN') and due_at is not null;
create index delivery_at_provider on messaging.delivery (provider, provider_id) where provider_id is not null;
-- Those that nobody can be asked about, for whoever decides.
create index delivery_lost on messaging.delivery (message_id) where status = 'UNKNOWN' and due_at is null;
-- What of a batch is not over yet. Whoever had many messages sent asks every second whether there is any.
create index delivery_unfinished on messaging.delivery (business_id, batch)
    where batch is not null and status in ('QUEUED', 'SENDING', 'UNKNOWN');
-- How many samples a business sent lately.
create index delivery_samples on messaging.delivery (business_id) where batch = 'samples';
call platform.isolate_tenants('messaging.delivery');

-- Whoever asks only how messages stand does not read what was said: the left join is left out then.
create or replace view messaging_read.message as
    select d.business_id, d.message_id, d.batch, m.dedup_key, m.customer_id, d.purpose, d.channel, d.status, d.reason,
           d.provider_code, d.delivered_by, m.created_at, d.asked_at, d.sent_at, d.finished_at, d.due_at
    from messaging.delivery d
    left join messaging.message m on m.business_id = d.business_id and m.message_id = d.message_id;

-- With these go their constraints and indexes.
alter table messaging.message
    drop column status, drop column reason, drop column provider, drop column provider_id, drop column provider_code,
    drop column delivered_by, drop column claim_id, drop column asked_at, drop column sent_at, drop column finished_at,
    drop column attempts, drop column checks, drop column absences, drop column due_at, drop column not_after;
alter table messaging.message add check (num_nonnulls(recipient, content) in (0, 2));

-- Lines from before 0008, which found none: it did not say that it works for everybody, and row-level security showed it
-- nobody's. `dangol migrate` says so now.
insert into messaging.refusal_line (business_id, line, approved_at)
    select business_id, refusal_number, approved_at from messaging.sender
    where refusal_number is not null and approved_at is not null
on conflict do nothing;
