-- A change of address takes effect once both mailboxes have confirmed it, the new one and the old one.

alter table email_changes add column old_confirmed_at timestamptz;

-- So far the new mailbox alone confirmed: what has happened so stays. The owner's own rows are no tenant's to see otherwise.
alter table email_changes no force row level security;
update email_changes set old_confirmed_at = confirmed_at where confirmed_at is not null;
alter table email_changes force row level security;
