// Reports the largest contentful paint and the layout shift of a phone at 360×800 with the processor slowed down four
// times, on loopback and over a slow network; medians of several loads:
//     node end2end/scripts/lcp.mjs http://localhost:3000 [E-MAIL PASSWORD]
// Every load begins with an empty cache. With an account it also measures the home page and the list of people.

import { chromium } from "@playwright/test";

const LOADS = 7;
const [base, email, password] = process.argv.slice(2);
if (!base) throw new Error("name the address of a running server");

const browser = await chromium.launch({ executablePath: process.env.BAWWAB_CHROMIUM ?? "/usr/bin/chromium" });
const phone = { viewport: { width: 360, height: 800 }, locale: "ar" };

// What Lighthouse calls slow 4G, as the browser is told it.
const NETWORKS = {
    loopback: undefined,
    "slow 4G": { offline: false, latency: 150, downloadThroughput: (1.6 * 1024 * 1024) / 8, uploadThroughput: (750 * 1024) / 8 },
};

/** Runs in the page: when its largest part was painted, and how far things moved without anybody having done anything. */
function painted() {
    const entries = (type) => new Promise((resolve) => {
        const observer = new PerformanceObserver((list) => resolve(list.getEntries()));
        observer.observe({ type, buffered: true });
        // Where nothing has moved nothing is told.
        if (type === "layout-shift") setTimeout(() => resolve([]), 200);
    });
    return Promise.all([entries("largest-contentful-paint"), entries("layout-shift")]).then(([paints, shifts]) => ({
        lcp: paints.at(-1).startTime,
        cls: shifts.filter((shift) => !shift.hadRecentInput).reduce((sum, shift) => sum + shift.value, 0),
    }));
}

async function load(path, state, network) {
    const context = await browser.newContext({ ...phone, storageState: state, serviceWorkers: "block" });
    const page = await context.newPage();
    const client = await context.newCDPSession(page);
    await client.send("Emulation.setCPUThrottlingRate", { rate: 4 });
    if (network) {
        await client.send("Network.enable");
        await client.send("Network.emulateNetworkConditions", network);
    }
    await page.goto(base + path, { waitUntil: "networkidle" });
    const found = await page.evaluate(painted);
    await context.close();
    return found;
}

async function measure(name, path, state) {
    for (const [how, network] of Object.entries(NETWORKS)) {
        const found = [];
        for (let at = 0; at < LOADS; at += 1) found.push(await load(path, state, network));
        const lcp = found.map((one) => one.lcp).sort((a, b) => a - b);
        const cls = found.map((one) => one.cls).sort((a, b) => a - b);
        const seconds = (ms) => (ms / 1000).toFixed(2);
        const moved = cls[LOADS >> 1].toFixed(3);
        console.log(`${name}, ${how}: ${seconds(lcp[LOADS >> 1])} s (${seconds(lcp[0])} to ${seconds(lcp.at(-1))}), shift ${moved}`);
    }
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
    await measure("home", "/console", state);
    await measure("people", "/console/people", state);
}
await browser.close();
