// Tenants side by side: made with a first administrator, who sees their own alone; suspended, and opened again.

import { LANGS, expect, isUsable, open, test, words } from "./support";

const PASSWORD = "نخلة عند باب البستان";

for (const lang of LANGS) {
    const say = words(lang);

    test(`a tenant is made with its administrator, suspended and opened again, ${lang}`, async ({ visitor, admin }) => {
        const name = `Palm tree ${lang}`;
        const email = `first.${lang}@palm.example`;
        const page = await visitor({ lang, as: admin });
        await open(page, "/console/tenants");
        await isUsable(page);
        await page.getByRole("link", { name: say("tenants.create") }).first().click();
        await page.getByLabel(say("tenants.name"), { exact: true }).fill(name);
        await page.getByLabel(say("tenants.plan")).selectOption("pro");
        await page.getByLabel(say("tenants.admin_email")).fill(email);
        await page.getByLabel(say("tenants.admin_name")).fill("First");
        await isUsable(page);
        await page.getByRole("button", { name: say("tenants.create") }).click();
        const link = await page.getByTestId("one-time-link").textContent();
        await isUsable(page);

        const first = await visitor({ lang });
        await open(first, new URL(link ?? "").pathname + new URL(link ?? "").search);
        for (const field of await first.locator("input[type=password]").all()) await field.fill(PASSWORD);
        await first.getByRole("button", { name: say("sessions.welcome_submit") }).click();
        await expect(first).toHaveURL(/console/);
        await open(first, "/console/tenants");
        await expect(first.getByRole("rowheader")).toHaveText([name]);
        await first.getByRole("link", { name }).click();
        await expect(first.getByText(say("tenants.fixed"))).toBeVisible();

        await page.getByRole("link", { name: say("tenants.open") }).click();
        await page.getByRole("button", { name: say("tenants.suspend") }).click();
        await page.getByRole("dialog").getByRole("button", { name: say("tenants.suspend") }).click();
        await expect(page.getByText(say("tenants.status_suspended"), { exact: true })).toBeVisible();
        await first.goto("/console/tenants");
        await expect(first).toHaveURL(/login/);
        await page.getByRole("button", { name: say("tenants.resume") }).click();
        await page.getByRole("dialog").getByRole("button", { name: say("tenants.resume") }).click();
        await expect(page.getByText(say("tenants.status_active"), { exact: true })).toBeVisible();
    });

    test(`a super-admin goes into a tenant and comes home, and other tabs follow, ${lang}`, async ({ visitor, admin, api }) => {
        const name = `Date palm ${lang}`;
        const made = await api.call("POST", "/admin/tenants", { name, plan: "free" });
        const page = await visitor({ lang, as: admin });
        await open(page, "/console/people");
        const tab = await page.context().newPage();
        await open(tab, `/console/tenants/${made.tenant.id}`);
        await tab.getByRole("button", { name: say("tenants.enter") }).click();
        await tab.getByLabel(say("tenants.enter_reason")).fill("They asked for help");
        await tab.getByRole("dialog").getByRole("button", { name: say("tenants.enter") }).click();
        const band = (where: typeof page) => where.getByRole("region", { name: say("tenants.band_label") });
        await expect(band(tab)).toContainText(name);
        await isUsable(tab);
        // It was drawn for home: nothing of what is typed there is to be written into the other tenant.
        await expect(band(page)).toContainText(name);
        await band(tab).getByRole("button", { name: say("tenants.leave") }).click();
        await expect(tab).toHaveURL(/tenants/);
        await expect(band(tab)).toHaveCount(0);
        await expect(band(page)).toHaveCount(0);
        await page.close();
        await tab.close();
    });
}
