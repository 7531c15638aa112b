// How the browser tests run. `./dev test` and `./dev e2e` start them with the environment set; each
// worker starts its own server on its own database (see tests/support.ts).

import { defineConfig } from "@playwright/test";

const { BAWWAB_E2E_OUT: out, BAWWAB_CHROMIUM: chromium } = process.env;
for (const name of ["BAWWAB_BIN", "BAWWAB_SITE_DIR", "BAWWAB_E2E_OUT", "DATABASE_URL"]) {
    if (!process.env[name]) throw new Error(`${name} is not set: run the browser tests with ./dev e2e`);
}

export default defineConfig({
    testDir: "./tests",
    outputDir: `${out}/artifacts`,
    fullyParallel: true,
    workers: 2,
    // A test that passes at the second attempt is a bug in the app or in the test.
    retries: 0,
    forbidOnly: true,
    // Debug builds on two cores: generous, and still finite.
    timeout: 60_000,
    expect: { timeout: 10_000 },
    reporter: [["list"], ["json", { outputFile: `${out}/results.json` }]],
    use: {
        trace: "off",
        video: "off",
        screenshot: "only-on-failure",
        launchOptions: {
            executablePath: chromium ?? "/usr/bin/chromium",
            args: [
                // The sandbox needs rights that containers and root do not have; the only pages opened are ours.
                "--no-sandbox",
                "--disable-gpu",
                // No conversation with anybody but the server under test.
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        },
    },
});
