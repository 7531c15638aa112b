// Reports the largest contentful paint at 360 px with the processor slowed down four times, median of several loads:
//     node end2end/scripts/lcp.mjs http://localhost:3000 [E-MAIL PASSWORD]
// Every load begins with an empty cache. With an account it also measures the list of people.

import { chromium } from "@playwright/test";

const LOADS = 7;
const [base, email, password] = process.argv.slice(2);
if (!base) throw new Error("name the address of a running server");

const browser = await chromium.launch({ executablePath: process.env.BAWWAB_CHROMIUM ?? "/usr/bin/chromium" });
const phone = { viewport: { width: 360, height: 800 }, locale: "ar" };

async function measure(name, path, state) {
    const found = [];
    for (let load = 0; load < LOADS; load += 1) {
        const context = await browser.newContext({ ...phone, storageState: state, serviceWorkers: "block" });
        const page = await context.newPage();
        const client = await context.newCDPSession(page);
        await client.send("Emulation.setCPUThrottlingRate", { rate: 4 });
        await page.goto(base + path, { waitUntil: "networkidle" });
        found.push(
            await page.evaluate(
                () =>
                    new Promise((resolve) => {
                        const observer = new PerformanceObserver((list) => resolve(list.getEntries().at(-1).startTime));
                        observer.observe({ type: "largest-contentful-paint", buffered: true });
                    }),
            ),
        );
        await context.close();
    }
    found.sort((a, b) => a - b);
    const seconds = (ms) => (ms / 1000).toFixed(2);
    console.log(`${name}: ${seconds(found[LOADS >> 1])} s (${seconds(found[0])} to ${seconds(found.at(-1))})`);
}

await measure("sign-in", "/login");
if (email) {
    const context = await browser.newContext(phone);
    const page = await context.newPage();
    await page.goto(`${base}/login`);
    await page.locator("[name=email]").fill(email);
    await page.locator("[name=password]").fill(password);
    await page.locator("form:has([name=password]) [type=submit]").first().click();
    await page.waitForURL(/console/);
    const state = await context.storageState();
    await context.close();
    await measure("people", "/console/people", state);
}
await browser.close();
