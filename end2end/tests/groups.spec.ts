// Groups, inheritance, templates and own permissions, as an administrator uses them; then what the server says of it.

import { LANGS, expect, isUsable, open, test, words } from "./support";

for (const lang of LANGS) {
    const say = words(lang);

    test(`a group gives its people its roles, and takes them back, ${lang}`, async ({ visitor, admin, api }) => {
        const name = `Night shift ${lang}`;
        const person = await api.addPerson({ name: `Huda ${lang}`, email: `huda.${lang}@example.com`, roles: [] });
        const page = await visitor({ lang, as: admin });
        await open(page, "/console/groups");
        await page.getByRole("link", { name: say("groups.create") }).first().click();
        await isUsable(page);
        await page.getByLabel(say("groups.name"), { exact: true }).fill(name);
        await page.getByRole("checkbox", { name: "trader" }).check();
        await page.getByRole("button", { name: say("groups.create") }).click();
        await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();

        const parts = page.getByRole("navigation", { name: say("groups.tabs") });
        await parts.getByRole("link", { name: say("groups.people"), exact: true }).click();
        await page.getByRole("button", { name: say("groups.take_in") }).click();
        const dialog = page.getByRole("dialog");
        await dialog.getByLabel(say("groups.search_people")).fill(`Huda ${lang}`);
        await dialog.getByRole("button", { name: `Huda ${lang}` }).click();
        await expect(page.getByRole("rowheader", { name: `Huda ${lang}` })).toBeVisible();
        const held = async () => {
            const all = await api.call("GET", `/admin/users/${person.id}/effective-permissions`);
            const trader = all.find((one: { key: string }) => one.key === "signals.create");
            return trader.because.some((one: { groups?: { name: string }[] }) => one.groups?.[0]?.name === name);
        };
        expect(await held()).toBe(true);

        await page.getByRole("button", { name: say("groups.take_out_of", { name: `Huda ${lang}` }) }).click();
        await page.getByRole("dialog").getByRole("button", { name: say("groups.take_out"), exact: true }).click();
        await expect(page.getByText(say("groups.nobody"), { exact: true })).toBeVisible();
        expect(await held()).toBe(false);
    });

    test(`a role is made of a template and inherits, ${lang}`, async ({ visitor, admin, api }) => {
        const page = await visitor({ lang, as: admin });
        await open(page, "/console/roles/new");
        const template = say("roles.template_analyst");
        await page.getByRole("button", { name: say("roles.create_of_template", { name: template }) }).click();
        await expect(page.getByRole("heading", { level: 1, name: template })).toBeVisible();
        await isUsable(page);

        await page.getByRole("heading", { name: say("roles.inherits"), exact: true }).click();
        await page.locator("details").getByRole("checkbox", { name: "trader" }).check();
        await page.getByRole("button", { name: say("roles.review") }).click();
        const dialog = page.getByRole("dialog");
        await expect(dialog.getByRole("listitem").filter({ hasText: "trader" })).toBeVisible();
        await dialog.getByRole("button", { name: say("roles.save") }).click();
        await expect(page.getByRole("heading", { name: say("roles.family") })).toBeVisible();

        const role = await api.roleId(template);
        const trader = await api.roleId("trader");
        const told = await api.call("GET", `/admin/roles/${role}`);
        expect(told.inherited).toEqual(["signals.create"]);
        expect(told.parents[0].id).toBe(trader);
        await api.call("DELETE", `/admin/roles/${role}`);
    });

    test(`a permission of one's own is added, and its removal says who loses it, ${lang}`, async ({ visitor, admin, api }) => {
        const key = `shop${lang}.orders.read`;
        const page = await visitor({ lang, as: admin });
        await open(page, "/console/permissions");
        await page.getByRole("button", { name: say("roles.add_key") }).click();
        const dialog = page.getByRole("dialog");
        await dialog.getByLabel(say("roles.key"), { exact: true }).fill(key);
        await dialog.getByLabel(say("roles.name_ar")).fill("قراءة الطلبات");
        await dialog.getByLabel(say("roles.name_en")).fill("Read orders");
        await dialog.getByRole("button", { name: say("roles.add_key") }).click();
        await expect(page.getByRole("rowheader").filter({ hasText: key })).toBeVisible();
        await api.call("POST", "/admin/roles", { name: `orders ${lang}`, permissions: [key] });

        await page.getByRole("button", { name: `${say("roles.remove_key")} ${key}` }).click();
        const question = page.getByRole("dialog");
        await expect(question.getByText(`orders ${lang}`)).toBeVisible();
        await question.getByRole("button", { name: say("roles.remove_key") }).click();
        await expect(page.getByRole("rowheader").filter({ hasText: key })).toHaveCount(0);
    });
}
