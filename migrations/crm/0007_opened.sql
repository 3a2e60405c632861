-- When somebody first saw a mail: its picture was loaded, which tells as much as the reader's mail program lets it.
alter table crm.campaign_recipient
    add column opened_at timestamptz,
    add check (opened_at is null or link_code is not null);
