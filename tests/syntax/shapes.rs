//! Precedence, every operator, literals, declarations, comments.

use crate::show::show;
use strata::diagnostic::{Diagnostic, FileId};
use strata::syntax::ast::{
    Declaration, DeclarationKind, Domain, File, MemberCondition, PatternKind, TypeKind,
};
use strata::syntax::parse;

fn parsed(text: &str) -> (File, Vec<Diagnostic>) {
    parse(FileId(0), text)
}

/// A file that must have nothing wrong with it.
fn good(text: &str) -> File {
    let (file, diagnostics) = parsed(text);
    assert!(diagnostics.is_empty(), "{text}\n{diagnostics:#?}");
    file
}

fn only(text: &str) -> Declaration {
    let mut declarations = good(text).declarations;
    assert_eq!(declarations.len(), 1, "{text}");
    declarations.remove(0)
}

/// The shape of an expression.
#[track_caller]
fn shape(expression: &str, expected: &str) {
    let DeclarationKind::Trait(found) = only(&format!("trait t = {expression}")).kind else {
        panic!("no trait")
    };
    assert_eq!(show(&found.value), expected, "{expression}");
}

#[test]
fn precedence_is_as_stated() {
    shape("a or b and c", "(or a (and b c))");
    shape("a and b and c or d", "(or (and a b c) d)");
    shape("not a = 1 and b", "(and (not (a Eq 1)) b)");
    shape("a implies b implies c", "(implies a (implies b c))");
    shape("a or b implies c", "(implies (or a b) c)");
    shape("1 + 2 * 3 - 4", "(Subtract (Add 1 (Multiply 2 3)) 4)");
    shape("a - b - c", "(Subtract (Subtract a b) c)");
    shape("-a * b", "(Multiply (neg a) b)");
    shape("-a or_else 0", "(neg (or_else a 0))");
    shape("a or_else -1 + 2", "(Add (or_else a (neg 1)) 2)");
    shape("x mod 2 = 0", "((Modulo x 2) Eq 0)");
    shape("a + 1 between 2 and 3 and b", "(and (between (Add a 1) 2 3) b)");
    shape("days since a <= 30", "((Days-Since a) LtOrLe 30)".replace("LtOrLe", "Le").as_str());
    shape("days since a or_else 0", "(or_else (Days-Since a) 0)");
    shape("(a or b) and c", "(and <(or a b)> c)");
    shape("not not a", "(not (not a))");
    shape("- - 1", "(neg (neg 1))");
}

#[test]
fn comparisons_chain_one_way() {
    shape("18 <= age < 25", "(18 Le age Lt 25)");
    shape("90 > score >= 60", "(90 Gt score Ge 60)");
    shape("a == b", "(a Eq b)");
    shape("a != b", "(a Ne b)");
    shape("x≥5", "(x Ge 5)");
    shape("x＝５", "(x Eq 5)");
}

#[test]
fn tests_with_and_without_not() {
    shape("x not between 1 and 2", "(not-between x 1 2)");
    shape("x not in (a, \"b\", 3)", "(not-in x a \"b\" 3)");
    shape("x in last 30 days", "(in x Last 30 Days)");
    shape("x not in next (n + 1) weeks", "(not-in x Next <(Add n 1)> Weeks)");
    shape("s contains \"a\"", "(Contains s \"a\")");
    shape("s starts with (\"a\", \"b\")", "(StartsWith s \"a\" \"b\")");
    shape("s not ends with \"c\"", "(not-EndsWith s \"c\")");
    shape("s matches \"^\\\\d+\"", "(matches s \"^\\\\d+\")");
    shape("tags has \"vip\"", "(has-One tags \"vip\")");
    shape("tags not has any (\"a\", \"b\")", "(not-has-Any tags \"a\" \"b\")");
    shape("tags has all (\"a\")", "(has-All tags \"a\")");
    shape("x is missing and y is not missing", "(and (missing x) (known y))");
    shape("x is known or y is not known", "(or (known x) (missing y))");
    shape("x before y", "(before x y)");
    shape("x after 2024-11-15", "(after x 2024-11-15)");
    shape("time(x) between 22:00 and 02:00", "(between time(x) 22:00:00 02:00:00)");
}

#[test]
fn other_forms() {
    shape("at least 2 of (a, b, c)", "(AtLeast 2 a b c)");
    shape("at most 1 of (a, b) and exactly 1 of (c, d)", "(and (AtMost 1 a b) (Exactly 1 c d))");
    shape("points { when a then 30  when b then -20 }", "(points [a 30] [b (neg 20)])");
    shape("case { when a then x  when b then y  otherwise z }", "(case [a x] [b y] else z)");
    shape("round(x, 2) + min(a, b)", "(Add round(x 2) min(a b))");
    shape("baby[week].length_cm", "baby[week].length_cm");
    shape("users.age >= 18", "(users.age Ge 18)");
    shape("days from a to b", "(Days-from-to a b)");
    shape("weeks until due_date", "(Weeks-Until due_date)");
    shape("a + 30 days - (cycle) days", "(Subtract (Add a (Days 30)) (Days <cycle>))");
    shape("anniversary of b in next 7 days", "(anniversary-in b Next 7 Days)");
    shape("days > 3 and count = 2 and type = last", "(and (days Gt 3) (count Eq 2) (type Eq last))");
}

#[test]
fn behaviour_and_population() {
    shape(
        "count(orders where status = paid, last 90 days)",
        "(count orders where (status Eq paid) last 90 Days)",
    );
    shape("sum(amount of orders)", "(sum amount of orders)");
    shape("min(a, b)", "min(a b)");
    shape("min(amount of orders)", "(min amount of orders)");
    shape("distinct(date(at) of orders)", "(distinct date(at) of orders)");
    shape(
        "avg(amount of orders where a and b, 60 days ago to 30 days ago)",
        "(avg amount of orders where (and a b) ago 60 Days to 30 Days)",
    );
    shape("count(orders, last 30 days before due_date)", "(count orders last 30 Days before due_date)");
    shape("count(orders, last (n + 1) days before x)", "(count orders last (Add n 1) Days before x)");
    shape("count(orders, since 2024-01-01)", "(count orders since 2024-01-01)");
    shape("count(orders, since (x + 1 day))", "(count orders since <(Add x (Days 1))>)");
    shape(
        "sequence(orders where a then orders where b without returns where true then no buys, within 7 days)",
        "(sequence Then orders where a, Then orders where b, Without returns where true, ThenNo buys within 7 Days)",
    );
    shape("score(x into 5, lowest is best)", "(score x into 5 lowest)");
    shape("score(x where c into (10, 50, 200))", "(score x where c into [10 50 200])");
    shape("population quantile(x, 0.8)", "(population quantile x 8e-1)");
    shape("lifecycle as of 30 days ago = newcomer", "((lifecycle as-of 30 Days) Eq newcomer)");
    shape("value.r as of 2 weeks ago >= 4", "((value.r as-of 2 Weeks) Ge 4)");
}

#[test]
fn literals_are_exact() {
    shape("1_000", "1000");
    shape("2.50", "250e-2");
    shape("5万", "50000");
    shape("1.2亿", "120000000");
    shape("1.23456万", "123456e-1");
    shape("10k", "10000");
    shape("10%", "10e-2");
    shape("0.1%", "1e-3");
    shape("99999999999999999999999999999999999999", "99999999999999999999999999999999999999");
    shape("2024-11-15", "2024-11-15");
    shape("2024-11-15T08:00", "2024-11-15T08:00:00");
    shape("2024-11-15T08:00:30+08:00", "2024-11-15T08:00:30/28800");
    shape("2024-11-15T08:00-03:30", "2024-11-15T08:00:00/-12600");
    shape("2024-11-15T08:00Z", "2024-11-15T08:00:00/0");
    shape("22:30", "22:30:00");
    shape("08:00:15", "08:00:15");
    shape("2024 - 1 - 5", "(Subtract (Subtract 2024 1) 5)");
    shape("\"a\\\"b\\\\ \\n\\u{4e00}\"", "\"a\\\"b\\\\ \\n一\"");
    shape("“引号 \" 里”", "\"引号 \\\" 里\"");
    shape("\"#no comment\"", "\"#no comment\"");
}

#[test]
fn names_of_any_script() {
    shape("专业度 >= `order count`", "(专业度 Ge `order count`)");
    shape("_x1 + été", "(Add _x1 été)");
    // The same word, composed and decomposed.
    shape("e\u{301}te\u{301}", "été");
    shape("клиент", "клиент");
    shape("ρυθμός_a", "ρυθμός_a");
}

#[test]
fn full_width_text_reads_like_ascii() {
    let text = "segment　高意愿 “标签” when （age ≥ １８） and channel in（a，b） and x ＜ ５０万";
    let DeclarationKind::Segment(found) = only(text).kind else { panic!("no segment") };
    assert_eq!(found.heading.label.unwrap().value, "标签");
    assert_eq!(show(&found.condition), "(and <(age Ge 18)> (in channel a b) (x Lt 500000))");
    let start = text.find("１８").unwrap();
    assert!(text.get(start..).is_some());
    good("\u{feff}strata 1\r\n# 注释\r\nsegment a when b\r\n");
}

#[test]
fn spans_point_into_the_original() {
    let text = "segment 甲 when（年龄＞＝１８）# 注释";
    let declaration = only(text);
    let slice = |span: strata::diagnostic::Span| &text[span.start as usize..span.end as usize];
    assert_eq!(slice(declaration.span), "segment 甲 when（年龄＞＝１８）");
    let DeclarationKind::Segment(found) = declaration.kind else { panic!("no segment") };
    assert_eq!(slice(found.name.span), "甲");
    assert_eq!(slice(found.condition.span), "（年龄＞＝１８）");
}

#[test]
fn columns_types_and_domains() {
    let text = "table users key id from \"u.csv\" {
  ## The key.
  id : int; age : int? between 0 and 120, d : date? past format \"%Y\" from \"日期\"
  m : decimal(18, 2) >= 0
  r : low < mid < high
  c : \"3C\" | 服饰 | `a b`?
  t : list of string?
  type : level
}";
    let DeclarationKind::Table(table) = only(text).kind else { panic!("no table") };
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.text.as_str()).collect();
    assert_eq!(names, ["id", "age", "d", "m", "r", "c", "t", "type"]);
    assert_eq!(table.columns[0].docs.as_deref(), Some("The key."));
    assert!(matches!(table.columns[1].domain, Some(Domain::Between(..))) && table.columns[1].ty.optional);
    assert!(matches!(table.columns[2].domain, Some(Domain::Past(_))));
    assert_eq!(table.columns[2].source.as_ref().unwrap().value, "日期");
    assert_eq!(table.columns[2].format.as_ref().unwrap().value, "%Y");
    assert!(matches!(table.columns[3].ty.kind, TypeKind::Decimal { precision: 18, scale: 2 }));
    assert!(
        matches!(&table.columns[4].ty.kind, TypeKind::Labels { labels, ordered: true } if labels.len() == 3)
    );
    assert!(
        matches!(&table.columns[5].ty.kind, TypeKind::Labels { labels, ordered: false } if labels[0].text == "3C")
    );
    assert!(table.columns[5].ty.optional);
    assert!(matches!(&table.columns[6].ty.kind, TypeKind::List(_)) && table.columns[6].ty.optional);
}

#[test]
fn layers_and_grids() {
    let text = "layer l \"标签\" with { owner \"crm\"; expires 2025-06-30 } first match partial {
  ## First.
  new \"新\" when a = 1;
  days when b
  `old ones` otherwise
}";
    let DeclarationKind::Layer(layer) = only(text).kind else { panic!("no layer") };
    assert!(layer.mode.first_match.is_some() && layer.mode.partial.is_some());
    assert_eq!(layer.heading.properties.len(), 2);
    assert_eq!(layer.members[0].docs.as_deref(), Some("First."));
    assert_eq!(layer.members[0].heading.label.as_ref().unwrap().value, "新");
    assert_eq!(layer.members[1].name.text, "days");
    assert!(matches!(layer.members[2].condition, MemberCondition::Otherwise(_)));

    let text = "grid g by a, days since x first match {
  low | mid, 18 to 24 -> x \"小\"
  _, >= -3 -> y
  missing, true -> x
  \"3C\", -5 to -1 -> x
  otherwise -> z with { owner \"q\" }
}";
    let DeclarationKind::Grid(grid) = only(text).kind else { panic!("no grid") };
    assert_eq!((grid.dimensions.len(), grid.lines.len()), (2, 5));
    assert!(grid.mode.first_match.is_some());
    assert!(matches!(&grid.lines[0].patterns[0].kind, PatternKind::AnyOf(all) if all.len() == 2));
    assert!(matches!(grid.lines[0].patterns[1].kind, PatternKind::Range(..)));
    assert!(matches!(grid.lines[1].patterns[0].kind, PatternKind::Anything));
    assert!(matches!(grid.lines[2].patterns[0].kind, PatternKind::Missing));
    assert!(grid.lines[4].otherwise.is_some());
}

#[test]
fn contextual_words_may_be_names() {
    good(
        "layer test {\n  segment when a\n  type \"t\" when b\n  first when c\n  with when d\n  since otherwise\n}\n",
    );
    good(
        "table t key count {\n  count : int\n  type : string\n  segment : date\n  from : int from \"f\"\n  key : int\n}\n",
    );
    good("trait at = first + last + points + case + exactly + population + now\n");
    good("scale s : level {\n  \"is\" when a\n  starts when b\n  last otherwise\n}\n");
}

#[test]
fn comments_docs_and_allows() {
    let text = "## One.\n## Two.\n# plain\nsegment a when b # why\n# strata: allow W1101 they may be unknown\n\nsegment c when d\n";
    let file = good(text);
    assert_eq!(file.declarations[0].docs.as_deref(), Some("One.\nTwo."));
    assert_eq!(file.comments.len(), 5);
    assert!(!file.comments[3].own_line && file.comments[0].own_line);
    let allow = &file.allows[0];
    assert_eq!((allow.code.as_str(), allow.reason.as_str()), ("W1101", "they may be unknown"));
    assert_eq!(&text[allow.covers.start as usize..allow.covers.end as usize], "segment c when d");
}

#[test]
fn a_broken_piece_leaves_its_name_and_its_siblings() {
    let (file, diagnostics) = parsed(
        "layer l {\n  a when ((x\n  b when y\n  c when >\n  d otherwise\n}\nsegmnet s when q\ntable t key i {\n  i : int\n  k : (\n  m : int\n}\n",
    );
    assert_eq!(diagnostics.len(), 4, "{diagnostics:#?}");
    let DeclarationKind::Layer(layer) = &file.declarations[0].kind else { panic!("no layer") };
    let names: Vec<&str> = layer.members.iter().map(|member| member.name.text.as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "d"]);
    assert!(
        matches!(&file.declarations[1].kind, DeclarationKind::Segment(segment) if segment.name.text == "s")
    );
    let DeclarationKind::Table(table) = &file.declarations[2].kind else { panic!("no table") };
    assert_eq!(table.columns.len(), 3);
    assert_eq!(table.columns[1].ty.kind, TypeKind::Error);
}
