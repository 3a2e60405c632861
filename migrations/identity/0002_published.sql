-- What other contexts may read here: which businesses there are, and their names. Row-level security
-- holds for whoever reads it as for the table behind it.
create schema identity_read;
create view identity_read.business as select business_id, name from identity.business;
