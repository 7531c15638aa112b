// The ways in by a mailbox: registering, a forgotten password, a sign-in link, an invitation by mail.

import { DESKTOP, LANGS, PHONE, expect, isUsable, mailedLink, open, pictures, signIn, test, words, type Api, type Say } from "./support";
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
            await page.getByLabel(say("sessions.password"), { exact: true }).fill(NEW_PASSWORD);
            await page.getByLabel(say("sessions.password_again"), { exact: true }).fill(PASSWORD);
            await page.getByRole("button", { name: say("sessions.reset_submit") }).click();
            await expect(page.getByLabel(say("sessions.password_again"), { exact: true })).toHaveAccessibleDescription(
                say("base.field_different"),
            );
            await page.getByLabel(say("sessions.password"), { exact: true }).fill(NEW_PASSWORD);
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
