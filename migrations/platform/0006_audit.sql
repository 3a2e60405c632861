-- Who took what out of the house, or did something else that must be answerable for. Written in the transaction that does it.
create table platform.audit (
    business_id bigint      not null,
    audit_id    bigint      not null generated always as identity,
    happened_at timestamptz not null,
    -- The user, as the sign-in service names them, and what they were in this business.
    subject     text        not null check (length(subject) between 1 and 200),
    role        text        not null check (role in ('OWNER', 'MANAGER', 'STAFF', 'CUSTOMER', 'ADMIN')),
    -- `export.downloaded`
    action      text        not null check (action ~ '^[a-z_]+\.[a-z_]+$'),
    -- The address that the request came from, where it is known.
    origin      inet,
    data        jsonb       not null,
    primary key (business_id, audit_id)
);
call platform.isolate_tenants('platform.audit');

create function platform.audit_is_final() returns trigger language plpgsql as $$
begin
    raise exception 'the audit trail is not changed' using errcode = 'restrict_violation';
end $$;
create trigger audit_is_final before update or delete or truncate on platform.audit
    for each statement execute function platform.audit_is_final();
