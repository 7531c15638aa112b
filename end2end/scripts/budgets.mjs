// Counts what a browser loads of a release site folder against benches/budgets.json:
//     node end2end/scripts/budgets.mjs SITE [WASM of benches/hello-leptos, built just now]

import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

const site = process.argv[2];
if (!site) throw new Error("name the site folder of a release build");
const { hello_leptos: noted, limits } = JSON.parse(readFileSync(new URL("../../benches/budgets.json", import.meta.url), "utf8"));

const files = (folder, like) => {
    const found = readdirSync(join(site, folder)).filter((name) => like.test(name)).map((name) => join(site, folder, name));
    if (found.length === 0) throw new Error(`${site}/${folder} holds nothing like ${like}`);
    return found;
};
const sum = (all, size) => all.reduce((total, file) => total + size(file), 0);
const brotli = (file) => {
    const bytes = readFileSync(file);
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
    return brotliCompressSync(bytes, { params }).length;
};

// The noted size saves most runs the minutes that building the hello world takes.
const hello = process.argv[3] ? brotli(process.argv[3]) : noted.wasm_brotli;
if (hello !== noted.wasm_brotli) console.log(`hello-world Leptos is ${hello} bytes now; budgets.json says ${noted.wasm_brotli}`);

const budgets = [
    ["main wasm, brotli", sum(files("pkg", /^bawwab\..*\.wasm$/), brotli), limits.wasm_times_hello * hello],
    ["wasm of the console beside it, brotli", sum(files("pkg", /^(chunk|split)_.*\.wasm$/), brotli), limits.console_times_hello * hello],
    ["style sheet, brotli", sum(files("pkg", /\.css$/), brotli), limits.css_brotli],
    ["fonts", sum(files("fonts", /\.woff2$/), (file) => statSync(file).size), limits.fonts],
];
for (const [name, size, limit] of budgets) {
    console.log(`${size <= limit ? "ok   " : "ABOVE"} ${name}: ${size} bytes of ${limit}`);
}
console.log(`main wasm ÷ hello-world Leptos: ${(budgets[0][1] / hello).toFixed(1)}`);
process.exit(budgets.some(([, size, limit]) => size > limit) ? 1 : 0);
