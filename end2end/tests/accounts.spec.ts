// The ways in by a mailbox: registering, a forgotten password, a sign-in link, an invitation by mail. And one's own account:
// details, activity, a copy of everything, and having it deleted.

import { readFile } from "node:fs/promises";
import { DESKTOP, LANGS, PHONE, expect, isUsable, mailedLink, open, pictures, signIn, test, words, type Api, type Person, type Say } from "./support";
import type { Page } from "@playwright/test";

const PASSWORD = "a password of many words";
const NEW_PASSWORD = "another password of many words";

const picture = pictures("accounts");

async function isInside(page: Page, say: Say, name: string) {
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(say("app.greeting", { name }));
}

const registration = (api: Api, mode: string) => api.call("PATCH", "/admin/settings", { registration: { mode } });

for (const lang of LANGS) {
    const say = words(lang);

    for (const scripts of [false, true]) {
        const size = scripts ? DESKTOP : PHONE;
        const tag = `${lang}-${size.width}`;

        test(`a link in a mail service's page opens for whoever is signed in, ${lang}, scripts ${scripts}`, async ({ server, visitor, admin }) => {
            const page = await visitor({ lang, size, scripts, as: admin });
            for (const path of ["/console/people?q=a", "/console/account?tab=data", "/account/email"]) {
                // A page of nobody's: to the browser it is another site, so that it keeps the cookies back.
                await page.goto(`data:text/html,<title>mail</title><a href="${server.url}${path}">open</a>`);
                await page.getByRole("link", { name: "open" }).click();
                await expect(page).toHaveURL(path);
                await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
                if (scripts) await isUsable(page);
            }
        });

        test(`a mailed address leads others to the door, ${lang}, scripts ${scripts}`, async ({ server, visitor }) => {
            const page = await visitor({ lang, size, scripts });
            await page.goto(`data:text/html,<title>mail</title><a href="${server.url}/console/account">open</a>`);
            await page.getByRole("link", { name: "open" }).click();
            await expect(page).toHaveURL("/login?next=%2Fconsole%2Faccount");
            await expect(page.getByLabel(say("sessions.password"), { exact: true })).toBeVisible();
            if (scripts) await isUsable(page);
        });

        test(`people register, confirm and are in, ${lang}, scripts ${scripts}`, async ({ api, server, visitor }) => {
            await registration(api, "open");
            const email = `layla.${tag}@example.com`;
            const page = await visitor({ lang, size, scripts, refusals: [410] });
            await page.goto("/login");
            await page.getByRole("link", { name: say("sessions.no_account") }).click();
            await page.getByLabel(say("sessions.name"), { exact: true }).fill("ليلى الحربي");
            await page.getByLabel(say("sessions.email"), { exact: true }).fill(email);
            await page.getByLabel(say("sessions.password"), { exact: true }).fill(PASSWORD);
            await picture(page, `register-${tag}`);
            await page.getByRole("button", { name: say("sessions.register_submit") }).click();
            await expect(page).toHaveURL("/register?sent=1");
            await expect(page.getByRole("main").getByRole("status").first()).toContainText(say("sessions.register_sent"));
            await picture(page, `register-sent-${tag}`);

            const link = await mailedLink(server, email);
            await page.goto(link);
            await expect(page.getByRole("heading", { level: 1 })).toHaveText(say("sessions.confirm_title", { name: "ليلى الحربي" }));
            await expect(page.getByText(email)).toBeVisible();
            await picture(page, `confirm-${tag}`);
            await page.getByRole("button", { name: say("sessions.confirm_submit") }).click();
            await expect(page).toHaveURL("/account/two-factor");
            await page.getByRole("link", { name: say("second_factor.later") }).click();
            await isInside(page, say, "ليلى الحربي");

            await page.goto(link);
            await expect(page.getByRole("heading", { level: 1 })).toHaveText(say("sessions.spent_title"));
            await registration(api, "closed");
        });

        test(`a forgotten password is replaced, ${lang}, scripts ${scripts}`, async ({ api, server, visitor }) => {
            const email = `omar.${tag}@example.com`;
            await api.addPerson({ name: "Omar", email, password: PASSWORD });
            const page = await visitor({ lang, size, scripts, refusals: [422] });
            await page.goto("/login");
            await page.getByRole("link", { name: say("sessions.forgot") }).click();
            await page.getByLabel(say("sessions.email"), { exact: true }).fill(email);
            await page.getByRole("button", { name: say("sessions.forgot_submit") }).click();
            await expect(page.getByRole("main").getByRole("status").first()).toContainText(say("sessions.forgot_sent"));

            await page.goto(await mailedLink(server, email));
            await expect(page.getByRole("checkbox", { name: say("sessions.end_others") })).toBeChecked();
            await page.getByLabel(say("sessions.new_password"), { exact: true }).fill(NEW_PASSWORD);
            await page.getByLabel(say("sessions.password_again"), { exact: true }).fill(PASSWORD);
            await page.getByRole("button", { name: say("sessions.reset_submit") }).click();
            await expect(page.getByLabel(say("sessions.password_again"), { exact: true })).toHaveAccessibleDescription(
                say("base.field_different"),
            );
            await page.getByLabel(say("sessions.new_password"), { exact: true }).fill(NEW_PASSWORD);
            await page.getByLabel(say("sessions.password_again"), { exact: true }).fill(NEW_PASSWORD);
            await picture(page, `reset-${tag}`);
            await page.getByRole("button", { name: say("sessions.reset_submit") }).click();
            await expect(page).toHaveURL("/login?changed=1");
            await expect(page.getByRole("main").getByRole("status").first()).toContainText(say("sessions.reset_done"));
            await picture(page, `login-changed-${tag}`);
            await signIn(page, say, { name: "Omar", email, password: NEW_PASSWORD });
            await isInside(page, say, "Omar");
        });

        test(`a link in the mailbox signs in, ${lang}, scripts ${scripts}`, async ({ api, server, visitor }) => {
            const email = `huda.${tag}@example.com`;
            await api.addPerson({ name: "هدى", email, password: PASSWORD });
            const page = await visitor({ lang, size, scripts });
            await page.goto("/login");
            await page.getByRole("link", { name: say("sessions.by_mail") }).click();
            await page.getByLabel(say("sessions.email"), { exact: true }).fill(email);
            await page.getByRole("button", { name: say("sessions.forgot_submit") }).click();
            await expect(page.getByRole("main").getByRole("status").first()).toContainText(say("sessions.forgot_sent"));
            await page.goto(await mailedLink(server, email));
            await expect(page.getByRole("heading", { level: 1 })).toHaveText(say("sessions.magic_open_title", { name: "هدى" }));
            await picture(page, `magic-${tag}`);
            await page.getByRole("button", { name: say("sessions.magic_open_submit") }).click();
            await isInside(page, say, "هدى");
        });
    }

    for (const size of [PHONE, DESKTOP]) {
        const tag = `${lang}-${size.width}`;

        test(`people see and change what is theirs, ${lang}, ${size.width}`, async ({ api, visitor }) => {
            const person: Person = { name: "Rana", email: `rana.${tag}@example.com`, password: PASSWORD };
            await api.addPerson(person);
            const page = await visitor({ lang, size });
            await open(page, "/login?next=%2Fconsole%2Faccount");
            await signIn(page, say, person);
            await expect(page).toHaveURL("/console/account");
            await isUsable(page);
            await page.getByLabel(say("accounts.name"), { exact: true }).fill("رنا الشمري");
            await page.getByLabel(say("accounts.own_locale"), { exact: true }).selectOption("en");
            await page.getByRole("button", { name: say("accounts.save"), exact: true }).click();
            await expect(page.getByText(say("accounts.saved"), { exact: true })).toBeVisible();
            await picture(page, `own-${tag}`);

            const parts = page.getByRole("navigation", { name: say("app.account_tabs"), exact: true });
            await parts.getByRole("link", { name: say("app.tab_activity"), exact: true }).click();
            await expect(page).toHaveURL("/console/account?tab=activity");
            const rows = page.getByRole("table").getByRole("row");
            await expect(rows.filter({ hasText: say("audit.action_profile_update") })).toHaveCount(1);
            await expect(rows.filter({ hasText: say("audit.said_user_create", { thing: "Rana" }) })).toHaveCount(1);
            await expect(page.getByRole("table").getByRole("link")).toHaveCount(0);
            await picture(page, `own-activity-${tag}`);

            await parts.getByRole("link", { name: say("app.tab_data"), exact: true }).click();
            const [file] = await Promise.all([
                page.waitForEvent("download"),
                page.getByRole("button", { name: say("app.own_data_download"), exact: true }).click(),
            ]);
            expect(file.suggestedFilename()).toMatch(/^account-\d{4}-\d{2}-\d{2}\.json$/);
            const data = JSON.parse(await readFile(await file.path(), "utf8"));
            expect(data.account.name).toBe("رنا الشمري");
            expect(data.account.email).toBe(person.email);
            const [archive] = await Promise.all([
                page.waitForEvent("download"),
                page.getByRole("button", { name: say("app.own_data_archive"), exact: true }).click(),
            ]);
            expect(archive.suggestedFilename()).toMatch(/^account-\d{4}-\d{2}-\d{2}\.zip$/);
        });

        test(`an account is to be deleted and is kept, ${lang}, ${size.width}`, async ({ api, server, visitor }) => {
            const person: Person = { name: "Yara", email: `yara.${tag}@example.com`, password: PASSWORD };
            await api.addPerson({ ...person, locale: lang });
            const page = await visitor({ lang, size, refusals: [422] });
            await open(page, "/login?next=%2Fconsole%2Faccount%3Ftab%3Ddata");
            await signIn(page, say, person);
            await expect(page).toHaveURL("/console/account?tab=data");
            await isUsable(page);
            await page.getByRole("button", { name: say("accounts.leave"), exact: true }).click();
            const dialog = page.getByRole("dialog", { name: say("accounts.leave_title") });
            const typed = dialog.getByLabel(say("accounts.leave_type"), { exact: true });
            await typed.fill("somebody.else@example.com");
            await dialog.getByRole("button", { name: say("accounts.leave_submit"), exact: true }).click();
            await expect(typed).toHaveAccessibleDescription(say("base.field_different"));
            await typed.fill(person.email);
            await picture(page, `leave-${tag}`);
            await dialog.getByRole("button", { name: say("accounts.leave_submit"), exact: true }).click();
            await expect(page.getByText(say("accounts.leave_asked"), { exact: true })).toBeVisible();
            const band = page.getByRole("region", { name: say("accounts.leave_waits"), exact: true });
            await expect(band.getByText(say("accounts.leave_waits"), { exact: true })).toBeVisible();
            await expect(page.getByRole("button", { name: say("accounts.leave"), exact: true })).toHaveCount(0);
            await picture(page, `leaving-${tag}`);
            expect(await mailedLink(server, person.email)).toBe(`${server.url}/console/account?tab=data`);

            // Without scripts, from the letter.
            const plain = await visitor({ lang, size, scripts: false });
            await plain.goto(await mailedLink(server, person.email));
            await signIn(plain, say, person);
            await expect(plain).toHaveURL("/console/account?tab=data");
            await plain.getByRole("button", { name: say("accounts.leave_keep"), exact: true }).click();
            await expect(plain).toHaveURL("/console/account?tab=data&kept=1");
            await expect(plain.getByText(say("accounts.leave_kept"), { exact: true })).toBeVisible();
            await open(page, "/console/account?tab=data");
            await expect(band).toHaveCount(0);
            await expect(page.getByRole("button", { name: say("accounts.leave"), exact: true })).toBeVisible();
        });
    }

    test(`an invitation goes by mail and opens, ${lang}`, async ({ admin, server, visitor }) => {
        const email = `invited.${lang}@example.com`;
        const page = await visitor({ lang, as: admin });
        await open(page, "/console/people/new");
        await page.getByLabel(say("accounts.name"), { exact: true }).fill("Rami");
        await page.getByLabel(say("accounts.email"), { exact: true }).fill(email);
        await page.getByRole("checkbox", { name: say("accounts.mail_link") }).check();
        await page.getByRole("button", { name: say("accounts.add_submit") }).click();
        await expect(page.getByText(say("accounts.link_mailed"), { exact: true })).toBeVisible();
        await expect(page.getByTestId("one-time-link")).toHaveCount(0);
        await picture(page, `invited-${lang}`);

        const theirs = await visitor({ lang, size: PHONE });
        await theirs.goto(await mailedLink(server, email));
        await isUsable(theirs);
        await theirs.getByLabel(say("sessions.password"), { exact: true }).fill(PASSWORD);
        await theirs.getByLabel(say("sessions.password_again"), { exact: true }).fill(PASSWORD);
        await theirs.getByRole("button", { name: say("sessions.welcome_submit") }).click();
        await isInside(theirs, say, "Rami");
    });
}
