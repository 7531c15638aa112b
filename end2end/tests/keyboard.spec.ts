// The same work with the keyboard alone.

import { ADMIN, LANGS, expect, open, test, words } from "./support";
import type { Locator, Page } from "@playwright/test";

/** Presses Tab until the element has the focus. */
async function tabTo(page: Page, target: Locator) {
    for (let presses = 0; presses < 60; presses += 1) {
        await page.keyboard.press("Tab");
        if (await target.evaluate((element) => element === document.activeElement)) return;
    }
    throw new Error(`Tab does not reach ${target}`);
}

for (const lang of LANGS) {
    const say = words(lang);

    test(`signing in, ${lang}`, async ({ visitor }) => {
        const page = await visitor({ lang });
        await open(page, "/login");
        await tabTo(page, page.getByLabel(say("sessions.email_or_username"), { exact: true }));
        await page.keyboard.type(ADMIN.email);
        await page.keyboard.press("Tab");
        await page.keyboard.insertText(ADMIN.password);
        await page.keyboard.press("Enter");
        await expect(page).toHaveURL("/console");
    });

    test(`the first stop skips to the content, ${lang}`, async ({ visitor, admin }) => {
        const page = await visitor({ lang, as: admin });
        await open(page, "/console/people");
        await page.keyboard.press("Tab");
        const skip = page.getByRole("link", { name: say("ui.skip") });
        await expect(skip).toBeFocused();
        await expect(skip).toBeInViewport();
        await page.keyboard.press("Enter");
        await expect(page.getByRole("main")).toBeFocused();
        await page.keyboard.press("Tab");
        await expect(page.getByRole("link", { name: say("accounts.add") })).toBeFocused();
    });

    test(`a line of what was wrong leads to its field, ${lang}`, async ({ visitor, admin }) => {
        const page = await visitor({ lang, as: admin, refusals: [422] });
        await open(page, "/console/people/new");
        const username = page.getByLabel(say("accounts.username"), { exact: true });
        await page.getByLabel(say("accounts.name"), { exact: true }).fill("Dana");
        await page.getByLabel(say("accounts.email"), { exact: true }).fill("dana@example.com");
        await username.fill("with@sign");
        await page.keyboard.press("Enter");
        const line = page.getByRole("alert").getByRole("link");
        await expect(line).toContainText(say("base.field_malformed"));
        await expect(username).toHaveAccessibleDescription(new RegExp(say("base.field_malformed")));
        await line.focus();
        await page.keyboard.press("Enter");
        await expect(username).toBeFocused();
        await expect(username).toHaveValue("with@sign");
    });

    test(`Escape closes a dialog and gives the focus back, ${lang}`, async ({ visitor, admin, api }) => {
        const { id } = await api.addPerson({ name: "Hind القحطاني", email: `hind.${lang}@example.com` });
        const page = await visitor({ lang, as: admin });
        await open(page, `/console/people/${id}`);
        const opener = page.getByRole("button", { name: say("accounts.suspend") });
        await tabTo(page, opener);
        await page.keyboard.press("Enter");
        const dialog = page.getByRole("dialog", { name: say("accounts.suspend_title", { name: "Hind القحطاني" }) });
        await expect(dialog).toBeVisible();
        expect(await dialog.evaluate((element) => element.contains(document.activeElement))).toBe(true);
        await page.keyboard.press("Escape");
        await expect(dialog).toBeHidden();
        await expect(opener).toBeFocused();

        // Once more, and this time it is done.
        await page.keyboard.press("Enter");
        await tabTo(page, dialog.getByRole("button", { name: say("accounts.suspend") }));
        await page.keyboard.press("Enter");
        await expect(page.getByRole("status").getByText(say("accounts.suspended"))).toBeVisible();
        await expect(page.getByRole("main")).toContainText(say("accounts.status_suspended"));
    });

    test(`arrows move a permission between its three states, ${lang}`, async ({ visitor, admin, api }) => {
        const { id } = await api.addPerson({ name: "Maha", email: `maha.${lang}@example.com` });
        const permission = (await api.permissionNames(lang))("reports.read");
        const page = await visitor({ lang, as: admin });
        await open(page, `/console/people/${id}?tab=permissions`);
        await page.getByLabel(say("roles.search")).focus();
        await page.keyboard.type("reports.read");
        const state = (word: string) =>
            page.getByRole("group", { name: permission, exact: true }).getByRole("radio", { name: say(word), exact: true });
        await tabTo(page, state("ui.inherited"));
        await page.keyboard.press("ArrowDown");
        await expect(state("ui.allowed")).toBeFocused();
        await expect(state("ui.allowed")).toBeChecked();
        const bar = page.getByRole("region", { name: say("roles.unsaved_region") });
        await expect(bar).toContainText(say("roles.unsaved", { count: 1 }));
        await page.keyboard.press("ArrowDown");
        await expect(state("ui.denied")).toBeChecked();
        await page.keyboard.press("ArrowDown");
        await expect(state("ui.inherited")).toBeChecked();
        await expect(bar).toBeHidden();

        await page.keyboard.press("ArrowUp");
        await expect(state("ui.denied")).toBeChecked();
        await tabTo(page, bar.getByRole("button", { name: say("roles.review") }));
        await page.keyboard.press("Enter");
        const dialog = page.getByRole("dialog");
        await expect(dialog.locator(".changes").getByRole("listitem")).toContainText("reports.read");
        await tabTo(page, dialog.getByRole("button", { name: say("roles.save") }));
        await page.keyboard.press("Enter");
        await expect(page.getByRole("status").getByText(say("roles.rights_saved"))).toBeVisible();
        await expect(dialog).toBeHidden();
    });
}
