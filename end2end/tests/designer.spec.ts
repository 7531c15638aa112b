// The designer of a policy's rules: by mouse, by touch and by keyboard alone, in both directions; the JSON beside the blocks,
// and how they stand for somebody before anything is saved.

import { LANGS, PHONE, expect, open, test, words, type Say } from "./support";
import type { Locator, Page } from "@playwright/test";

/** The policy that the sources give as an example. */
const SAMPLE = [
    { effect: "allow", condition: { and: [{ "user.subscription.active": true }, { "user.roles": { contains: "trader" } }] } },
];

const field = (page: Page): Locator => page.locator("#field-rules");
const piece = (page: Page, word: string): Locator => page.locator(`[data-drag="new:${word}"]`);
const place = (page: Page, name: string): Locator => page.locator(`[data-drop="${name}"]`);
const brick = (page: Page, path: string): Locator => page.locator(`.brick:has(> .block-head > #block-${path})`);

const says = async (page: Page, rules: unknown) => expect.poll(async () => JSON.parse(await field(page).inputValue())).toEqual(rules);

async function begin(page: Page, say: Say, name: string) {
    await open(page, "/console/policies/new");
    await page.getByLabel(say("policies.name"), { exact: true }).fill(name);
    await page.getByLabel(say("policies.actions"), { exact: true }).fill("signals.create");
}

/** An empty rule, with the pieces above it in sight. */
async function emptyRule(page: Page) {
    await field(page).fill('[{"effect": "allow"}]');
    await expect(place(page, "0:0")).toBeVisible();
    await page.locator(".blocks").evaluate((blocks) => blocks.scrollIntoView());
}

async function fillSample(page: Page) {
    await page.locator("#attribute-0-0-0").fill("user.subscription.active");
    await page.locator("#of-0-0-0").selectOption("yes_no");
    await page.locator("#value-0-0-0").selectOption("true");
    await page.locator("#value-0-0-1").fill("trader");
    await says(page, SAMPLE);
}

async function save(page: Page, say: Say, name: string) {
    await page.getByRole("button", { name: say("policies.save_draft"), exact: true }).click();
    await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
    await page.reload();
    await expect(page.locator("#block-0-0, #block-0-1").first()).toBeVisible();
    await says(page, SAMPLE);
}

for (const lang of LANGS) {
    const say = words(lang);

    test(`the sample policy is built by mouse, tried on somebody and kept, ${lang}`, async ({ visitor, admin, api }) => {
        const email = `designer.${lang}@example.com`;
        const attributes = { subscription: { active: true } };
        await api.addPerson({ name: "نورة", email, password: "three quiet lemons on a shelf", attributes });
        const page = await visitor({ lang, as: admin });
        const name = `Mouse ${lang}`;
        await begin(page, say, name);
        await emptyRule(page);
        const drag = async (what: Locator, to: string) => {
            await what.hover();
            await page.mouse.down();
            const from = (await what.boundingBox())!;
            await page.mouse.move(from.x + 30, from.y + 30, { steps: 4 });
            await expect(place(page, to)).toBeVisible();
            const zone = (await place(page, to).boundingBox())!;
            await page.mouse.move(zone.x + zone.width / 2, zone.y + zone.height / 2, { steps: 6 });
            await page.mouse.up();
        };
        await drag(piece(page, "and"), "0:0");
        await expect(page.locator("#block-0-0")).toBeFocused();
        await drag(piece(page, "user.roles"), "0-0:0");
        await drag(piece(page, "user."), "0-0:0");
        await fillSample(page);

        // The order changes by dragging what is there, and back.
        await drag(page.locator("#block-0-0-1"), "0-0:0");
        await says(page, [{ effect: "allow", condition: { and: [...SAMPLE[0].condition.and].reverse() } }]);
        await drag(page.locator("#block-0-0-1"), "0-0:0");
        await says(page, SAMPLE);

        // Nothing is saved, and yet it is known how each block stands, and which one decides.
        await page.getByLabel(say("policies.person_field"), { exact: true }).fill(email);
        await page.getByLabel(say("policies.person_field"), { exact: true }).blur();
        await expect(brick(page, "0-0-0").locator(".marks")).toContainText(say("policies.holds"));
        await expect(brick(page, "0-0-1").locator(".marks")).toContainText(say("policies.fails"));
        await expect(brick(page, "0-0-1").locator(".marks")).toContainText(say("policies.decides"));
        await expect(page.getByText(say("policies.decides"), { exact: true })).toHaveCount(1);
        await expect(page.getByRole("status").filter({ hasText: say("policies.says_deny") })).toContainText("user.roles");

        // JSON that is not whole yet loses nothing.
        await field(page).fill('[\n{"effect": "allow"');
        await expect(page.locator("#wrong-rules")).toContainText(say("policies.json_breaks", { line: 2, column: 18 }));
        await expect(page.locator("#block-0-0-1")).toBeVisible();
        await page.getByRole("button", { name: say("policies.json_restore") }).click();
        await says(page, SAMPLE);
        await expect(page.locator("#wrong-rules")).toHaveCount(0);
        await save(page, say, name);
    });

    test(`the sample policy is built by a finger on the phone, ${lang}`, async ({ visitor, admin }) => {
        const page = await visitor({ lang, as: admin, size: PHONE });
        const name = `Touch ${lang}`;
        await begin(page, say, name);
        await emptyRule(page);
        const touch = await page.context().newCDPSession(page);
        const middle = async (what: Locator) => {
            const box = (await what.boundingBox())!;
            return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
        };
        const drag = async (what: Locator, to: string) => {
            const from = await middle(what);
            await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [from] });
            // A finger that rests picks up.
            await expect(page.locator(".designer.carrying")).toBeVisible();
            const zone = await middle(place(page, to));
            for (const part of [0.3, 0.6, 1]) {
                const point = { x: from.x + (zone.x - from.x) * part, y: from.y + (zone.y - from.y) * part };
                await touch.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: [point] });
            }
            await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
        };
        const inSight = () => page.locator(".blocks").evaluate((blocks) => blocks.scrollIntoView());
        await drag(piece(page, "and"), "0:0");
        await expect(page.locator("#block-0-0")).toBeVisible();
        await inSight();
        await drag(piece(page, "user.roles"), "0-0:0");
        await expect(page.locator("#block-0-0-0")).toBeVisible();
        await inSight();
        await drag(piece(page, "user."), "0-0:0");
        await fillSample(page);
        await save(page, say, name);
    });

    test(`the sample policy is built by keyboard alone, ${lang}`, async ({ visitor, admin }) => {
        const page = await visitor({ lang, as: admin });
        const name = `Keys ${lang}`;
        await begin(page, say, name);
        const press = async (what: Locator, key: string) => {
            await what.focus();
            await page.keyboard.press(key);
        };
        const block = (path: string) => page.locator(`#block-${path}`);
        await press(block("0"), "Delete");
        await says(page, []);
        // Nothing is left to stand on but what begins anew.
        await expect(page.getByRole("button", { name: say("policies.rule_allow"), exact: true })).toBeFocused();
        await page.keyboard.press("Enter");
        await expect(block("0")).toBeFocused();
        await press(piece(page, "and"), "Enter");
        await expect(block("0-0")).toBeFocused();
        await press(piece(page, "user.roles"), "Enter");
        await expect(block("0-0-0")).toBeFocused();
        await press(piece(page, "user."), "Enter");
        await expect(block("0-0-1")).toBeFocused();

        // Up, out, in again: each step is said.
        await page.keyboard.press("ArrowUp");
        await expect(block("0-0-0")).toBeFocused();
        await expect(page.getByRole("status").filter({ hasText: say("policies.said_place", { at: 1, of: 2 }) })).toBeAttached();
        const [inward, outward] = lang === "ar" ? ["ArrowLeft", "ArrowRight"] : ["ArrowRight", "ArrowLeft"];
        await page.keyboard.press(outward);
        await expect(block("0-1")).toBeFocused();
        await page.keyboard.press(inward);
        await expect(block("0-0-1")).toBeFocused();
        await page.keyboard.press("ArrowUp");
        await expect(block("0-0-0")).toBeFocused();

        await page.locator("#attribute-0-0-0").focus();
        await page.keyboard.press("ControlOrMeta+a");
        await page.keyboard.type("user.subscription.active");
        await page.keyboard.press("Enter");
        await page.locator("#of-0-0-0").focus();
        for (const kind of ["number", "yes_no"]) {
            await page.keyboard.press("ArrowDown");
            await expect(page.locator("#of-0-0-0")).toHaveValue(kind);
            await expect(page.locator("#of-0-0-0")).toBeFocused();
        }
        await page.locator("#value-0-0-0").focus();
        await page.keyboard.press("ArrowUp");
        await page.locator("#value-0-0-1").focus();
        await page.keyboard.type("trader");
        await says(page, SAMPLE);
        await press(page.getByRole("button", { name: say("policies.save_draft"), exact: true }), "Enter");
        await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
        await says(page, SAMPLE);
    });
}
