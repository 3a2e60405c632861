-- What is said to people, once and lawfully: texts, KakaoTalk and mail. Everything that leaves the house is a row here
-- before it is asked of a provider, and what came of it is written behind it.

-- Who a business is when it writes. What it left out is the platform's.
create table messaging.sender (
    business_id    bigint      primary key,
    -- 발신번호, registered with the provider beforehand: digits alone.
    phone          text        check (phone ~ '^[0-9]{8,12}$'),
    -- 080: where people refuse advertising at no cost.
    refusal_number text        check (refusal_number ~ '^080[0-9]{7,8}$'),
    -- The Kakao channel as the provider names it: a pfId at Solapi, a sender key at NHN Cloud.
    kakao_channel  text        check (length(kakao_channel) between 1 and 100),
    -- What stands behind (광고): telephone or address, where it is another than the sender number.
    contact        text        check (length(contact) between 1 and 60),
    changed_at     timestamptz not null
);
call platform.isolate_tenants('messaging.sender');

create table messaging.message (
    business_id    bigint      not null,
    message_id     uuid        not null,
    -- The caller's name for it: the same is never said twice.
    dedup_key      text        not null check (length(dedup_key) between 1 and 200),
    -- What it belongs to, such as a campaign.
    batch          text        check (length(batch) between 1 and 100),
    customer_id    bigint,
    -- Whether the platform speaks, to the business itself, or the business to its customer.
    spoken_by      text        not null check (spoken_by in ('PLATFORM', 'BUSINESS')),
    purpose        text        not null check (purpose in ('INFORMATION', 'ADVERTISING')),
    channel        text        not null check (channel in ('SMS', 'KAKAO', 'EMAIL')),
    -- Sealed for this row; gone once nobody needs it any more.
    recipient      text,
    content        text,
    -- Keyed hash of whom it went to, as booking keeps it beside its customers' numbers and addresses.
    contact_hash   bytea       not null check (length(contact_hash) = 32),
    -- SHA-256 of the code in its opt-out link.
    opt_out_digest bytea       check (length(opt_out_digest) = 32),
    status         text        not null
        check (status in ('QUEUED', 'SENDING', 'SENT', 'DELIVERED', 'FAILED', 'EXCLUDED', 'UNKNOWN')),
    -- Why it failed or was left out.
    reason         text        check (length(reason) between 1 and 60),
    provider       text        check (provider in ('SMTP', 'SOLAPI', 'NHN')),
    provider_id    text        check (length(provider_id) between 1 and 200),
    -- The provider's own word for what became of it.
    provider_code  text        check (length(provider_code) between 1 and 60),
    -- By which way it reached somebody: a Kakao message that could not be delivered goes on as a text.
    delivered_by   text        check (delivered_by in ('SMS', 'LMS', 'ALIMTALK', 'BRAND', 'EMAIL')),
    created_at     timestamptz not null,
    -- Who works on it, under this name.
    claim_id       uuid,
    -- Set right before the step that cannot be taken back. Null while SENDING: certainly not sent.
    asked_at       timestamptz,
    sent_at        timestamptz,
    finished_at    timestamptz,
    attempts       integer     not null default 0,
    checks         integer     not null default 0,
    -- When something is to be done about it: sent, looked up, or taken over from a process that died.
    due_at         timestamptz,
    -- Not sent after this: nobody wants to be reminded of yesterday.
    not_after      timestamptz,
    primary key (business_id, message_id),
    unique (business_id, dedup_key),
    check (purpose = 'INFORMATION' or spoken_by = 'BUSINESS'),
    check (status not in ('QUEUED', 'SENDING') or (recipient is not null and content is not null and due_at is not null)),
    check (case status
        when 'QUEUED' then num_nonnulls(claim_id, asked_at, sent_at, finished_at) = 0
        when 'SENDING' then claim_id is not null and num_nonnulls(sent_at, finished_at) = 0 and provider is not null
        when 'UNKNOWN' then asked_at is not null and sent_at is null
        when 'SENT' then num_nulls(asked_at, sent_at) = 0 and finished_at is null
        when 'DELIVERED' then num_nulls(asked_at, sent_at, finished_at) = 0
        else reason is not null and finished_at is not null
    end)
);
-- What waits to be sent, by what it may not wait behind: a receipt never queues behind a campaign.
create index message_waiting on messaging.message (channel, purpose, due_at) where status = 'QUEUED';
create index message_open on messaging.message (due_at) where status in ('SENDING', 'SENT', 'UNKNOWN') and due_at is not null;
create index message_at_provider on messaging.message (provider, provider_id) where provider_id is not null;
create index message_opt_out on messaging.message (opt_out_digest) where opt_out_digest is not null;
-- How much advertising somebody had lately.
create index message_advertised on messaging.message (business_id, contact_hash) where purpose = 'ADVERTISING';
create index message_of_batch on messaging.message (business_id, batch, message_id) where batch is not null;
create index message_of_customer on messaging.message (business_id, customer_id, message_id) where customer_id is not null;
create index message_age on messaging.message (created_at) where recipient is not null;
call platform.isolate_tenants('messaging.message');

-- What others may know of messages: not whom they went to, nor what they said.
create schema messaging_read;
create view messaging_read.message as
    select business_id, message_id, batch, dedup_key, customer_id, purpose, channel, status, reason, provider_code,
           delivered_by, created_at, asked_at, sent_at, finished_at
    from messaging.message;
