-- A request that is repeated under its key makes one campaign, also where the process died between the campaign and the answer.
alter table crm.campaign add column idempotency_key text check (length(idempotency_key) between 1 and 255);
create unique index campaign_once on crm.campaign (business_id, idempotency_key) where idempotency_key is not null;
