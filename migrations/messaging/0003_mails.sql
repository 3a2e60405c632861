-- What is written by mail about subscriptions: from here on, and not about the years before.
insert into platform.event_consumer (name) values ('messaging.mails');
