// What people change about their own way in: the address, at both ends, and the password, after proving themselves again. And
// the ways in that an administrator rules: who may register, invitations that go once more or are revoked, and a deletion that
// is called off.

import {
    Api,
    DESKTOP,
    LANGS,
    PHONE,
    checkedPictures,
    expect,
    isUsable,
    mailedLink,
    mailedLinks,
    open,
    outliveProofs,
    signIn,
    test,
    words,
    type Person,
    type Say,
} from "./support";
import type { Page } from "@playwright/test";

const PASSWORD = "a password of many words";
const NEW_PASSWORD = "another password of many words";

const picture = checkedPictures("own-way");

async function isInside(page: Page, say: Say, name: string) {
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(say("app.greeting", { name }));
}

const said = (page: Page) => page.getByRole("main").getByRole("status").first();

const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();

/** Proves again who one is, at the page that a form has led to. */
async function prove(page: Page, say: Say, password: string) {
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(say("second_factor.prove_title"));
    await page.getByLabel(say("sessions.password"), { exact: true }).fill(password);
    await press(page, say("second_factor.code_submit"));
}

for (const lang of LANGS) {
    const say = words(lang);

    for (const scripts of [false, true]) {
        const size = scripts ? DESKTOP : PHONE;
        const tag = `${lang}-${size.width}`;

        /** A page of one's own, just signed in. */
        async function signedIn(page: Page, person: Person, path: string) {
            await page.goto(`/login?next=${encodeURIComponent(path)}`);
            await signIn(page, say, person);
            await expect(page).toHaveURL(path);
            if (scripts) await isUsable(page);
        }

        test(`an address changes once both mailboxes have confirmed, ${lang}, scripts ${scripts}`, async ({ api, server, visitor }) => {
            const person: Person = { name: "Salma", email: `salma.${tag}@example.com`, password: PASSWORD };
            const after: Person = { ...person, email: `salma.new.${tag}@example.com` };
            await api.addPerson(person);
            const page = await visitor({ lang, size, scripts, refusals: [401] });
            await signedIn(page, person, "/account/email");
            await picture(page, `email-${tag}`);
            outliveProofs(server, person);
            await page.getByLabel(say("sessions.email"), { exact: true }).fill(after.email);
            await press(page, say("sessions.email_submit"));
            await expect(page).toHaveURL(/^[^?]+\/reauthenticate\?next=%2Faccount%2Femail/);
            await prove(page, say, PASSWORD);
            // Back, with what was typed.
            await expect(page.getByLabel(say("sessions.email"), { exact: true })).toHaveValue(after.email);
            await press(page, say("sessions.email_submit"));
            await expect(page).toHaveURL("/account/email?sent=1");
            await expect(said(page)).toContainText(say("sessions.email_sent"));
            await picture(page, `email-sent-${tag}`);

            const mailbox = await visitor({ lang, size, scripts });
            await mailbox.goto(await mailedLink(server, after.email));
            await expect(mailbox.getByText(after.email)).toBeVisible();
            await press(mailbox, say("sessions.email_confirm_submit"));
            await expect(mailbox).toHaveURL("/email/confirm?done=waits");
            await expect(said(mailbox)).toContainText(say("sessions.email_confirm_waits"));
            await picture(mailbox, `email-waits-${tag}`);
            await mailbox.goto(await mailedLink(server, person.email));
            await expect(mailbox.getByRole("heading", { level: 1 })).toHaveText(say("sessions.email_leave_title"));
            if (scripts) await isUsable(mailbox);
            await picture(mailbox, `email-leave-${tag}`);
            await press(mailbox, say("sessions.email_leave_submit"));
            await expect(mailbox).toHaveURL("/email/leave?done=1");
            await expect(said(mailbox)).toContainText(say("sessions.email_confirmed"));
            await mailbox.goto("/login");
            await signIn(mailbox, say, after);
            await isInside(mailbox, say, "Salma");

            // The old mailbox can still call it off.
            const old = await visitor({ lang, size, scripts });
            await old.goto(await mailedLink(server, person.email));
            await expect(old.getByText(say("sessions.email_leave_confirmed"), { exact: true })).toBeVisible();
            await expect(old.getByRole("button", { name: say("sessions.email_leave_submit"), exact: true })).toHaveCount(0);
            await press(old, say("sessions.email_cancel_submit"));
            await expect(old).toHaveURL("/email/cancel?done=1");
            await picture(old, `email-cancelled-${tag}`);
            await old.goto("/login");
            await signIn(old, say, person);
            await isInside(old, say, "Salma");
        });

        test(`the old mailbox calls a change of address off, ${lang}, scripts ${scripts}`, async ({ api, server, visitor }) => {
            const person: Person = { name: "Majed", email: `majed.${tag}@example.com`, password: PASSWORD };
            const wanted = `majed.new.${tag}@example.com`;
            await api.addPerson(person);
            const own = await Api.signIn(server, person);
            await own.call("POST", "/auth/email", { email: wanted });
            const mailbox = await visitor({ lang, size, scripts, refusals: [410] });
            await mailbox.goto(await mailedLink(server, person.email));
            await press(mailbox, say("sessions.email_cancel_submit"));
            await expect(mailbox).toHaveURL("/email/cancel?done=1");
            for (const link of [await mailedLink(server, wanted), await mailedLink(server, person.email)]) {
                await mailbox.goto(link);
                await expect(mailbox.getByRole("heading", { level: 1 })).toHaveText(say("sessions.spent_title"));
            }
            expect((await own.call("GET", "/auth/me")).email).toBe(person.email);
        });

        test(`a password changes after proving oneself again, ${lang}, scripts ${scripts}`, async ({ api, server, visitor }) => {
            const person: Person = { name: "Hessa", email: `hessa.${tag}@example.com`, password: PASSWORD };
            await api.addPerson(person);
            const elsewhere = await visitor({ lang, size, scripts });
            await signedIn(elsewhere, person, "/console");
            const page = await visitor({ lang, size, scripts, refusals: [401, 422] });
            await signedIn(page, person, "/account/password");
            outliveProofs(server, person);
            const change = async (current: string, password: string) => {
                await page.getByLabel(say("sessions.current_password"), { exact: true }).fill(current);
                await page.getByLabel(say("sessions.new_password"), { exact: true }).fill(password);
                await page.getByLabel(say("sessions.password_again"), { exact: true }).fill(password);
                await press(page, say("sessions.reset_submit"));
            };
            await change(PASSWORD, NEW_PASSWORD);
            await expect(page).toHaveURL("/reauthenticate?next=%2Faccount%2Fpassword");
            await picture(page, `prove-${tag}`);
            await prove(page, say, "not the one that it is");
            await expect(page.getByRole("alert").first()).toContainText(say("base.error_wrong_credentials"));
            await prove(page, say, PASSWORD);
            await expect(page).toHaveURL("/account/password");
            await change("not the one that it is", NEW_PASSWORD);
            await expect(page.getByRole("alert").first()).toContainText(say("base.error_wrong_credentials"));
            await change(PASSWORD, "short");
            await expect(page.getByLabel(say("sessions.new_password"), { exact: true })).toHaveAccessibleDescription(
                new RegExp(say("base.field_too_short")),
            );
            await picture(page, `password-${tag}`);
            await change(PASSWORD, NEW_PASSWORD);
            await expect(page).toHaveURL("/account/password?done=1");
            await expect(said(page)).toContainText(say("sessions.password_done"));
            await elsewhere.goto("/console");
            await expect(elsewhere).toHaveURL("/login?next=%2Fconsole");
            await signIn(elsewhere, say, { ...person, password: NEW_PASSWORD });
            await isInside(elsewhere, say, "Hessa");
        });

        test(`a known address is told by mail and nowhere else, ${lang}, scripts ${scripts}`, async ({ api, server, visitor }) => {
            const person: Person = { name: "Yara", email: `yara.known.${tag}@example.com`, password: PASSWORD };
            await api.addPerson(person);
            await api.call("PATCH", "/admin/settings", { registration: { mode: "open" } });
            const page = await visitor({ lang, size, scripts });
            const seen: string[] = [];
            for (const email of [person.email, `yara.unknown.${tag}@example.com`]) {
                await page.goto("/register");
                await page.getByLabel(say("sessions.name"), { exact: true }).fill("Somebody");
                await page.getByLabel(say("sessions.email"), { exact: true }).fill(email);
                await page.getByLabel(say("sessions.password"), { exact: true }).fill(NEW_PASSWORD);
                await press(page, say("sessions.register_submit"));
                await expect(page).toHaveURL("/register?sent=1");
                await expect(said(page)).toContainText(say("sessions.register_sent"));
                seen.push(await page.getByRole("main").innerText());
            }
            expect(seen[0]).toBe(seen[1]);
            expect(await mailedLink(server, person.email)).toBe(`${server.url}/forgot`);
            await page.goto("/login");
            await signIn(page, say, person);
            await isInside(page, say, "Yara");
            await api.call("PATCH", "/admin/settings", { registration: { mode: "closed" } });
        });

        test(`people of certain domains register, ${lang}, scripts ${scripts}`, async ({ api, server, visitor }) => {
            const domain = `${tag}.nakheel.example`;
            await api.call("PATCH", "/admin/settings", { registration: { mode: "domains", domains: [domain] } });
            const page = await visitor({ lang, size, scripts, refusals: [422] });
            const register = async (email: string) => {
                await page.getByLabel(say("sessions.name"), { exact: true }).fill("Nawaf");
                await page.getByLabel(say("sessions.email"), { exact: true }).fill(email);
                await page.getByLabel(say("sessions.password"), { exact: true }).fill(PASSWORD);
                await press(page, say("sessions.register_submit"));
            };
            await page.goto("/register");
            await expect(page.getByRole("main")).toContainText(domain);
            await register(`nawaf.${tag}@elsewhere.example`);
            await expect(page.getByLabel(say("sessions.email"), { exact: true })).toHaveAccessibleDescription(say("base.field_domain"));
            if (scripts) await isUsable(page);
            await picture(page, `domain-${tag}`);
            await register(`nawaf@${domain}`);
            await expect(page).toHaveURL("/register?sent=1");
            await page.goto(await mailedLink(server, `nawaf@${domain}`));
            await press(page, say("sessions.confirm_submit"));
            await expect(page).toHaveURL("/account/two-factor");
            await api.call("PATCH", "/admin/settings", { registration: { mode: "closed" } });
        });
    }

    for (const size of [PHONE, DESKTOP]) {
        const tag = `${lang}-${size.width}`;

        test(`an invitation goes once more and is revoked, ${tag}`, async ({ admin, api, server, visitor }) => {
            const email = `rami.again.${tag}@example.com`;
            const { id } = await api.addPerson({ name: "Rami", email, mail_link: true });
            const first = await mailedLink(server, email);
            const page = await visitor({ lang, size, as: admin });
            await open(page, `/console/people/${id}`);
            const act = async (name: string, done: string) => {
                await press(page, say("accounts.link_acts"));
                await page.getByRole("menuitem", { name: say(name), exact: true }).click();
                await page.getByRole("dialog").getByRole("button", { name: say(name), exact: true }).click();
                await expect(page.getByText(say(done), { exact: true })).toBeVisible();
            };
            await act("accounts.mail_new_link", "accounts.link_mailed");
            const second = await mailedLink(server, email, 2);
            const theirs = await visitor({ lang, size, refusals: [410] });
            await open(theirs, first, 410);
            await expect(theirs.getByRole("heading", { level: 1 })).toHaveText(say("sessions.welcome_spent_title"));
            await open(theirs, second);
            await expect(theirs.getByLabel(say("sessions.password"), { exact: true })).toBeVisible();
            await act("accounts.link_revoke", "accounts.link_revoked");
            await open(theirs, second, 410);
            expect(mailedLinks(server, email)).toHaveLength(2);
        });

        test(`an administrator calls a deletion off, ${tag}`, async ({ admin, api, server, visitor }) => {
            const person: Person = { name: "Ghada", email: `ghada.${tag}@example.com`, password: PASSWORD };
            const { id } = await api.addPerson(person);
            const own = await Api.signIn(server, person);
            await own.call("POST", "/auth/deletion", { email: person.email });
            const page = await visitor({ lang, size, as: admin });
            await open(page, `/console/people/${id}`);
            await expect(page.getByText(say("accounts.deletion_due"), { exact: true })).toBeVisible();
            await press(page, say("accounts.call_off"));
            const dialog = page.getByRole("dialog");
            await picture(page, `call-off-${tag}`);
            await dialog.getByRole("button", { name: say("accounts.call_off"), exact: true }).click();
            await expect(page.getByText(say("accounts.deletion_called_off"), { exact: true })).toBeVisible();
            await expect(page.getByRole("button", { name: say("accounts.call_off"), exact: true })).toHaveCount(0);
            await expect(page.getByText(say("accounts.deletion_due"), { exact: true })).toHaveCount(0);
            expect((await own.call("GET", "/auth/deletion")).pending).toBeNull();
        });
    }
}
