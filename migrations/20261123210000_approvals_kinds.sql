-- Others can be asked to agree to what a group gives, to which policy is enforced, and to a catalogue that is read in. A
-- request whose subject has changed is decided on again: what somebody decided before stays beside what they decide now.

alter table approvals drop constraint approvals_kind;
alter table approvals add constraint approvals_kind
    check (kind in ('rights', 'role', 'access', 'group', 'policy', 'catalogue'));

alter table approval_decisions drop constraint approval_decisions_pkey;
alter table approval_decisions add constraint approval_decisions_pkey primary key (approval_id, decider_id, digest);
