// Checks that every text exists in every language, with the same placeholders and the plural forms
// the language needs. The build would only fall back to the other language.

import { readdirSync, readFileSync } from "node:fs";

const LANGUAGES = ["ar", "en"];
const PLURAL_SUFFIX = /(_ordinal)?_(zero|one|two|few|many|other)$/;

const problems = [];
const files = new Set(LANGUAGES.flatMap((language) => readdirSync(`locales/${language}`)));
let count = 0;
for (const file of [...files].sort()) {
    const texts = LANGUAGES.map((language) => [language, readTexts(`locales/${language}/${file}`)]);
    for (const [language, own] of texts) {
        for (const [other, theirs] of texts) {
            for (const [key, text] of own) {
                if (!theirs.has(key)) {
                    problems.push(`${other}/${file}: "${key}" is missing (${language} has it)`);
                } else if (language < other && text.placeholders !== theirs.get(key).placeholders) {
                    problems.push(
                        `${file}: "${key}" uses ${text.placeholders || "nothing"} in ${language}, ` +
                            `${theirs.get(key).placeholders || "nothing"} in ${other}`,
                    );
                }
            }
        }
        for (const [key, { forms, ordinal }] of own) {
            const needed = new Intl.PluralRules(language, { type: ordinal ? "ordinal" : "cardinal" });
            for (const form of forms.size ? needed.resolvedOptions().pluralCategories : []) {
                if (!forms.has(form)) problems.push(`${language}/${file}: "${key}" has no plural form "${form}"`);
            }
        }
        count += own.size;
    }
}
for (const problem of problems) console.error(`error: ${problem}`);
console.log(`${count} texts in ${LANGUAGES.length} languages, ${problems.length} problems`);
process.exit(problems.length ? 1 : 0);

// The keys of a file, plural forms of one text taken together.
function readTexts(path) {
    const found = new Map();
    let content;
    try {
        content = JSON.parse(readFileSync(path, "utf8"));
    } catch (error) {
        problems.push(`${path}: ${error.message}`);
        return found;
    }
    collect(content, "");
    for (const text of found.values()) text.placeholders = [...text.placeholders].sort().join(" ");
    return found;

    function collect(node, prefix) {
        for (const [name, value] of Object.entries(node)) {
            if (typeof value === "object" && value !== null && !Array.isArray(value)) {
                collect(value, `${prefix}${name}.`);
                continue;
            }
            const plural = name.match(PLURAL_SUFFIX);
            const key = prefix + name.replace(PLURAL_SUFFIX, "");
            const text = found.get(key) ?? { placeholders: new Set(), forms: new Set(), ordinal: Boolean(plural?.[1]) };
            if (plural) text.forms.add(plural[2]);
            if (value === "") problems.push(`${path}: "${prefix}${name}" is empty`);
            for (const [, variable, tag] of JSON.stringify(value).matchAll(/\{\{\s*(\w+)[^}]*\}\}|<(\w+)[^>]*>/g)) {
                text.placeholders.add(variable ? `{{${variable}}}` : `<${tag}>`);
            }
            found.set(key, text);
        }
    }
}
