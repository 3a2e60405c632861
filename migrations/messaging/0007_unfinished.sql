-- What of a batch is not over yet. Whoever had many messages sent asks every second whether there is any, and what is over
-- by then must not be looked through for it.
create index message_unfinished on messaging.message (business_id, batch)
    where batch is not null and status in ('QUEUED', 'SENDING', 'UNKNOWN');
