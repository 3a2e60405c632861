-- The last word is the one that was said last, not the one that was written down last: an old form that somebody finds
-- takes nothing back that was said since.
drop index messaging.consent_standing;
create index consent_standing on messaging.consent (business_id, customer_id, channel, purpose, acted_at desc, consent_id desc);
create or replace view messaging_read.consent as
    select distinct on (business_id, customer_id, channel, purpose)
           business_id, customer_id, channel, purpose, act, acted_at,
           case when act <> 'WITHDRAWN' then
               ((acted_at at time zone 'Asia/Seoul')::date + interval '2 years') at time zone 'Asia/Seoul' end as good_until
    from messaging.consent
    order by business_id, customer_id, channel, purpose, acted_at desc, consent_id desc;

-- A refusal is not lifted: it is over for a customer who explicitly agreed to this business since, as the ledger tells.
drop view messaging_read.refusal;
alter table messaging.refusal drop column lifted_at;
create view messaging_read.refusal as
    select business_id, channel, contact_hash, refused_at from messaging.refusal;

-- Which consents a notice asked about again after two years: one notice to a person, whatever it is about.
create table messaging.reconfirmation (
    business_id bigint not null,
    consent_id  bigint not null,
    message_id  uuid   not null,
    primary key (business_id, consent_id),
    foreign key (business_id, message_id) references messaging.message
);
call platform.isolate_tenants('messaging.reconfirmation');

-- Numbers and channels are the account's, which is the platform's: an operator looks at whose they are before a business
-- speaks from them. Until then, and after each change, it speaks from the platform's.
alter table messaging.sender add column approved_at timestamptz;
create unique index sender_phone on messaging.sender (phone) where approved_at is not null;
create unique index sender_refusal_number on messaging.sender (refusal_number) where approved_at is not null;
create unique index sender_kakao_channel on messaging.sender (kakao_channel) where approved_at is not null;
