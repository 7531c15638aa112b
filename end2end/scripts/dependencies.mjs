// Checks what our crates bring in, against deny.toml: licences, banned crates, where they come from;
// and that each dependency in Cargo.toml is used. Lists crates present in two versions.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const policy = readPolicy("deny.toml");
const allowed = new Set(policy["licenses.allow"]);
const banned = new Set(policy["bans.deny"]);

const metadata = JSON.parse(
    cargo("metadata", "--format-version=1", ...policy["graph.targets"].map((target) => `--filter-platform=${target}`)),
);
// What `cargo metadata` calls resolved includes crates that no feature switches on; the tree does not.
const inTree = new Set(
    policy["graph.targets"].flatMap((target) =>
        cargo("tree", "--prefix=none", "--format={p}", "--target", target)
            .split("\n")
            .map((line) => line.split(" ").slice(0, 2).join(" ")),
    ),
);
const packages = metadata.packages.filter((one) => inTree.has(`${one.name} v${one.version}`));
const own = packages.filter((one) => one.source === null);
const problems = [];

for (const { name, version, license, license_file, source } of packages) {
    const what = `${name} ${version}`;
    if (banned.has(name)) problems.push(`${what} is banned (see deny.toml)`);
    if (source === null) continue;
    if (!source.startsWith("registry+")) problems.push(`${what} does not come from the registry but from ${source}`);
    if (!license) problems.push(`${what} names no licence (file: ${license_file ?? "none"})`);
    else if (!isAllowed(license)) problems.push(`${what} has the licence "${license}", which deny.toml does not allow`);
}

for (const { name, dependencies, manifest_path, metadata: extra } of own) {
    const folder = manifest_path.replace(/\/[^/]*$/, "");
    // The key the tool cargo-machete reads too: dependencies that only switch on a feature elsewhere.
    const ignored = new Set(extra?.["cargo-machete"]?.ignored ?? []);
    const code = [...rustFiles(join(folder, "src")), ...rustFiles(join(folder, "tests")), ...rustFiles(join(folder, "build.rs"))]
        .map((file) => readFileSync(file, "utf8"))
        .join("\n");
    for (const dependency of dependencies) {
        const called = (dependency.rename ?? dependency.name).replaceAll("-", "_");
        if (!ignored.has(dependency.name) && !new RegExp(`\\b${called}\\b`).test(code)) {
            problems.push(`${name} does not use its dependency ${dependency.name}`);
        }
    }
}

const versions = groupByName(packages);
for (const [name, several] of [...versions].sort(([a], [b]) => a.localeCompare(b))) {
    if (several.length > 1) console.log(`note: ${name} in versions ${several.map((one) => one.version).sort().join(", ")}`);
}
for (const problem of problems) console.error(`error: ${problem}`);
console.log(`${packages.length} crates, ${problems.length} problems`);
process.exit(problems.length ? 1 : 0);

function cargo(...args) {
    try {
        return execFileSync("cargo", [...args, "--locked", "--features", policy["graph.features"].join(",")], {
            encoding: "utf8",
            maxBuffer: 1 << 28,
            stdio: ["ignore", "pipe", "inherit"],
        });
    } catch (failure) {
        if (failure.status === undefined) throw failure;
        process.exit(1); // cargo has said why
    }
}

// SPDX expressions: one side of an OR has to be allowed, both sides of an AND. "A/B" is the old way
// to write "A OR B".
function isAllowed(expression) {
    const tokens = expression.replaceAll("/", " OR ").match(/[()]|[^\s()]+/g);
    const result = either();
    return result && tokens.length === 0;

    function either() {
        let value = both();
        while (tokens[0] === "OR") {
            tokens.shift();
            value = both() || value;
        }
        return value;
    }
    function both() {
        let value = one();
        while (tokens[0] === "AND") {
            tokens.shift();
            value = one() && value;
        }
        return value;
    }
    function one() {
        let name = tokens.shift();
        if (name === "(") {
            const value = either();
            tokens.shift();
            return value;
        }
        if (tokens[0] === "WITH") {
            tokens.shift();
            name += ` WITH ${tokens.shift()}`;
        }
        return allowed.has(name);
    }
}

// The arrays of strings of a TOML file, one entry a line, as { "section.key": [...] }.
function readPolicy(path) {
    const arrays = {};
    let section = "";
    let key = null;
    for (const line of readFileSync(path, "utf8").split("\n").map((line) => line.trim())) {
        if (key && line === "]") key = null;
        else if (key && line.startsWith('"')) arrays[key].push(line.match(/^"([^"]*)"/)[1]);
        else if (/^\[\w+\]$/.test(line)) section = line.slice(1, -1);
        else if (/^[\w-]+ = \[$/.test(line)) arrays[(key = `${section}.${line.split(" ")[0]}`)] = [];
    }
    for (const wanted of ["graph.targets", "graph.features", "licenses.allow", "bans.deny"]) {
        if (!arrays[wanted]?.length) throw new Error(`${path}: ${wanted} is missing or not written one entry a line`);
    }
    return arrays;
}

function rustFiles(path) {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat) return [];
    if (!stat.isDirectory()) return [path];
    return readdirSync(path).flatMap((name) =>
        statSync(join(path, name)).isDirectory() || name.endsWith(".rs") ? rustFiles(join(path, name)) : [],
    );
}

function groupByName(all) {
    const groups = new Map();
    for (const one of all) groups.set(one.name, [...(groups.get(one.name) ?? []), one]);
    return groups;
}
