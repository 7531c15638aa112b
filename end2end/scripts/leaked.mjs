// Writes src/base/server/leaked/hashes.bin: the passwords of a public list that our length rules would let through, each as
// the first six bytes of its SHA-256, sorted. Run it again only when the list changes:
//   node end2end/scripts/leaked.mjs path/to/10_million_password_list_top_1M.txt

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

/** Shorter ones are refused for their length; of those that need a second factor beside them the most used are kept. */
const [SHORTEST, ALONE, MOST_USED] = [8, 15, 40_000];

const list = readFileSync(process.argv[2], "utf8").split("\n");
const forms = list.map((line) => line.trim().normalize("NFKC").toLowerCase());
const length = (text) => [...text].length;
const common = forms.filter((text) => length(text) >= SHORTEST && length(text) < ALONE).slice(0, MOST_USED);
const long = forms.filter((text) => length(text) >= ALONE);
const hash = (text) => createHash("sha256").update(text).digest("hex").slice(0, 12);
const hashes = [...new Set([...common, ...long].map(hash))].sort();
const target = new URL("../../src/base/server/leaked/hashes.bin", import.meta.url);
writeFileSync(target, Buffer.from(hashes.join(""), "hex"));
console.log(`${hashes.length} passwords`);
