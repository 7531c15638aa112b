-- Whether a passkey showed, when it was made, that its device recognises its person. So far every one had to.

alter table passkeys add column verifies boolean not null default true;
alter table passkeys alter column verifies drop default;
