// Checks that every text exists in every language, with the same placeholders and the plural forms
// the language needs (the build would only fall back to the other language), and that texts keep to
// the words of docs/glossary.md and to the orthography of their language.

import { readdirSync, readFileSync } from "node:fs";

const LANGUAGES = ["ar", "en"];
const PLURAL_SUFFIX = /(_ordinal)?_(zero|one|two|few|many|other)$/;

// Given to the letter: what they say is not ours to choose.
const GIVEN = ["Check your email to confirm", "تم تحديث صلاحيات المستخدم بنجاح.", "تم إرسال رابط التفعيل إلى بريدك — تحقق من صندوق الوارد."];

const FORBIDDEN = readGlossary("docs/glossary.md");
const ORTHOGRAPHY = {
    ar: [
        [/[,;?]/u, "punctuation is Arabic: ، ؛ ؟"],
        [/اً/u, "tanwin stands before its alif: ًا"],
        [/(^|[^\p{L}\p{M}])(ان|الى|اذا|او|لانه|الغاء|اضافة|انشاء|اعدادات|الان|إستخدام|إسم|إختيار|إنتظار|إنتهت)(?![\p{L}\p{M}])/u, "a hamza is missing or too many"],
        [/ {2}| [،؛؟.:]/u, "a space too many"],
        [/[کیہ]/u, "a letter of another alphabet: ك ي ه"],
    ],
    en: [[/[،؛؟]/u, "punctuation is English"], [/ {2}| [,;?!]/u, "a space too many"]],
};

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
            if (typeof value === "string") checkWords(path, prefix + name, value);
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

// Words that are written in one way only, for one text of one language.
function checkWords(path, key, text) {
    const language = path.split("/")[1];
    if (GIVEN.includes(text)) return;
    // What is filled in, and addresses and keys in backticks, are no words of ours.
    const plain = text.replace(/\{\{[^}]*\}\}|`[^`]*`/g, "x");
    const folded = fold(plain);
    for (const [pattern, word, instead] of FORBIDDEN[language]) {
        if (pattern.test(folded)) problems.push(`${path}: "${key}" says "${word}"; the glossary says "${instead}"`);
    }
    for (const [pattern, rule] of ORTHOGRAPHY[language]) {
        if (pattern.test(plain)) problems.push(`${path}: "${key}": ${rule} (${text})`);
    }
}

// What the tables of the glossary forbid: the last column of the Arabic ones, "do not write" of the English one.
function readGlossary(path) {
    const forbidden = { ar: [], en: [] };
    let columns = [];
    for (const line of readFileSync(path, "utf8").split("\n")) {
        if (!line.startsWith("|")) continue;
        const cells = line.slice(1, -1).split("|").map((cell) => cell.trim());
        if (cells.some((cell) => cell === "لا تكتب" || cell === "do not write")) columns = cells;
        if (cells === columns || /^-+$/.test(cells[0])) continue;
        const language = columns[0] === "العربية" ? "ar" : "en";
        for (const word of cells[columns.length - 1].split(/[،,]\s*/).filter(Boolean)) {
            const before = language === "ar" ? "(?:[وف]?(?:[بلك]?(?:ال)?|لل))" : "";
            const pattern = new RegExp(`(?<![\\p{L}\\p{M}-])${before}${fold(word)}(?![\\p{L}\\p{M}])`, "u");
            forbidden[language].push([pattern, word, cells[0]]);
        }
    }
    if (!forbidden.ar.length || !forbidden.en.length) throw new Error(`${path} forbids nothing`);
    return forbidden;
}

// Without diacritics and tatweel, in lower case.
function fold(text) {
    return text.replace(/[\u0640\u064B-\u065F\u0670]/g, "").toLowerCase();
}
