-- An administrator, too, may call off the deletion that a person has asked for.

alter table account_deletions drop constraint account_deletions_because;
alter table account_deletions add constraint account_deletions_because
    check (ended_because in ('cancelled', 'called_off', 'suspended', 'last_super_admin', 'deleted'));
