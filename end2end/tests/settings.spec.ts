// Settings as an administrator changes them: fields, a review, a conflict with somebody else's change; mail; and how strong a
// password looks while it is chosen.

import { DESKTOP, LANGS, PHONE, expect, isUsable, open, pictures, test, words, type Say } from "./support";
import type { Page } from "@playwright/test";

const picture = pictures("settings");

const field = (page: Page, say: Say, name: string) => page.getByLabel(say(`settings.${name}`), { exact: true });

for (const lang of LANGS) {
    const say = words(lang);
    for (const size of [PHONE, DESKTOP]) {
        const tag = `${lang}-${size.width}`;

        test(`settings are changed, reviewed and saved, ${tag}`, async ({ admin, api, visitor }) => {
            await api.call("PATCH", "/admin/settings", { lifetimes: {}, registration: { mode: "closed" } });
            const page = await visitor({ lang, size, as: admin });
            await open(page, "/console/settings");
            await picture(page, tag);
            await field(page, say, "idle_days").fill("400");
            await field(page, say, "idle_days").blur();
            await expect(field(page, say, "idle_days")).toHaveAccessibleDescription(new RegExp(say("base.field_range")));
            await field(page, say, "idle_days").fill("14");
            await field(page, say, "mode").selectOption("invitation");
            await expect(page.getByText(say("settings.unsaved", { count: 2 }), { exact: true })).toBeVisible();
            await page.getByRole("button", { name: say("settings.review"), exact: true }).click();
            const dialog = page.getByRole("dialog");
            await expect(dialog).toContainText(say("settings.mode_closed"));
            await expect(dialog).toContainText(say("settings.mode_invitation"));
            await picture(page, `review-${tag}`);
            await dialog.getByRole("button", { name: say("settings.save"), exact: true }).click();
            await expect(page.getByText(say("settings.saved"))).toBeVisible();
            const saved = await api.call("GET", "/admin/settings");
            expect([saved.lifetimes.idle_days, saved.registration.mode]).toEqual([14, "invitation"]);
            await api.call("PATCH", "/admin/settings", { lifetimes: {}, registration: { mode: "closed" } });
        });
    }

    test(`somebody else's change is told before it is overwritten, ${lang}`, async ({ admin, api, visitor }) => {
        await api.call("PATCH", "/admin/settings", { lifetimes: {} });
        const page = await visitor({ lang, as: admin, refusals: [409] });
        await open(page, "/console/settings");
        await field(page, say, "idle_days").fill("12");
        await api.call("PATCH", "/admin/settings", { lifetimes: { access_minutes: 7 } });
        await page.getByRole("button", { name: say("settings.review"), exact: true }).click();
        const dialog = page.getByRole("dialog");
        await dialog.getByRole("button", { name: say("settings.save"), exact: true }).click();
        await expect(dialog.getByRole("alert").first()).toContainText(say("base.error_stale"));
        await picture(page, `stale-${lang}`);
        await dialog.getByRole("button", { name: say("settings.renew"), exact: true }).click();
        await dialog.getByRole("button", { name: say("settings.save"), exact: true }).click();
        await expect(page.getByText(say("settings.saved"))).toBeVisible();
        const saved = await api.call("GET", "/admin/settings");
        expect([saved.lifetimes.idle_days, saved.lifetimes.access_minutes]).toEqual([12, 7]);
        await api.call("PATCH", "/admin/settings", { lifetimes: {} });
    });

    test(`a test letter goes to one's own address, ${lang}`, async ({ admin, visitor }) => {
        const page = await visitor({ lang, as: admin });
        await open(page, "/console/settings");
        await page.getByRole("button", { name: say("settings.test"), exact: true }).click();
        await expect(page.getByText(say("settings.by_files"))).toBeVisible();
        await expect(page.getByRole("status").filter({ hasText: "noura@example.com" })).toBeVisible();
    });

    for (const theme of ["light", "dark"] as const) {
        test(`a chosen password tells how strong it looks, ${lang} ${theme}`, async ({ api, visitor }) => {
            const email = `choose.${lang}.${theme}@example.com`;
            const { link } = await api.addPerson({ name: "Rami", email });
            const page = await visitor({ lang, theme, size: PHONE, refusals: [422] });
            await open(page, link);
            const password = page.getByLabel(say("sessions.password"), { exact: true });
            const said = page.locator(".strength").getByRole("status");
            await password.fill("kqzt");
            await expect(said).toHaveText(say("sessions.strength_short", { count: 11 }));
            await password.fill("qwertyuiopasdfghjkl");
            await expect(said).toHaveText(say("sessions.strength_weak"));
            await picture(page, `weak-${lang}-${theme}`);
            await page.getByLabel(say("sessions.password_again"), { exact: true }).fill("qwertyuiopasdfghjkl");
            await page.getByRole("button", { name: say("sessions.welcome_submit") }).click();
            await expect(password).toHaveAccessibleDescription(new RegExp(say("base.field_leaked")));
            await isUsable(page);
            await password.fill("نخلة طويلة قرب البحر");
            await expect(said).toHaveText(say("sessions.strength_good"));
            await page.getByLabel(say("sessions.password_again"), { exact: true }).fill("نخلة طويلة قرب البحر");
            await picture(page, `good-${lang}-${theme}`);
            await page.getByRole("button", { name: say("sessions.welcome_submit") }).click();
            await expect(page).toHaveURL("/console");
        });
    }

    test(`every letter can be looked at, ${lang}`, async ({ admin, visitor }) => {
        const page = await visitor({ lang, as: admin, size: { width: 640, height: 700 } });
        for (const letter of ["code", "new_device", "reset"]) {
            await page.goto(`/console/design/mail?letter=${letter}&lang=${lang}`);
            await expect(page.locator("html")).toHaveAttribute("dir", lang === "ar" ? "rtl" : "ltr");
            await picture(page, `letter-${letter}-${lang}`);
        }
    });
}
