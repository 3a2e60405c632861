-- A refund that its cash receipt does not know of is for a person to put right.
alter table billing.operator_case
    drop constraint operator_case_kind_check,
    add constraint operator_case_kind_check check (kind in (
        'CHARGE_UNKNOWN', 'REFUND_UNKNOWN', 'AMOUNT_DIFFERS', 'LATE_APPROVAL', 'UNKNOWN_CHARGE', 'UNKNOWN_CANCEL',
        'MISSING_AT_PROVIDER', 'RECEIPT_NOT_TAKEN_BACK'));
