// Draws the icons of the installed app, public/icons/*.png, from the mark in public/favicon.svg. Run it when the mark
// changes: node end2end/scripts/icons.mjs

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { chromium } from "@playwright/test";

const ACCENT = "#0f6b62";
const FOLDER = new URL("../../public/icons/", import.meta.url);
const mark = readFileSync(new URL("../../public/favicon.svg", import.meta.url), "utf8").replace(/<style>.*?<\/style>/s, "");

// `corner` and `mark`: parts of the whole. What a phone may cut off of a maskable icon is a tenth on each side, and more
// in the corners.
const ICONS = [
    { name: "icon-192", size: 192, corner: 0.22, mark: 0.62 },
    { name: "icon-512", size: 512, corner: 0.22, mark: 0.62 },
    { name: "icon-maskable-512", size: 512, corner: 0, mark: 0.5 },
    { name: "apple-touch-icon", size: 180, corner: 0, mark: 0.6 },
];

const browser = await chromium.launch({
    executablePath: process.env.BAWWAB_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
});
mkdirSync(FOLDER, { recursive: true });
for (const icon of ICONS) {
    const page = await browser.newPage({ viewport: { width: icon.size, height: icon.size } });
    const side = Math.round(icon.size * icon.mark);
    await page.setContent(`<style>
        html, body { margin: 0; background: transparent }
        div { display: grid; place-items: center; width: ${icon.size}px; height: ${icon.size}px;
              border-radius: ${icon.corner * 100}%; background: ${ACCENT} }
        svg { width: ${side}px; height: ${side}px; stroke: #fff }
    </style><div>${mark}</div>`);
    const file = new URL(`${icon.name}.png`, FOLDER);
    writeFileSync(file, await page.screenshot({ omitBackground: true }));
    console.log(file.pathname);
    await page.close();
}
await browser.close();
