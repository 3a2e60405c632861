-- A sample of an advertisement, sent to whoever wrote it: with all that the law wants of one, but to nobody's customer.
alter table messaging.message drop constraint message_purpose_check;
alter table messaging.message add constraint message_purpose_check
    check (purpose in ('INFORMATION', 'ADVERTISING', 'SAMPLE'));

-- Those that nobody can be asked about, for whoever decides.
create index message_lost on messaging.message (message_id) where status = 'UNKNOWN' and due_at is null;
