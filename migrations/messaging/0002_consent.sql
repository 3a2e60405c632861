-- Who agreed to advertising, when, how, and when they no longer did. A ledger: what was written is never changed, and how
-- somebody stands is their last line. (정보통신망법 50; docs/messaging.md says which rule rests on which column.)
create table messaging.consent (
    business_id     bigint      not null,
    consent_id      bigint      not null generated always as identity,
    customer_id     bigint      not null,
    channel         text        not null check (channel in ('SMS', 'KAKAO', 'EMAIL')),
    -- Between nine in the evening and eight in the morning only with a consent of its own.
    purpose         text        not null check (purpose in ('MARKETING', 'MARKETING_NIGHT')),
    -- RECONFIRMED: asked after two years, as the law wants, and not refused.
    act             text        not null check (act in ('GIVEN', 'WITHDRAWN', 'RECONFIRMED')),
    -- When the person said so, which may be before anybody told us.
    acted_at        timestamptz not null,
    recorded_at     timestamptz not null,
    method          text        not null check (method in
        ('PAPER', 'WEB', 'KIOSK', 'PHONE', 'DESK', 'IMPORT', 'LINK', 'ONE_CLICK', 'REFUSAL_LINE', 'PROVIDER_LIST', 'NOTICE')),
    -- What was agreed to, in which version of its wording.
    wording         text        check (length(wording) between 1 and 100),
    -- Where the proof is kept.
    evidence        text        check (length(evidence) between 1 and 500),
    -- Who wrote it down: the subject of a token, or nobody where a machine did.
    recorded_by     text        check (length(recorded_by) between 1 and 100),
    primary key (business_id, consent_id),
    -- A consent that nobody can prove is none.
    check (act <> 'GIVEN' or (wording is not null and (method <> 'IMPORT' or evidence is not null)))
);
create index consent_standing on messaging.consent (business_id, customer_id, channel, purpose, consent_id desc);
-- Those whose two years are nearly over.
create index consent_age on messaging.consent (acted_at) where act <> 'WITHDRAWN';
call platform.isolate_tenants('messaging.consent');

create function messaging.consent_is_final() returns trigger
    language plpgsql as $$
begin
    raise exception 'consents are never changed' using errcode = 'restrict_violation';
end $$;
create trigger consent_is_final before update or delete on messaging.consent
    for each statement execute function messaging.consent_is_final();
create trigger consent_is_never_emptied before truncate on messaging.consent
    for each statement execute function messaging.consent_is_final();

-- Contacts that refused, whoever they belong to: also those that are imported again, or whose owner is no customer.
create table messaging.refusal (
    -- 0: every business of the platform, where the line that was called is everybody's.
    business_id  bigint      not null,
    channel      text        not null check (channel in ('SMS', 'KAKAO', 'EMAIL')),
    contact_hash bytea       not null check (length(contact_hash) = 32),
    refused_at   timestamptz not null,
    source       text        not null check (source in ('LINK', 'ONE_CLICK', 'REFUSAL_LINE', 'PROVIDER_LIST', 'DESK')),
    -- Agreed again since; the row stays.
    lifted_at    timestamptz,
    primary key (business_id, channel, contact_hash)
);
call platform.isolate_tenants('messaging.refusal');

-- Addresses to which nothing can be delivered: not tried again, whatever for.
create table messaging.dead_contact (
    business_id  bigint      not null,
    channel      text        not null check (channel in ('SMS', 'KAKAO', 'EMAIL')),
    contact_hash bytea       not null check (length(contact_hash) = 32),
    found_at     timestamptz not null,
    primary key (business_id, channel, contact_hash)
);
call platform.isolate_tenants('messaging.dead_contact');

-- How far the lists of refusals at the providers were read. No business's: what is in them is.
create table messaging.refusal_reading (
    provider   text        primary key check (provider in ('SOLAPI', 'NHN')),
    read_until timestamptz not null,
    due_at     timestamptz not null
);

-- How everybody stands: their last word for each channel and purpose, and until when a consent is good.
create view messaging_read.consent as
    select distinct on (business_id, customer_id, channel, purpose)
           business_id, customer_id, channel, purpose, act, acted_at,
           case when act <> 'WITHDRAWN' then
               ((acted_at at time zone 'Asia/Seoul')::date + interval '2 years') at time zone 'Asia/Seoul' end as good_until
    from messaging.consent
    order by business_id, customer_id, channel, purpose, consent_id desc;
create view messaging_read.refusal as
    select business_id, channel, contact_hash from messaging.refusal where lifted_at is null;

-- What is said again and again, with {{places}} for what differs.
create table messaging.template (
    business_id bigint      not null,
    template_id bigint      not null generated always as identity,
    name        text        not null check (length(name) between 1 and 50),
    channel     text        not null check (channel in ('SMS', 'KAKAO', 'EMAIL')),
    purpose     text        not null check (purpose in ('INFORMATION', 'ADVERTISING')),
    subject     text        check (length(subject) between 1 and 100),
    body        text        not null check (length(body) between 1 and 10000),
    -- 알림톡: the code under which Kakao approved this very text.
    kakao_code  text        check (length(kakao_code) between 1 and 50),
    created_at  timestamptz not null,
    changed_at  timestamptz not null,
    primary key (business_id, template_id),
    unique (business_id, name),
    -- AlimTalk is for information, with a template that was approved; advertising goes as brand message.
    check ((kakao_code is not null) = (channel = 'KAKAO' and purpose = 'INFORMATION'))
);
call platform.isolate_tenants('messaging.template');
