-- Searching and naming in Arabic and in every other script: one way of folding, kept in columns.
--
-- `like` and functions of our own are not leakproof: under a row-level-security policy PostgreSQL takes neither into an
-- index, but compares row by row (200,000 people: 0.6 s to find who signs in, 6.7 s for a page far down the list).
-- Equality and order of plain columns are leakproof. So what is looked up or sorted by stands folded in columns.

-- Letters that have two cases, whatever the database's locale: ASCII at once, the others by the table.
create function fold_case(value text) returns text language sql immutable parallel safe strict return
    case when value ~ '[^\u0001-\u007F\u0600-\u06FF]' then
        translate(lower(value collate "C"),
            'ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮİĴĶĹĻĽŁŃŅŇŊŌŎŐŒŔŖŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŸ'
            'ŹŻŽƁƂƄƆƇƉƊƋƎƏƐƑƓƔƖƗƘƜƝƟƠƢƤƦƧƩƬƮƯƱƲƳƵƷƸƼǍǏǑǓǕǗǙǛǞǠǢǤǦǨǪǬǮǴǶǷǸǺǼǾȀȂȄȆȈȊȌȎȐȒȔȖȘȚȜȞȠȢȤȦȨȪȬȮȰ'
            'ȲȺȻȽȾɁɃɄɅɆɈɊɌɎͰͲͶͿΆΈΉΊΌΎΏΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΪΫϏϘϚϜϞϠϢϤϦϨϪϬϮϷϺϽϾϿЀЁЂЃЄЅІЇЈЉЊЋЌЍЎЏАБВ'
            'ГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯѠѢѤѦѨѪѬѮѰѲѴѶѸѺѼѾҀҊҌҎҐҒҔҖҘҚҜҞҠҢҤҦҨҪҬҮҰҲҴҶҸҺҼҾӀӁӃӅӇӉӋӍӐӒӔӖӘӚӜ'
            'ӞӠӢӤӦӨӪӬӮӰӲӴӶӸӺӼӾԀԂԄԆԈԊԌԎԐԒԔԖԘԚԜԞԠԢԤԦԨԪԬԮԱԲԳԴԵԶԷԸԹԺԻԼԽԾԿՀՁՂՃՄՅՆՇՈՉՊՋՌՍՎՏՐՑՒՓՔՕՖḀḂḄḆḈḊḌḎḐ'
            'ḒḔḖḘḚḜḞḠḢḤḦḨḪḬḮḰḲḴḶḸḺḼḾṀṂṄṆṈṊṌṎṐṒṔṖṘṚṜṞṠṢṤṦṨṪṬṮṰṲṴṶṸṺṼṾẀẂẄẆẈẊẌẎẐẒẔẞẠẢẤẦẨẪẬẮẰẲẴẶẸẺẼẾỀỂỄỆỈ'
            'ỊỌỎỐỒỔỖỘỚỜỞỠỢỤỦỨỪỬỮỰỲỴỶỸỺỼỾἈἉἊἋἌἍἎἏἘἙἚἛἜἝἨἩἪἫἬἭἮἯἸἹἺἻἼἽἾἿὈὉὊὋὌὍὙὛὝὟὨὩὪὫὬὭὮὯᾈᾉᾊᾋᾌᾍᾎᾏᾘᾙᾚᾛᾜ'
            'ᾝᾞᾟᾨᾩᾪᾫᾬᾭᾮᾯᾸᾹᾺᾼῈῊῌῘῙῚῨῩῪῬῸῺῼıς',
            'àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþāăąćĉċčďđēĕėęěĝğġģĥħĩīĭįiĵķĺļľłńņňŋōŏőœŕŗřśŝşšţťŧũūŭůűųŵŷÿ'
            'źżžɓƃƅɔƈɖɗƌǝəɛƒɠɣɩɨƙɯɲɵơƣƥʀƨʃƭʈưʊʋƴƶʒƹƽǎǐǒǔǖǘǚǜǟǡǣǥǧǩǫǭǯǵƕƿǹǻǽǿȁȃȅȇȉȋȍȏȑȓȕȗșțȝȟƞȣȥȧȩȫȭȯȱ'
            'ȳⱥȼƚⱦɂƀʉʌɇɉɋɍɏͱͳͷϳάέήίόύώαβγδεζηθικλμνξοπρστυφχψωϊϋϗϙϛϝϟϡϣϥϧϩϫϭϯϸϻͻͼͽѐёђѓєѕіїјљњћќѝўџабв'
            'гдежзийклмнопрстуфхцчшщъыьэюяѡѣѥѧѩѫѭѯѱѳѵѷѹѻѽѿҁҋҍҏґғҕҗҙқҝҟҡңҥҧҩҫҭүұҳҵҷҹһҽҿӏӂӄӆӈӊӌӎӑӓӕӗәӛӝ'
            'ӟӡӣӥӧөӫӭӯӱӳӵӷӹӻӽӿԁԃԅԇԉԋԍԏԑԓԕԗԙԛԝԟԡԣԥԧԩԫԭԯաբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆḁḃḅḇḉḋḍḏḑ'
            'ḓḕḗḙḛḝḟḡḣḥḧḩḫḭḯḱḳḵḷḹḻḽḿṁṃṅṇṉṋṍṏṑṓṕṗṙṛṝṟṡṣṥṧṩṫṭṯṱṳṵṷṹṻṽṿẁẃẅẇẉẋẍẏẑẓẕßạảấầẩẫậắằẳẵặẹẻẽếềểễệỉ'
            'ịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹỻỽỿἀἁἂἃἄἅἆἇἐἑἒἓἔἕἠἡἢἣἤἥἦἧἰἱἲἳἴἵἶἷὀὁὂὃὄὅὑὓὕὗὠὡὢὣὤὥὦὧᾀᾁᾂᾃᾄᾅᾆᾇᾐᾑᾒᾓᾔ'
            'ᾕᾖᾗᾠᾡᾢᾣᾤᾥᾦᾧᾰᾱὰᾳὲὴῃῐῑὶῠῡὺῥὸὼῳiσ')
    else lower(value collate "C") end;

-- One form for searching: compatibility forms, case, Arabic diacritics, tatweel and joiners, hamza carriers, ta marbuta,
-- alif maqsura, the Persian and Urdu forms of Arabic letters, and Arabic-Indic digits fold together. The same as
-- `base::search::fold` of the program, which a test holds against it.
create or replace function fold_text(value text) returns text language sql immutable parallel safe strict return
    translate(
        regexp_replace(fold_case(normalize(value, nfkc)), '[\u0307\u0640\u064B-\u065F\u0670\u200C\u200D]', '', 'g'),
        'أإآٱةىؤئکیہەھ٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹',
        'ااااهيويكيههه01234567890123456789');

-- What a name looks like: letters that pass for an ASCII letter, sign or another Arabic letter are taken for it (chosen
-- from UTS 39, confusables.txt), then folded. Two names that look alike have the same skeleton.
create function name_skeleton(value text) returns text language sql immutable parallel safe strict return
    btrim(regexp_replace(
        fold_text(translate(normalize(value, nfkc),
            '¡×þıƄƍƒƖƦƧƷƼƽƿǀȜȢȣȷɌɑɡɣɩɪɯʄʋʏʹʻʼʽʾˈˊˋ˗˴ͿΑΒΕΖΗΙΚΜΝΟΡΤΥΧαγινορσυϜϨϬϭϳϸϺЅІЈАВЕЗКМНОРСТУХЬаб'
            'георсухшѕіјѡѴѵҮүҺһҽӀӏӠԁԌԚԛԜԝՅՍՏՕ՚՛՝ագզհյոռսցւքօٮٯٺڧڪںۄېےݢݧࢩࢰࢱࢻࢼࢽ।ႹႽჇჍყჽჿᎠᎡᎢᎥᎩᎪᎫᎬᎳᎷᎻᎽᏀᏂᏃᏎ'
            'ᏏᏒᏔᏕᏙᏚᏞᏟᏢᏦᏧᏮᏳᏴᲂᲃᲄᲕᲷᲽᲿᳵᴄᴏᴑᴜᴠᴡᴢᴦᶃᶌẝỿ‐‒–‘’‛′‵⁃℮↿−∣∨∪⊤⋁⋃⋿⍳⍴⍺⏽│┃╳➖⟙⤫⤬⧢⨯ⱫⱬⲂⲅⲌⲍⲎⲒⲓⲔⲘⲚⲜⲞⲟⲢⲣⲤⲥⲦⲨⲩ'
            'ⲬⲺⲻⲽⳄⳊⳋⳌⳎⳏⳐⳒⳓⳜ⳿ⴭꓐꓑꓒꓓꓔꓖꓗꓙꓚꓜꓝꓟꓠꓡꓢꓣꓦꓧꓪꓫꓬꓮꓰꓲꓳꓴꙄꙇꜱꝚꝪꝮꝯꞁꞋꞌꞘꞙꞟꞫꞮꞲꞳꞴꟺꟾ꠰ꬲꬵꬽꭇꭈꭎꭒꭚꭤꭵꮁꮃꮓꮞꮤꮩꮪꮯꮾ𐅾𐆋𐆑𝈆𝈇𝈌'
            '𝈍𝈒𝈓𝈖𝈪𝽚𝽪𝽽𝾁',
            'ixpibgfir235spl388jragyiiwfuy''''''''''''''''-''jabezhikmnoptyxayivopouf26ojpmsijabe3kmhopctyxba6'
            'reopcyxwsijwvvyyhheil3dgqqww3uso''''''wqqhjnnugifoيڡتفكيۅٻيڬݔݔگوڡڡيlhs2zysodrtiyajewmhyghz4'
            'brwsvslcpkd6gboc732soxcoouvwzrgyfy---''''''''''-el-lvutvueipalllx-txxwxzzbrzzhiikmn3ooppcctyy'
            'x--w3993ppl666''zbpddtgkjczfmnlsrvhwxyaelou2is2399l''''ffu3ijxbwlleforruuyairwz4wvsc6fd-3bw'
            'v7frlaawe')),
        ' +', ' ', 'g'));

-- Keys in collation "C": their order does not change with the system's libraries.
drop index users_username_key, users_by_name_idx, users_search_idx, users_email_key;
alter table users
    drop column search,
    add column search text not null generated always as
        (fold_text(name || ' ' || email || ' ' || coalesce(username, '') || ' ' || coalesce(department, ''))) stored,
    add column name_key text collate "C" not null generated always as (fold_text(name)) stored,
    add column username_key text collate "C" generated always as (fold_text(username)) stored,
    add column username_skeleton text collate "C" generated always as (name_skeleton(username)) stored;
-- Addresses are kept in their one form, in lower case.
create unique index users_email_key on users (email) where status <> 'deleted';
create unique index users_username_key on users (username_key) where status <> 'deleted';
create unique index users_username_lookalike_key on users (username_skeleton) where status <> 'deleted';
create index users_by_name_idx on users (tenant_id, name_key, id);
create index users_search_idx on users using gin (search gin_trgm_ops);

drop index roles_name_key;
alter table roles
    drop constraint roles_platform_name,
    add column search text not null generated always as (fold_text(name || ' ' || description)) stored,
    add column name_key text collate "C" not null generated always as (fold_text(name)) stored,
    add column name_skeleton text collate "C" not null generated always as (name_skeleton(name)) stored,
    -- ` Super-Admin`, `ＳＵＰＥＲ-ADMIN`, `ѕuреr-аdmіn`: nobody dresses a role of a tenant as the platform's.
    add constraint roles_platform_name check (tenant_id is null or name_skeleton(name) <> 'super-admin');
create unique index roles_name_key on roles (tenant_id, name_key) nulls not distinct;
create unique index roles_name_lookalike_key on roles (tenant_id, name_skeleton) nulls not distinct;
create index roles_search_idx on roles using gin (search gin_trgm_ops);

-- What was folded before this way of folding. The owner is held to the policies too, and none lets anybody change a row.
alter table audit_logs no force row level security;
update audit_logs set search = fold_text(search) where search <> fold_text(search);
alter table audit_logs force row level security;
