//! The grammar's rules in the reader's words, and the nearest word to a misspelt one.

use super::grammar::Rule;
use super::recover::Failure;

/// The nearest of some words, if it is near enough to be a slip of the finger.
pub(super) fn nearest_word(word: &str, words: &[&'static str]) -> Option<&'static str> {
    let lower = word.to_lowercase();
    let length = word.chars().count();
    let allowed = match length {
        0..=2 => return None,
        3..=4 => 1,
        _ => 2,
    };
    words
        .iter()
        .map(|candidate| (strsim::osa_distance(&lower, candidate), *candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Whether a word is near one that is expected.
pub(super) fn wants_near(failure: &Failure, shown: &str) -> bool {
    let words: Vec<&'static str> =
        failure.expected.iter().flat_map(|rule| keywords(*rule)).copied().collect();
    nearest_word(shown, &words).is_some()
}

/// At most three things that would have fitted, in words.
pub(super) fn expected_words(expected: &[Rule]) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut say = |text: &str| {
        if !words.iter().any(|word| word == text) {
            words.push(text.to_owned());
        }
    };
    let any = |rules: &[Rule]| expected.iter().any(|rule| rules.contains(rule));
    if any(&[Rule::kw_and, Rule::op_add, Rule::op_le, Rule::infix, Rule::is_test]) {
        return "an operator such as `and`, or the end of the rule".to_owned();
    }
    if any(&[Rule::kw_otherwise]) && any(&[Rule::colon]) {
        return "`when` and a condition, or `otherwise`".to_owned();
    }
    for rule in expected {
        match rule {
            Rule::lbrace => say("`{`"),
            Rule::assign => say("`=`"),
            Rule::colon => say("`:`"),
            Rule::arrow => say("`->`"),
            Rule::string => say("a string in double quotes"),
            Rule::name | Rule::declared | Rule::bare_name | Rule::named | Rule::grid_named | Rule::word => {
                say("a name")
            }
            Rule::ty | Rule::labels => say("a type such as `int` or `a | b`"),
            Rule::label_name => say("a label"),
            Rule::items => say("`(`"),
            Rule::when => say("`when` and a condition"),
            Rule::number => say("a number"),
            Rule::span | Rule::in_window => say("a length of time such as `30 days`"),
            Rule::unit | Rule::moved_unit => say("a unit such as `days`"),
            Rule::timestamp | Rule::date => say("a date such as `2024-11-15`"),
            Rule::rfm_item => {
                say("a line that begins with `recency`, `monetary`, `where`, `window` or `bins`")
            }
            Rule::pattern | Rule::pattern_list | Rule::alternative => say("a pattern"),
            Rule::path_pattern | Rule::path_step => say("a member"),
            Rule::template => say("a text in double quotes"),
            Rule::hole_format => say("a format such as `:.2` or `:%m-%d`"),
            Rule::given_row => say("`{` and a row such as `age: 30`"),
            Rule::test_item => {
                say("`now`");
                say("`given`");
                say("`expect`");
            }
            Rule::expr
            | Rule::operand
            | Rule::number_or_span
            | Rule::parenthesised
            | Rule::path
            | Rule::operand_value => say("a value"),
            _ => keywords(*rule).iter().take(1).for_each(|word| say(&format!("`{word}`"))),
        }
    }
    words.truncate(3);
    match words.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

/// The words that a rule may begin with.
pub(super) fn keywords(rule: Rule) -> &'static [&'static str] {
    match rule {
        Rule::kw_and => &["and"],
        Rule::kw_or => &["or"],
        Rule::kw_implies => &["implies"],
        Rule::kw_mod => &["mod"],
        Rule::kw_or_else => &["or_else"],
        Rule::kw_when | Rule::when => &["when"],
        Rule::kw_then => &["then"],
        Rule::kw_otherwise => &["otherwise"],
        Rule::kw_missing => &["missing"],
        Rule::kw_known => &["known"],
        Rule::kw_of => &["of"],
        Rule::kw_last => &["last"],
        Rule::kw_next => &["next"],
        Rule::in_window => &["last", "next"],
        Rule::kw_since => &["since"],
        Rule::kw_until => &["until"],
        Rule::kw_from | Rule::source => &["from"],
        Rule::kw_to => &["to"],
        Rule::kw_with | Rule::properties => &["with"],
        Rule::kw_key => &["key"],
        Rule::kw_on => &["on"],
        Rule::kw_for => &["for"],
        Rule::kw_seed => &["seed"],
        Rule::kw_now | Rule::test_now => &["now"],
        Rule::kw_given | Rule::given => &["given"],
        Rule::kw_expect | Rule::expect => &["expect"],
        Rule::test_item => &["now", "given", "expect"],
        Rule::kw_by => &["by"],
        Rule::kw_at => &["at"],
        Rule::rfm_item => &["recency", "monetary", "where", "window", "bins"],
        Rule::kw_first => &["first"],
        Rule::kw_match => &["match"],
        Rule::kw_partial => &["partial"],
        Rule::mode => &["first", "partial"],
        Rule::kw_past => &["past"],
        Rule::domain => &["between", "past"],
        Rule::kw_format | Rule::format => &["format"],
        Rule::kw_least => &["least"],
        Rule::kw_most => &["most"],
        Rule::kw_is | Rule::is_test => &["is"],
        Rule::kw_in | Rule::in_test => &["in"],
        Rule::kw_between | Rule::between_test => &["between"],
        Rule::kw_contains => &["contains"],
        Rule::text_test => &["contains", "starts", "ends"],
        Rule::kw_matches | Rule::matches_test => &["matches"],
        Rule::kw_has | Rule::has_test => &["has"],
        Rule::order_test => &["before", "after"],
        Rule::unit => &["days", "weeks", "months", "years", "hours", "minutes"],
        Rule::arm => &["when"],
        _ => &[],
    }
}
