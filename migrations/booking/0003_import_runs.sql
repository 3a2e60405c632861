-- How far the import of a file has come, committed with each batch: an import that was cut off goes on where it was.
-- The run of a file that was read to its end is forgotten, so that the same file can be imported again.
create table booking.import_run (
    business_id bigint      not null,
    kind        text        not null check (kind in ('CUSTOMERS', 'STAFFS', 'SERVICES', 'RESERVATIONS')),
    -- SHA-256 of the file: under the same name another one may lie tomorrow.
    fingerprint bytea       not null check (length(fingerprint) = 32),
    -- Records of the file, without its header.
    records_done bigint     not null check (records_done >= 0),
    created     bigint      not null,
    updated     bigint      not null,
    unchanged   bigint      not null,
    failed      bigint      not null,
    changed_at  timestamptz not null,
    primary key (business_id, kind, fingerprint)
);
call platform.isolate_tenants('booking.import_run');
