// The permissions graph: from the overview to one permission and on to whoever gets there, by mouse and by keyboard.

import { LANGS, PHONE, expect, open, test, words } from "./support";

for (const lang of LANGS) {
    const say = words(lang);

    test(`the graph leads from a role to its people and permissions, ${lang}`, async ({ visitor, admin, api }) => {
        const email = `graph.${lang}@example.com`;
        const name = `Graph ${lang}`;
        const account = { name, email, password: "a password of many words" };
        const person = await api.addPerson({ ...account, roles: [await api.roleId("ceo")] });
        const page = await visitor({ lang, as: admin });
        await open(page, "/console/graph");
        const picture = page.getByRole("region", { name: say("policies.graph_picture"), exact: true });
        const roles = picture.getByRole("list", { name: say("app.roles"), exact: true });

        // Lines run with the text: from a role to its permissions, which lie where reading goes.
        const role = roles.getByRole("link", { name: /^ceo/ });
        const resource = picture.getByRole("link", { name: /^workflows/ });
        const [from, to] = [await role.boundingBox(), await resource.boundingBox()];
        expect(from && to && (lang === "ar" ? from.x > to.x : from.x < to.x)).toBe(true);

        await role.focus();
        await page.keyboard.press("Enter");
        await expect(page).toHaveURL(/focus=role/);
        await expect(roles.locator("[aria-current]")).toContainText("ceo");
        await picture.getByRole("link", { name: "workflows.approve", exact: true }).click();
        await expect(page).toHaveURL(/focus=permission%3Aworkflows\.approve/);

        // A search for somebody shows what leads from them; the table says the same and leads to their page.
        await page.getByRole("searchbox", { name: say("policies.graph_search"), exact: true }).fill(email);
        await page.getByRole("button", { name: say("ui.filter"), exact: true }).click();
        await expect(picture.locator("[aria-current]")).toContainText(name);
        const line = page.getByRole("row").filter({ hasText: name }).filter({ hasText: "ceo" });
        await expect(line).toContainText(say("policies.line_has"));

        const size = async () => (await picture.locator("[aria-current]").boundingBox())?.width ?? 0;
        const before = await size();
        await page.getByRole("button", { name: say("policies.graph_smaller"), exact: true }).click();
        await expect.poll(size).toBeLessThan(before);

        await line.getByRole("link", { name }).click();
        await expect(page).toHaveURL(new RegExp(`/console/people/${person.id}`));
    });

    test(`on a phone the graph scrolls by itself and the page does not, ${lang}`, async ({ visitor, admin }) => {
        const page = await visitor({ lang, as: admin, size: PHONE });
        await open(page, "/console/graph");
        const picture = page.getByRole("region", { name: say("policies.graph_picture"), exact: true });
        await picture.focus();
        const scrolled = () => picture.evaluate((area) => Math.abs(area.scrollLeft));
        expect(await scrolled()).toBe(0);
        await page.keyboard.press(lang === "ar" ? "ArrowLeft" : "ArrowRight");
        await expect.poll(scrolled).toBeGreaterThan(0);
        expect(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth)).toBe(true);
    });
}
