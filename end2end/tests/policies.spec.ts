// Policies as an administrator keeps them: written, tried, put into force, rolled back; then what the server says of it.

import { LANGS, expect, open, test, words } from "./support";

for (const lang of LANGS) {
    const say = words(lang);

    test(`a policy is written, tried, put into force and taken out of it, ${lang}`, async ({ visitor, admin, api }) => {
        const email = `level.${lang}@example.com`;
        const account = { name: `Level ${lang}`, email, password: "a password of many words", attributes: { level: 2 } };
        const person = await api.addPerson({ ...account, roles: [await api.roleId("ceo")] });
        const may = async () => {
            const question = { user: person.id, resource: "workflows", action: "approve" };
            return (await api.call("POST", "/admin/policies/evaluate", question)).allow;
        };
        const name = `Approvers ${lang}`;
        const page = await visitor({ lang, as: admin, refusals: [422] });
        await open(page, "/console/policies");
        await page.getByRole("link", { name: say("policies.create") }).first().click();
        await page.getByLabel(say("policies.name"), { exact: true }).fill(name);
        await page.getByLabel(say("policies.actions"), { exact: true }).fill("workflows.approve");
        const rules = page.getByLabel(say("policies.rules"), { exact: true });

        // What is wrong is told by its place, and nothing that was typed is lost.
        await rules.fill('[{"effect": "allow", "condition": {"user.level": {"above": 3}}}]');
        await page.getByRole("button", { name: say("policies.save_draft"), exact: true }).click();
        await expect(page.getByRole("alert").filter({ hasText: "rules[0].condition.user.level.above" })).toBeVisible();
        await expect(rules).toHaveValue(/above/);

        await rules.fill('[{"effect": "allow", "condition": {"user.level": {"gte": 3}}}]');
        await page.getByLabel(say("policies.person_field"), { exact: true }).fill(email);
        await page.getByRole("button", { name: say("policies.try_it"), exact: true }).click();
        await expect(page.getByRole("status").filter({ hasText: say("policies.says_deny") })).toContainText(say("policies.fails"));

        await page.getByRole("button", { name: say("policies.save_draft"), exact: true }).click();
        await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
        await expect(page.getByText(say("policies.draft"), { exact: true })).toBeVisible();
        expect(await may()).toBe(true);

        const act = (word: string, number: number) => page.getByRole("button", { name: say("policies.act_on", { act: say(word), number }), exact: true });
        const dialog = page.getByRole("dialog");
        await act("policies.activate_it", 1).click();
        await expect(dialog.getByText(`Level ${lang}`)).toBeVisible();
        await dialog.getByRole("button", { name: say("policies.activate_it"), exact: true }).click();
        await expect(dialog).toBeHidden();
        await expect(act("policies.deactivate", 1)).toBeVisible();
        expect(await may()).toBe(false);

        await rules.fill('[{"effect": "allow", "condition": {"user.level": {"gte": 2}}}]');
        await page.getByRole("button", { name: say("policies.save_draft"), exact: true }).click();
        await act("policies.activate_it", 2).click();
        await dialog.getByRole("button", { name: say("policies.activate_it"), exact: true }).click();
        await expect(act("policies.deactivate", 2)).toBeVisible();
        expect(await may()).toBe(true);

        await page.getByRole("button", { name: say("policies.delete"), exact: true }).click();
        await dialog.getByRole("button", { name: say("policies.delete"), exact: true }).click();
        await expect(page).toHaveURL("/console/policies");
        await expect(page.getByRole("rowheader", { name })).toHaveCount(0);
    });

    test(`a Rego module is written with its tests, which decide whether it comes into force, ${lang}`, async ({ visitor, admin, api }) => {
        const email = `rego.${lang}@example.com`;
        const account = { name: `Rego ${lang}`, email, password: "a password of many words", attributes: { level: 3 } };
        const person = await api.addPerson({ ...account, roles: [await api.roleId("ceo")] });
        const may = async () => {
            const question = { user: person.id, resource: "workflows", action: "approve" };
            return (await api.call("POST", "/admin/policies/evaluate", question)).allow;
        };
        const module = (level: number) => `package own.level\n\ndefault allow := false\n\nallow if input.user.level >= ${level}\n`;
        const tests = [
            "package own.level_test",
            "import data.own.level",
            'test_four if level.allow with input as {"user": {"level": 4}}',
            'test_three if not level.allow with input as {"user": {"level": 3}}',
        ].join("\n\n");
        const name = `Levels ${lang}`;
        const page = await visitor({ lang, as: admin, refusals: [422] });
        await open(page, "/console/policies/new");
        await page.getByRole("link", { name: say("policies.language_rego"), exact: true }).click();
        const text = page.getByLabel(say("policies.module"), { exact: true });
        await expect(text).toHaveValue(/package bawwab\.finance/);
        await page.getByLabel(say("policies.name"), { exact: true }).fill(name);
        await page.getByLabel(say("policies.actions"), { exact: true }).fill("workflows.approve");
        await page.getByLabel(say("policies.module_tests"), { exact: true }).fill(tests);
        const save = page.getByRole("button", { name: say("policies.save_draft"), exact: true });

        // What is wrong is told by its line and column, and nothing that was typed is lost.
        await text.fill("package own.level\n\nallow if {\n    input.user.level >=\n}\n");
        await save.click();
        await expect(page.getByRole("alert").filter({ hasText: "module:5:1" })).toBeVisible();
        await expect(text).toHaveValue(/input\.user\.level >=\n/);

        await text.fill(module(3));
        await page.getByRole("button", { name: say("policies.run_tests"), exact: true }).click();
        const results = page.getByRole("status").getByRole("listitem");
        await expect(results.filter({ hasText: "test_four" })).toContainText(say("policies.holds"));
        await expect(results.filter({ hasText: "test_three" })).toContainText(say("policies.fails"));
        await save.click();
        await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();

        // Its own tests keep it from coming into force.
        const act = (word: string, number: number) => page.getByRole("button", { name: say("policies.act_on", { act: say(word), number }), exact: true });
        const dialog = page.getByRole("dialog");
        await act("policies.activate_it", 1).click();
        await dialog.getByRole("button", { name: say("policies.activate_it"), exact: true }).click();
        await expect(page.getByRole("alert").filter({ hasText: "test_three" }).first()).toBeVisible();
        expect(await may()).toBe(true);
        await page.keyboard.press("Escape");

        await text.fill(module(4));
        await save.click();
        await act("policies.activate_it", 2).click();
        await expect(dialog.getByText(`Rego ${lang}`)).toBeVisible();
        await dialog.getByRole("button", { name: say("policies.activate_it"), exact: true }).click();
        await expect(act("policies.deactivate", 2)).toBeVisible();
        expect(await may()).toBe(false);

        await page.getByRole("button", { name: say("policies.delete"), exact: true }).click();
        await dialog.getByRole("button", { name: say("policies.delete"), exact: true }).click();
        await expect(page).toHaveURL("/console/policies");
        expect(await may()).toBe(true);
    });
}
