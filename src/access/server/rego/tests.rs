//! What of Rego is read, where a module is refused, and what it says (C6).

use std::fmt::Write as _;

use serde_json::json;
use uuid::Uuid;

use super::{check::LEVELS, *};
use crate::{
    access::server::{
        engine::{PersonGrants, Snapshot},
        policy::Env,
    },
    base::ids::{TenantId, UserId},
};

fn errors(module: &str, tests: &str) -> Vec<(String, FieldCode)> {
    let mut errors = FieldErrors::default();
    let read = compile(module, tests, &mut errors);
    assert_eq!(read.is_some(), errors.0.is_empty(), "{module}");
    errors.0
}

/// Where the body of a module, whose first line is its package, is wrong.
fn wrong(body: &str) -> Vec<(String, FieldCode)> {
    errors(&format!("package a\n{body}\n"), "")
}

fn asked(body: &str, input: Value) -> Result<(bool, bool), String> {
    let mut errors = FieldErrors::default();
    let module = compile(&format!("package a\n{body}\n"), "", &mut errors);
    let module = module.unwrap_or_else(|| panic!("{body}: {errors:?}"));
    module.evaluate(&input).map_err(|error| format!("{error:#}"))
}

/// Runs on a stack as small as the threads of the server have.
fn on_small_stack<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(run).expect("a thread");
    thread.join().expect("no panic")
}

/// A rule that takes something out of a list so many times.
fn taken(times: usize) -> String {
    let taken = (0..times).map(|number| format!("some x{number} in p")).collect::<Vec<_>>();
    format!("p := [1]\nallow if {{\n{}\n}}", taken.join("\n"))
}

fn refused(body: &str, at: &str, code: FieldCode) {
    let found = wrong(body);
    assert_eq!(found.first(), Some(&(format!("module:{at}"), code)), "{body}: {found:?}");
}

/// C6: `allow` and `deny` are booleans; anything else is no allow, and is a deny.
#[test]
fn only_true_allows_and_anything_else_denies() {
    assert_eq!(asked("allow if input.user.level >= 3", json!({"user": {"level": 3}})), Ok((false, true)));
    assert_eq!(asked("allow if input.user.level >= 3", json!({"user": {"level": 2}})), Ok((false, false)));
    assert_eq!(asked("allow if input.user.level >= 3", json!({})), Ok((false, false)));
    assert_eq!(asked("allow := \"yes\"", json!({})), Ok((false, false)));
    assert_eq!(asked("allow := 1", json!({})), Ok((false, false)));
    assert_eq!(asked("deny := true\nallow := true", json!({})), Ok((true, true)));
    assert_eq!(asked("deny := input.user.x", json!({"user": {"x": false}})), Ok((false, false)));
    assert!(asked("deny := input.user.x", json!({"user": {"x": "no"}})).is_err());
    assert!(asked("deny := input.user.x", json!({"user": {"x": []}})).is_err());
    // What fails while it is evaluated: a wrong kind of argument, and two values of one rule.
    assert!(asked("allow if count(input.user.x) > 1", json!({"user": {"x": 3}})).is_err());
    assert!(
        asked("allow := 1 if input.user.x\nallow := 2 if input.user.y", json!({"user": {"x": 1, "y": 1}})).is_err()
    );
    assert!(asked("allow if input.user.x", json!({"user": {"x": "x".repeat(70_000)}})).is_err());
}

/// C6: an error is named by its line and column, whether the parser, our check or the first evaluation finds it.
#[test]
fn an_error_has_its_place() {
    use FieldCode::{Malformed, Required, Taken, TooLong, Unknown};
    refused("allow if {\n  x ==\n}", "4:1", Malformed);
    refused("allow { true }", "2:7", Malformed);
    refused("allow if y == 1", "2:10", Malformed);
    refused("allow if http.send({})", "2:10", Unknown);
    refused("allow if count(1, 2)", "2:10", Malformed);
    refused("f(x) if x\nallow if f(1, 2)", "3:10", Malformed);
    refused("allow if data.b.c", "2:10", Unknown);
    refused("allow if data", "2:10", Unknown);
    refused("import data.b\nallow if b.c", "2:1", Unknown);
    refused("allow if true with input as {}", "2:15", Unknown);
    refused("deny contains \"x\" if true", "2:1", Malformed);
    refused("count(x) := x\nallow if true", "2:1", Taken);
    assert_eq!(errors("", ""), [("module".to_owned(), Required)]);
    assert_eq!(wrong("permit if true"), [("module".to_owned(), Required)]);
    assert_eq!(errors("package a", ""), [("module".to_owned(), Required)]);
    assert_eq!(wrong(&"#".repeat(40_000)), [("module".to_owned(), TooLong)]);
    let tests = errors("package a\nallow if true", "package a_test\ntest_a if {\n  x ==\n}\n");
    assert_eq!(tests, [("tests:4:1".to_owned(), Malformed)]);
    let over = errors("package a\nallow if true", "package a\nallow if false\ntest_a if allow\n");
    assert_eq!(over, [("tests:2:1".to_owned(), Taken)]);
}

/// C6: nothing reaches itself, whatever goes between: a function that does would end the process.
#[test]
fn what_reaches_itself_is_refused() {
    use FieldCode::TooDeep;
    refused("f(x) if f(x)\nallow if f(1)", "2:1", TooDeep);
    refused("f(x) if g(x)\ng(x) if f(x)\nallow if f(1)", "2:1", TooDeep);
    refused("f(x) if { p; x }\np if f(1)\nallow if f(1)", "2:1", TooDeep);
    refused("f(x) if data.a.f(x)\nallow if f(1)", "2:1", TooDeep);
    refused("f(x) if data[\"a\"].p[x]\np contains 1 if f(1)\nallow if f(1)", "2:1", TooDeep);
    refused("allow if count([y | y := 1; allow]) > 0", "2:1", TooDeep);
    let mut chain = "allow if r0\nr40 if true\n".to_owned();
    for of in 0..40 {
        writeln!(chain, "r{of} if r{}", of + 1).expect("a text");
    }
    assert!(wrong(&chain).iter().all(|(_, code)| *code == TooDeep) && !wrong(&chain).is_empty());
}

/// C6: what nests deep is refused before anything recurses into it, or tries it again and again.
#[test]
fn deep_sources_are_refused() {
    use FieldCode::{Malformed, TooDeep};
    for (open, close) in [("[", "]"), ("{", "}"), ("{1: ", "}"), ("{x | x := ", "}")] {
        let nested = |depth: usize| format!("allow if 1 == {}1{}", open.repeat(depth), close.repeat(depth));
        assert_eq!(wrong(&nested(9)).first().map(|(_, code)| *code), Some(TooDeep), "{open}");
        assert_eq!(wrong(&nested(2_000)).first().map(|(_, code)| *code), Some(TooDeep), "{open}");
        assert!(wrong(&nested(5)).iter().all(|(_, code)| *code == FieldCode::Range), "{open}: {:?}", wrong(&nested(5)));
    }
    // Brackets in texts do not count, in either way.
    let hidden = "[\"]\", ".repeat(9) + &"]".repeat(9);
    assert_eq!(wrong(&format!("allow if {hidden} == 1"))[0].1, TooDeep);
    assert!(wrong(&format!("allow if \"{}\" == 1 # {{{{{{{{{{{{{{{{{{{{", "[".repeat(50))).is_empty());
    for deep in [
        format!("allow if {}1{}", "(".repeat(5_000), ")".repeat(5_000)),
        format!("allow if {}1{}", "count(".repeat(3_000), ")".repeat(3_000)),
        format!("allow if {}1 > 0", "1+".repeat(15_000)),
        format!("allow if {}1 > 0", "-".repeat(15_000)),
        format!("allow if input{}", ".a".repeat(10_000)),
        format!("allow if input{}", "[0]".repeat(9_000)),
        format!("allow if {}true", "not ".repeat(7_000)),
        format!("package {}", "a.".repeat(9_000)),
        // The interpreter goes deeper for each loop of a body, whether they lie in each other or follow each other.
        format!("p := [1]\nallow if {{\n{}}}", "p[_]\n".repeat(3_000)),
        format!("p := [1]\nx := [{}]\nallow if x", "p[_],\n".repeat(3_000)),
        taken(1_500),
        format!("p := [1]\nallow if {{\n{}}}", "every y in p { y }\n".repeat(1_000)),
    ] {
        let found = wrong(&deep);
        assert!(matches!(found[..], [(_, TooDeep | Malformed), ..]), "{}: {found:?}", &deep[..20]);
    }
    let others = format!("allow := 1 if input.user.a\n{}", "else := 2 if input.user.b\n".repeat(1_000));
    assert!(!wrong(&others).is_empty());
}

/// C6: no call builds something large at once, and nothing asks anybody or anything outside.
#[test]
fn functions_that_are_not_listed_are_refused() {
    for call in [
        "count(numbers.range(1, 1000000000)) > 0",
        "count(numbers.range_step(1, 1000000000, 1)) > 0",
        "sprintf(\"%1000000000d\", [1]) != \"\"",
        "bits.lsh(1, 10000000000) > 0",
        "http.send({\"method\": \"get\", \"url\": \"http://x\"})",
        "opa.runtime()",
        "trace(\"x\")",
        "print(\"x\")",
        "rand.intn(\"a\", 3) > 0",
        "time.now_ns() > 0",
        "uuid.rfc4122(\"a\")",
        "strings.repeat(\"a\", 1000000000) != \"\"",
        "json.marshal(input) != \"\"",
        "json.unmarshal(input.user.x)",
        "yaml.unmarshal(input.user.x)",
        "net.cidr_expand(\"10.0.0.0/8\")",
        "net.lookup_ip_addr(\"x\")",
        "walk(input, x)",
        "graph.reachable(input, {1})",
        "product([1, 2]) > 0",
        "io.jwt.decode(\"x\")",
        "crypto.sha256(\"x\") != \"\"",
        "format_int(1, 2) != \"\"",
        "base64.encode(\"x\") != \"\"",
        "rego.metadata.rule()",
        "regex.replace(\"a\", \"b\", \"c\") != \"\"",
        "strings.any_prefix_match([\"x\"], input.user.x)",
        "strings.replace_n({\"a\": \"b\"}, \"a\") != \"\"",
    ] {
        let found = wrong(&format!("allow if {call}"));
        assert!(
            matches!(found[..], [(ref at, FieldCode::Unknown), ..] if at.starts_with("module:2:")),
            "{call}: {found:?}"
        );
    }
    // A pattern stands in the text, is short, and repeats little.
    refused("allow if regex.match(\"(a{1000}){1000}\", input.user.x)", "2:10", FieldCode::TooLong);
    refused("allow if regex.match(input.user.x, \"a\")", "2:10", FieldCode::Malformed);
    refused("allow if glob.match(input.user.x, [], \"a\")", "2:10", FieldCode::Malformed);
    refused(&format!("allow if regex.match(\"{}\", \"a\")", "a".repeat(300)), "2:10", FieldCode::TooLong);
    for call in ["replace(\"a\", \"a\", input.user.x)", "concat(input.user.x, [\"a\"])", "trim(\"a\", input.user.x)"] {
        refused(&format!("allow if {call} == \"a\""), "2:10", FieldCode::Malformed);
    }
    refused("allow if input.user.x > 1e999999", "2:25", FieldCode::Malformed);
    assert_eq!(
        asked("allow if regex.match(`^[a-z]+$`, input.user.x)", json!({"user": {"x": "abc"}})),
        Ok((false, true))
    );
    assert_eq!(asked("allow if to_number(input.user.x) > 1", json!({"user": {"x": "2"}})), Ok((false, true)));
    assert!(asked("allow if to_number(input.user.x) > 1", json!({"user": {"x": "1e99999999"}})).is_err());
}

/// C6: values that are put together from each other over and over are refused, by whatever way they grow.
#[test]
fn values_that_double_are_refused() {
    let doubled = |first: &str, step: fn(usize) -> String| {
        let mut body = format!("r0 := {first}\n");
        for of in 1..12 {
            writeln!(body, "r{of} := {}", step(of - 1)).expect("a text");
        }
        body + "allow if r11 == input.user.x"
    };
    for body in [
        doubled("[1]", |of| format!("[{}]", vec![format!("r{of}"); 10].join(", "))),
        doubled("{1}", |of| {
            format!("{{\"a\": {{{}}}}}", (0..9).map(|n| format!("{n}: r{of}")).collect::<Vec<_>>().join(", "))
        }),
        doubled("[1]", |of| format!("array.concat(array.concat(r{of}, r{of}), array.concat(r{of}, r{of}))")),
        doubled("\"a\"", |of| format!("concat(\"\", [r{of}, r{of}])")),
        doubled("\"a\"", |of| format!("replace(r{of}, \"a\", \"aaaaaaaaaa\")")),
        doubled("7", |of| format!("r{of} * r{of}")),
        doubled("[1, 2, 3]", |of| format!("[x | some x in r{of}; some y in r{of}]")),
    ] {
        let found = wrong(&body);
        assert!(matches!(found[..], [(_, FieldCode::Range | FieldCode::TooDeep), ..]), "{body}: {found:?}");
    }
    // Many references to one long list, each of which a comparison goes through, without looking at the clock.
    let row = vec!["input.resource.l"; 398].join(",\n");
    let rows = format!("row := [{row}]\nr := [row | some x in input.resource.l]\nallow if r <= r");
    assert!(matches!(wrong(&rows)[..], [(_, FieldCode::Range), ..]), "{:?}", wrong(&rows));
    // What people write stays far below.
    for body in [
        "names := [x.name | some x in input.user.items]\nallow if names == input.resource.names",
        "pairs := [[x.a, x.b] | some x in input.user.items]\nallow if pairs == input.resource.pairs",
        "ids := {x.id: x | some x in input.user.items}\nallow if ids[input.resource.id].open",
        "path := concat(\"/\", [input.user.department, input.user.region])\nallow if path == input.resource.path",
    ] {
        assert!(wrong(body).is_empty(), "{body}: {:?}", wrong(body));
    }
    // The same within one rule, in one expression, over functions, over unification, and over a pattern.
    for body in [
        "allow if {\n  a := [x | some x in input.user.l]\n  b := [a | some x in input.user.l]\n  b == b\n}",
        "allow if count([[[z | z := 1; some y in x] | some x in input.user.l] | some w in input.user.l]) > 1",
        "f(x) := [x, x, x, x, x, x, x, x, x, x]\nallow if f(f(f(f(f(f(f(1))))))) == input.user.x",
        "allow if {\n  x = [y, y]\n  y = [x, x]\n}",
        "f(x) := [y | some y in x]\ng(x) := [f(x) | some y in x]\nallow if g(input.user.l) == 1",
        "p contains x if some x in [[q | some q in input.user.l] | some z in input.user.l]\nallow if count(p) > 1",
    ] {
        let found = wrong(body);
        assert!(matches!(found[..], [(_, FieldCode::Range | FieldCode::TooDeep), ..]), "{body}: {found:?}");
    }
}

/// C6: what takes too long ends, and so denies; a chain as long as it may be needs no large stack.
#[test]
fn what_takes_too_long_ends() {
    let list = (0..500).collect::<Vec<_>>();
    let input = json!({"user": {"l": list}});
    let body = "allow if {\n  some a in input.user.l\n  some b in input.user.l\n  some c in input.user.l\n  a * b == c + 1000000000\n}";
    assert!(asked(body, input.clone()).is_err());
    let body =
        "allow if every a in input.user.l { every b in input.user.l { every c in input.user.l { a + b + c >= 0 } } }";
    assert!(asked(body, input.clone()).is_err());
    assert!(
        asked(
            "allow if count([1 | some a in input.user.l; some b in input.user.l; some c in input.user.l]) > 1",
            input
        )
        .is_err()
    );

    let mut body = "allow if r0([input.user.x])\nr10(x) if x == [1]\n".to_owned();
    for of in 0..10 {
        let next = of + 1;
        writeln!(body, "r{of}(x) if every z in x {{ count([y | r{next}(x); y := z]) == 1 }}").expect("a text");
    }
    let mut errors = FieldErrors::default();
    let module = compile(&format!("package a\n{body}"), "", &mut errors).unwrap_or_else(|| panic!("{errors:?}"));
    let answers = on_small_stack(move || module.evaluate(&json!({"user": {"x": 1}})).expect("answers"));
    assert_eq!(answers, (false, true));
}

/// C6: past a tenant's share a question is told that it depends, and a request fails; what cannot be read fails in any case.
#[test]
fn past_its_share_nothing_is_evaluated() {
    let tenant = TenantId(Uuid::now_v7());
    let (snapshot, person) = (Snapshot::new(tenant, 1, Vec::new()), PersonGrants::default());
    let module = compile("package a\nallow if true\n", "", &mut FieldErrors::default()).expect("a module");
    let request = Env::default();
    let now = "2026-11-22T12:00:00Z".parse().expect("a moment");
    let judged = |module: &Module, env: Option<&Env>| {
        let (user, action, facts, context, told) = (UserId(Uuid::nil()), None, None, None, None);
        module.judge(Situation { snapshot: &snapshot, user, person: &person, action, facts, env, context, told, now })
    };
    let allows = Verdict::Says { denies: false, allows: true };
    assert_eq!((judged(&module, None), judged(&module, Some(&request))), (allows, allows));
    // A stretch that has not begun yet is not over either, however slow this test is.
    let then = Instant::now() + Duration::from_secs(3_600);
    share::spend(tenant, Kind::Question, Duration::from_secs(1), then);
    assert_eq!((judged(&module, None), judged(&module, Some(&request))), (Verdict::Unknown, allows));
    share::spend(tenant, Kind::Request, Duration::from_secs(1), then);
    assert_eq!(judged(&module, Some(&request)), Verdict::Failed);
    let gone = Module::unreadable(Arc::from("gone"));
    assert_eq!((judged(&gone, None), judged(&gone, Some(&request))), (Verdict::Failed, Verdict::Failed));
}

/// C6: a module that is enforced is compiled once, and none of its rules is waited for; one that cannot be read any more
/// fails, whatever it is asked, and so denies.
#[tokio::test]
async fn what_is_enforced_is_prepared_once_and_never_an_error() {
    let slow = "package slow\nl := [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\nallow if {\n  every a in l { every b in l { every c in l { \
                every d in l { every e in l { every f in l { a + b + c + d + e + f > 0 } } } } } }\n}\n";
    assert_eq!(errors(slow, ""), [("module".to_owned(), FieldCode::TooLong)], "nobody saves it");
    let module = enforced(slow.to_owned()).await;
    assert!(module.evaluate(&json!({})).is_err(), "it takes too long whenever it is asked");
    let good = "package good\nallow if input.user.x\n";
    let (once, again) = (enforced(good.to_owned()).await, enforced(good.to_owned()).await);
    let engine = |module: &Module| module.engine.clone().expect("it was read");
    assert!(Arc::ptr_eq(&engine(&once), &engine(&again)));
    assert_eq!(again.evaluate(&json!({"user": {"x": true}})).map_err(|error| error.to_string()), Ok((false, true)));
    for gone in ["package gone\nallow if http.send({})\n", "package gone\nallow if", ""] {
        let module = enforced(gone.to_owned()).await;
        assert!(module.engine.is_none() && module.evaluate(&json!({})).is_err(), "{gone}");
        assert!(!errors(gone, "").is_empty(), "it is still refused where it is written");
    }
}

/// C6: as many loops in each other as there may be need no large stack, and no more are read.
#[test]
fn loops_in_each_other_need_no_large_stack() {
    let indexed = |loops: usize| format!("p := [1]\nallow if {{\n{}}}", "p[_]\n".repeat(loops));
    let within = |loops: usize| format!("p := [1]\nallow if count([{}]) > 0", "p[_], ".repeat(loops));
    for body in [indexed(LEVELS), taken(LEVELS), within(LEVELS)] {
        let answers = on_small_stack(move || asked(&body, json!({})));
        assert_eq!(answers, Ok((false, true)));
    }
    for body in [indexed(LEVELS + 1), taken(LEVELS + 1), within(LEVELS + 1)] {
        assert_eq!(wrong(&body).first().map(|(_, code)| *code), Some(FieldCode::TooDeep), "{body}");
    }
    // Along a chain they add up.
    let mut body = "p := [1]\nallow if r0\nr9 if p[_]\n".to_owned();
    for of in 0..9 {
        writeln!(body, "r{of} if {{\n{}r{}\n}}", "p[_]\n".repeat(10), of + 1).expect("a text");
    }
    assert!(matches!(wrong(&body)[..], [(_, FieldCode::TooDeep), ..]));
}

/// C6: what a module reads decides when it is asked at all; anything but plain paths reads everything.
#[test]
fn what_is_read_is_seen() {
    let reads = |condition: &str| {
        let mut errors = FieldErrors::default();
        let module = compile(&format!("package a\nallow if {condition}\n"), "", &mut errors);
        let Reads { user, resource, request, action } = module.unwrap_or_else(|| panic!("{errors:?}")).reads();
        (user, resource, request, action)
    };
    let all = (true, true, true, true);
    assert_eq!(reads("true"), (false, false, false, false));
    assert_eq!(reads("input.env.time != \"\""), (false, false, false, false));
    assert_eq!(reads("input.user.department == \"x\""), (true, false, false, false));
    assert_eq!(reads("input[\"user\"].x"), (true, false, false, false));
    assert_eq!(reads("some x in input.resource.tags"), (false, true, false, false));
    assert_eq!(reads("input.env.assurance == 2"), (false, false, true, false));
    assert_eq!(reads("input.env[\"address\"] == 2"), (false, false, true, false));
    assert_eq!(reads("input.action == \"a.b\""), (false, false, false, true));
    assert_eq!(reads("count([1 | input.action == \"a.b\"]) == 1"), (false, false, false, true));
    assert_eq!(reads("input.env"), (false, false, true, false));
    assert_eq!(reads("input"), all);
    assert_eq!(reads("input[x] == 1"), all);
    assert_eq!(reads("{ some k, v in input; k == v }"), all);
    assert_eq!(reads("object.get(input, \"user\", 1) == 1"), all);
    assert_eq!(reads("input.other == 1"), all);
}

/// C6: tests are rules whose names begin with `test_`, as OPA has it; each has to be true.
#[test]
fn tests_run_beside_the_module() {
    let module = "package a.b\nallow if input.user.level >= 3\n";
    let tests = "package a.b_test\nimport data.a.b\ntest_high if b.allow with input as {\"user\": {\"level\": 3}}\n\
                 test_low if not data.a.b.allow with input.user.level as 2\n\
                 test_wrong if b.allow with input as {\"user\": {\"level\": 1}}\n\
                 test_number := 1\nhelper if true\ntodo_test_x if false\n";
    let mut errors = FieldErrors::default();
    let results = run_tests(module, tests, &mut errors).unwrap_or_else(|| panic!("{errors:?}"));
    let named = results.iter().map(|(name, passed)| (name.as_str(), *passed)).collect::<Vec<_>>();
    assert_eq!(named, [("test_high", true), ("test_low", true), ("test_number", false), ("test_wrong", false)]);
    let same = "package a.b\ntest_same if allow with input as {\"user\": {\"level\": 9}}\n";
    assert_eq!(run_tests(module, same, &mut errors), Some(vec![("test_same".to_owned(), true)]));
    assert_eq!(run_tests(module, "", &mut errors), Some(Vec::new()));
    let slow = "package a.b\nl := [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\ntest_slow if {\n  every a in l { every b in l { every c in l { \
                every d in l { every e in l { every f in l { a + b + c + d + e + f > 0 } } } } } }\n}\n";
    assert_eq!(run_tests(module, slow, &mut errors), Some(vec![("test_slow".to_owned(), false)]));
    let mocked = "package a.b\ntest_a if allow with data.a.b.allow as true\n";
    assert_eq!(run_tests(module, mocked, &mut errors), None);
    assert_eq!(errors.0[0].1, FieldCode::Unknown);
}

/// C6: the examples that OPA publishes, with their data in the module, against tables worked out by hand.
#[test]
fn the_examples_of_opa_say_what_they_say() {
    let rbac = r#"
        user_roles := {"alice": ["engineering", "webdev"], "bob": ["hr"]}
        role_permissions := {
            "engineering": [{"action": "read", "object": "server123"}],
            "webdev": [{"action": "read", "object": "server123"}, {"action": "write", "object": "server123"}],
            "hr": [{"action": "read", "object": "database456"}],
        }
        default allow := false
        allow if {
            roles := user_roles[input.user.name]
            r := roles[_]
            permissions := role_permissions[r]
            p := permissions[_]
            p == {"action": input.resource.action, "object": input.resource.object}
        }"#;
    for (name, action, object, expected) in [
        ("alice", "read", "server123", true),
        ("alice", "write", "server123", true),
        ("alice", "write", "database456", false),
        ("bob", "read", "database456", true),
        ("bob", "write", "server123", false),
        ("bob", "read", "server123", false),
        ("carol", "read", "server123", false),
    ] {
        let input = json!({"user": {"name": name}, "resource": {"action": action, "object": object}});
        assert_eq!(asked(rbac, input), Ok((false, expected)), "{name} {action} {object}");
    }
    let abac = r#"
        user_attributes := {
            "alice": {"tenure": 20, "title": "trader"},
            "bob": {"tenure": 5, "title": "analyst"},
        }
        ticker_attributes := {
            "MSFT": {"exchange": "NASDAQ", "price": 59.20},
            "AMZN": {"exchange": "NASDAQ", "price": 813.64},
        }
        default allow := false
        allow if {
            user_attributes[input.user.name].title == "trader"
            ticker_attributes[input.resource.ticker].exchange == "NASDAQ"
            input.resource.amount <= 1000000
        }
        allow if {
            user_attributes[input.user.name].title == "trader"
            user_attributes[input.user.name].tenure > 10
            ticker_attributes[input.resource.ticker].exchange == "NASDAQ"
            input.resource.amount > 1000000
        }"#;
    for (name, ticker, amount, expected) in [
        ("alice", "MSFT", 1_000_000, true),
        ("alice", "AMZN", 1_000_001, true),
        ("alice", "GOOG", 10, false),
        ("bob", "MSFT", 10, false),
        ("bob", "AMZN", 2_000_000, false),
        ("carol", "MSFT", 10, false),
    ] {
        let input = json!({"user": {"name": name}, "resource": {"ticker": ticker, "amount": amount}});
        assert_eq!(asked(abac, input), Ok((false, expected)), "{name} {ticker} {amount}");
    }
    let api = r#"
        subordinates := {"alice": [], "charlie": [], "bob": ["alice"], "betty": ["charlie"]}
        hr := ["david"]
        default allow := false
        allow if {
            some username
            input.resource.method == "GET"
            input.resource.path = ["finance", "salary", username]
            subordinates[input.user.name][_] == username
        }
        allow if {
            some username
            input.resource.method == "GET"
            input.resource.path = ["finance", "salary", username]
            input.user.name == username
        }
        allow if {
            input.resource.method == "GET"
            input.resource.path = ["finance", "salary", _]
            input.user.name == hr[_]
        }"#;
    for (name, method, path, expected) in [
        ("alice", "GET", json!(["finance", "salary", "alice"]), true),
        ("bob", "GET", json!(["finance", "salary", "alice"]), true),
        ("bob", "GET", json!(["finance", "salary", "charlie"]), false),
        ("betty", "GET", json!(["finance", "salary", "charlie"]), true),
        ("betty", "GET", json!(["finance", "salary", "bob"]), false),
        ("david", "GET", json!(["finance", "salary", "charlie"]), true),
        ("david", "POST", json!(["finance", "salary", "charlie"]), false),
        ("alice", "GET", json!(["finance", "salary"]), false),
        ("alice", "GET", json!(["finance", "bonus", "alice"]), false),
        ("alice", "GET", json!("finance"), false),
    ] {
        let input = json!({"user": {"name": name}, "resource": {"method": method, "path": path}});
        assert_eq!(asked(api, input), Ok((false, expected)), "{name} {method} {path}");
    }
}
