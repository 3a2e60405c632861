-- Where a business wants to be written to about its subscription, sealed for `identity.business.billing_email:<id>`.
alter table identity.business add column billing_email text;
create view identity_read.billing_contact as
    select business_id, name, billing_email from identity.business where billing_email is not null;
