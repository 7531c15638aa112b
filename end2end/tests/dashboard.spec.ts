// The dashboard as whoever may read reports sees it: figures, charts, and the table behind each.

import { LANGS, expect, goTo, open, test, words } from "./support";

const CHARTS = ["sign_ins", "adoption", "tokens", "people", "rights", "approvals"];

for (const lang of LANGS) {
    const say = words(lang);

    test(`numbers are drawn, and each drawing has its table, ${lang}`, async ({ visitor, admin }) => {
        const page = await visitor({ lang, as: admin });
        await open(page, "/console");
        await goTo(page, say, "app.dashboard");
        await expect(page.getByRole("heading", { level: 1, name: say("reports.title") })).toBeVisible();
        await expect(page.getByText(say("reports.active_now"), { exact: true })).toBeVisible();

        for (const name of CHARTS) await expect(page.getByRole("heading", { level: 2, name: say(`reports.${name}`), exact: true })).toBeVisible();
        // How things stand is known from the first day on.
        for (const name of ["adoption", "people", "rights", "approvals"]) {
            await expect(page.getByRole("img", { name: new RegExp(`^${say(`reports.${name}`)}`) })).toBeVisible();
        }

        const people = page.getByRole("region", { name: say("reports.people"), exact: true });
        const table = people.getByRole("table", { name: say("reports.people") });
        await expect(table).toBeHidden();
        await people.getByText(say("ui.chart_table"), { exact: true }).click();
        await expect(table.getByRole("columnheader", { name: say("reports.active"), exact: true })).toBeVisible();
        await expect(table.getByRole("rowheader")).toHaveCount(30);
        // Today stands first.
        await expect(table.getByRole("row").nth(1).getByRole("cell").first()).toHaveText(/^[1-9]\d*$/);
    });

    test(`the range is in the address, with and without scripts, ${lang}`, async ({ visitor, admin }) => {
        for (const scripts of [true, false]) {
            const page = await visitor({ lang, scripts, as: admin });
            await page.goto("/console/dashboard");
            const ranges = page.getByRole("navigation", { name: say("reports.ranges") });
            await expect(ranges.getByRole("link", { name: say("reports.days_30") })).toHaveAttribute("aria-current", "page");
            await ranges.getByRole("link", { name: say("reports.days_7") }).click();
            await expect(page).toHaveURL("/console/dashboard?days=7");
            await expect(ranges.getByRole("link", { name: say("reports.days_7") })).toHaveAttribute("aria-current", "page");
            const rows = page.getByRole("region", { name: say("reports.people"), exact: true }).locator("tbody > tr");
            await expect(rows).toHaveCount(7);
            await page.reload();
            await expect(rows).toHaveCount(7);
        }
    });

    test(`time runs as the language is read, ${lang}`, async ({ visitor, admin }) => {
        const page = await visitor({ lang, as: admin });
        await open(page, "/console/dashboard?days=7");
        // Today is the last of the days: at the end of the line.
        const today = page.getByRole("region", { name: say("reports.people"), exact: true }).locator("svg rect").last();
        await expect(today).toHaveAttribute("x", lang === "ar" ? "0" : "60");
    });
}
