// Settings as an administrator changes them: fields, a review, a conflict with somebody else's change; mail; and how strong a
// password looks while it is chosen.

import { DESKTOP, LANGS, PHONE, expect, isUsable, open, pictures, test, words, type Say } from "./support";
import type { Page } from "@playwright/test";

const picture = pictures("settings");

/** A PNG of one dot. */
const DOT = Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "base64",
);

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

    test(`a tenant's name, accent and logo show everywhere, ${lang}`, async ({ admin, api, visitor }) => {
        await api.call("PATCH", "/admin/settings", { branding: {} });
        const page = await visitor({ lang, as: admin, refusals: [422] });
        const section = page.locator("#branding");
        const save = section.getByRole("button", { name: say("settings.brand_save"), exact: true });
        const file = field(page, say, "brand_logo");
        await open(page, "/console/settings");
        // What each theme makes of a colour is told while it is chosen.
        await field(page, say, "brand_accent").fill("#ffcc00");
        await expect(section.locator("figcaption").nth(0)).toContainText(say("settings.brand_moved"));
        await expect(section.locator("figcaption").nth(1)).toContainText(say("settings.brand_kept"));
        const tone = await section.locator("figcaption").nth(0).locator("bdi").textContent();
        await field(page, say, "brand_name").fill("واحة النخيل");
        await file.setInputFiles({ name: "logo.png", mimeType: "image/png", buffer: Buffer.alloc(260_000) });
        await save.click();
        await expect(file).toHaveJSProperty("validationMessage", say("settings.brand_too_large", { size: 256 }));
        await file.setInputFiles({ name: "logo.png", mimeType: "image/png", buffer: Buffer.from("<svg/>") });
        await save.click();
        await expect(file).toHaveAccessibleDescription(new RegExp(say("base.field_malformed")));
        await isUsable(page);
        await expect(field(page, say, "brand_name")).toHaveValue("واحة النخيل");
        await expect(field(page, say, "brand_accent")).toHaveValue("#ffcc00");
        await file.setInputFiles({ name: "logo.png", mimeType: "image/png", buffer: DOT });
        await save.click();
        await expect(section.getByRole("status")).toHaveText(say("settings.brand_saved"));
        await isUsable(page);
        await picture(page, `brand-${lang}`);
        const menu = page.getByRole("navigation", { name: say("app.menu") });
        await expect(menu.getByRole("link", { name: "واحة النخيل" }).locator("img")).toHaveJSProperty("naturalWidth", 1);
        const accent = () => page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--accent"));
        expect(await accent()).toContain(String(tone));

        const stranger = await visitor({ lang, scripts: false });
        await stranger.goto("/login");
        await expect(stranger).toHaveTitle(/ · واحة النخيل$/);
        await expect(stranger.locator("main img.brand-mark")).toBeVisible();
        await picture(stranger, `brand-login-${lang}`);

        await section.getByRole("button", { name: say("settings.brand_remove_logo"), exact: true }).click();
        await expect(section.getByRole("button", { name: say("settings.brand_remove_logo") })).toHaveCount(0);
        await expect(page.locator("img.brand-mark")).toHaveCount(0);

        // A name of one long word breaks: it does not stand over what is beside the menu.
        const name = "W".repeat(40);
        await api.call("PATCH", "/admin/settings", { branding: { name } });
        await open(page, "/console/settings");
        const brand = menu.getByRole("link", { name });
        expect(await brand.evaluate((link) => link.scrollWidth - link.clientWidth)).toBeLessThanOrEqual(0);
        await api.call("PATCH", "/admin/settings", { branding: {} });
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
