// A sign-in from somewhere new asks for the code from the mailbox; many failures ask for a puzzle that the browser solves.

import { CALM, DESKTOP, LANGS, PHONE, expect, isUsable, mailedCode, open, pictures, signIn, test, words } from "./support";

const PASSWORD = "a password of many words";
const ASKING = { ask_new_device: true, ask_new_network: true, ask_new_country: true, mail_new_device: true };

const picture = pictures("risk");

for (const lang of LANGS) {
    const say = words(lang);

    for (const scripts of [false, true]) {
        test(`a new browser needs the mailed code once, ${lang}, scripts ${scripts}`, async ({ api, server, visitor }) => {
            const size = scripts ? DESKTOP : PHONE;
            const email = `new.${lang}.${scripts}@example.com`;
            await api.addPerson({ name: "Salma", email, password: PASSWORD });
            const first = await visitor({ lang, size, scripts });
            await first.goto("/login");
            await signIn(first, say, { name: "", email, password: PASSWORD });
            await expect(first).toHaveURL("/console");
            await api.call("PATCH", "/admin/settings", { risk: ASKING });
            const page = await visitor({ lang, size, scripts, refusals: [401] });
            await page.goto("/login?next=%2Fconsole%2Faccount");
            await signIn(page, say, { name: "", email, password: PASSWORD });
            await expect(page).toHaveURL(/\/login\/mailed/);
            await picture(page, `mailed-${lang}-${size.width}`);
            const code = page.getByLabel(say("sessions.mailed_code"), { exact: true });
            await code.fill("000000");
            await page.getByRole("button", { name: say("sessions.sign_in"), exact: true }).click();
            await expect(page.getByRole("alert")).toContainText(say("base.error_wrong_code"));
            await expect.poll(() => mailedCode(server, email), "the letter").toBeTruthy();
            await code.fill(mailedCode(server, email) ?? "");
            await page.getByRole("button", { name: say("sessions.sign_in"), exact: true }).click();
            await expect(page).toHaveURL("/console/account");
            await api.call("PATCH", "/admin/settings", { risk: CALM });
        });
    }

    test(`after many failures the browser solves a puzzle, ${lang}`, async ({ api, visitor }) => {
        test.setTimeout(120_000);
        const email = `puzzled.${lang}@example.com`;
        await api.addPerson({ name: "Badr", email, password: PASSWORD });
        const page = await visitor({ lang, size: PHONE, refusals: [401, 429] });
        await open(page, "/login");
        // Each failure makes the next wait longer; the first ones are over before somebody has typed again.
        await expect(async () => {
            await signIn(page, say, { name: "", email, password: "wrong wrong wrong" });
            await isUsable(page);
            await expect(page.locator(".puzzle")).toBeVisible({ timeout: 1_000 });
        }).toPass();
        await expect(page.locator(".puzzle").getByRole("status")).toHaveText(say("sessions.puzzle_done"));
        await picture(page, `puzzle-${lang}`);
        await signIn(page, say, { name: "", email, password: PASSWORD });
        await expect(page).toHaveURL("/console");
    });

    test(`without scripts the page says how long to wait, ${lang}`, async ({ api, visitor }) => {
        const email = `waits.${lang}@example.com`;
        await api.addPerson({ name: "Badr", email, password: PASSWORD });
        const page = await visitor({ lang, size: PHONE, scripts: false, refusals: [401, 429] });
        await page.goto("/login");
        // Each failure makes the next wait longer; the first ones may be over before the page is looked at.
        await expect(async () => {
            await signIn(page, say, { name: "", email, password: "wrong wrong wrong" });
            await expect(page.locator(".puzzle").getByRole("status")).toHaveText(/\S/, { timeout: 1_000 });
        }).toPass();
        await picture(page, `waits-${lang}`);
    });
}
