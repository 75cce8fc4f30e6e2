//! Numbers, dates and times while the text is prepared: what cannot be read is reported with what
//! to write instead.

use super::ast::Number;
use super::letters::{ascii_digit, continues_word};
use super::prepare::{Scanner, UNREADABLE};
use crate::diagnostic::codes::syntax as codes;
use crate::diagnostic::{Code, Diagnostic};
use jiff::civil::{Date, Time};
use regex::Regex;
use std::sync::LazyLock;

/// A pattern of this file; a faulty one would match nothing, which the tests would show.
fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

static DATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"^(?:(\d{4})-(\d{1,2})-(\d{1,2})|(\d{4})/(\d{1,2})/(\d{1,2})|(\d{4})\.(\d{1,2})\.(\d{1,2})|(\d{4})年(\d{1,2})月(\d{1,2})[日号]?)",
    )
});
/// Dates with the year last, and a year with its month alone.
static OTHER_DATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(r"^(?:\d{1,2}[/.]\d{1,2}[/.](?:19|20)\d\d\b|(?:19|20)\d\d-(?:0[1-9]|1[0-2])(?:$|[\s),;]))")
});
static CLOCK: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(r"^([Tt ]?)(\d{1,2}:\d{1,2}(?::\d{1,2}(?:\.\d+)?)?)(Z|z|[+-]\d{1,2}(?::?\d{2})?)?")
});
static TIME: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"^\d{1,2}:\d{1,2}(?::\d{1,2}(?:\.\d+)?)?(?i:am|pm)?"));
static NUMBER: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"^\d+(?:_\d+)*(?:\.\d+(?:_\d+)*)?(?:万|亿|k)?%?$"));
static EXPONENT: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"^(\d[\d_]*)(?:\.(\d+))?[eE]([+-]?)(\d{1,3})$"));
static WITH_UNIT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"^(\d[\d_]*(?:\.\d+)?)(minutes?|mins?|hours?|days?|weeks?|months?|years?|[dhwy]|天|日|周|个月|月|年|小时|分钟)$",
    )
});
static WITH_WORD: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"^(\d[\d_]*(?:\.\d+)?)(\D.*)$"));

/// Whether a number, date or time begins here, or something that is meant to be one.
pub(super) fn begins_number(text: &str, at: usize) -> bool {
    let mut after = text.get(at..).unwrap_or("").chars();
    match after.next().map(ascii_digit) {
        Some(c) if c.is_ascii_digit() => true,
        Some('.') => {
            let before = text.get(..at).unwrap_or("").chars().next_back();
            let hangs_on =
                before.is_some_and(|c| continues_word(c) || matches!(c, ']' | ')' | '`' | '.' | '］' | '）'));
            !hangs_on && after.next().map(ascii_digit).is_some_and(|c| c.is_ascii_digit())
        }
        _ => false,
    }
}

/// The ASCII twin of a character of a literal.
fn ascii(c: char) -> char {
    match c {
        '：' => ':',
        '％' => "%".chars().next().unwrap_or(c),
        '－' => '-',
        '＋' => '+',
        '／' => '/',
        _ => ascii_digit(c),
    }
}

/// Reads a number, date, timestamp or time of day.
pub(super) fn number(scanner: &mut Scanner) {
    // Literals are short; what is longer than this is no date.
    let line = scanner.rest_of_line();
    let head: String = line.chars().take(64).map(ascii).collect();
    if date_or_timestamp(scanner, line, &head) || time(scanner, line, &head) {
        return;
    }
    plain_number(scanner, line);
}

/// The length in bytes of the first `count` characters.
fn bytes(line: &str, count: usize) -> usize {
    line.chars().take(count).map(char::len_utf8).sum()
}

/// Reports a bad literal, with its mend where there is one, and writes the mend or the mark.
fn bad(
    scanner: &mut Scanner,
    length: usize,
    code: Code,
    message: String,
    help: String,
    mend: Option<String>,
) {
    let span = scanner.span(scanner.at, scanner.at + length);
    let finding = Diagnostic::new(code, span, message).help(help);
    match mend {
        Some(mend) => {
            scanner.diagnostics.push(finding.fix(span, mend.clone()));
            scanner.put(&mend, length);
        }
        None => {
            scanner.diagnostics.push(finding);
            scanner.put(UNREADABLE, length);
        }
    }
}

fn date_or_timestamp(scanner: &mut Scanner, line: &str, head: &str) -> bool {
    if let Some(found) = OTHER_DATE.as_ref().and_then(|date| date.find(head)) {
        let length = bytes(line, found.as_str().chars().count());
        let shown = line.get(..length).unwrap_or("").to_owned();
        let help =
            "write year, month and day, like `2024-11-15`; a calculation needs blanks around its signs"
                .to_owned();
        bad(scanner, length, codes::BAD_DATE, format!("`{shown}` is not how a date is written"), help, None);
        return true;
    }
    let Some(found) = DATE.as_ref().and_then(|date| date.captures(head)) else { return false };
    let parts: Vec<&str> = found.iter().skip(1).flatten().map(|part| part.as_str()).collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let written = found.get(0).map_or("", |all| all.as_str());
    let well_formed = written.len() == 10 && written.as_bytes().get(4) == Some(&b'-');
    let rest = head.get(written.len()..).unwrap_or("");
    if written.contains('.') && rest.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let clock = CLOCK.as_ref().and_then(|clock| clock.captures(rest));
    let tail = clock.as_ref().and_then(|clock| clock.get(0)).map_or("", |all| all.as_str());
    let all: String = format!("{written}{tail}");
    let length = bytes(line, all.chars().count());
    let after = line.get(length..).unwrap_or("");
    let runs_on: String = after.chars().take_while(|c| continues_word(*c)).collect();

    let number = |text: &str| text.parse::<i16>().unwrap_or(-1);
    let (year, month, day) = (number(year), number(month), number(day));
    let narrow = |n: i16| i8::try_from(n).unwrap_or(-1);
    if Date::new(year, narrow(month), narrow(day)).is_err() {
        let why = if !(1..=12).contains(&month) {
            format!("there is no month {month}")
        } else {
            format!("month {month} of {year} has no day {day}")
        };
        let shown = line.get(..length).unwrap_or("").to_owned();
        bad(scanner, length, codes::BAD_DATE, format!("`{shown}` is no day of the calendar"), why, None);
        return true;
    }
    let mend = format!("{year:04}-{month:02}-{day:02}");
    if !runs_on.is_empty() {
        let whole = length + runs_on.len();
        let shown = line.get(..whole).unwrap_or("").to_owned();
        let help = format!("write a date like `{mend}` or a moment like `{mend}T08:00`");
        bad(scanner, whole, codes::BAD_DATE, format!("`{shown}` is not a date"), help, None);
        return true;
    }
    let Some(clock) = clock else {
        if well_formed {
            scanner.put(&mend, length);
        } else {
            let shown = line.get(..length).unwrap_or("").to_owned();
            let help = format!("write `{mend}`: four digits, two digits, two digits");
            bad(
                scanner,
                length,
                codes::BAD_DATE,
                format!("`{shown}` is not how a date is written"),
                help,
                Some(mend),
            );
        }
        return true;
    };
    let group = |at: usize| clock.get(at).map_or("", |part| part.as_str());
    let (between, time, offset) = (group(1), group(2), group(3));
    let shown = line.get(..length).unwrap_or("").to_owned();
    let Some(clean) = clean_time(time) else {
        let help = "hours go from 00 to 23, minutes and seconds from 00 to 59".to_owned();
        bad(scanner, length, codes::BAD_DATE, format!("`{shown}` is no moment of a day"), help, None);
        return true;
    };
    let Some(clean_offset) = clean_offset(offset) else {
        let help = "an offset is written like `+08:00`, or `Z` for UTC, and lies within a day".to_owned();
        bad(scanner, length, codes::BAD_DATE, format!("`{offset}` is no offset from UTC"), help, None);
        return true;
    };
    let right = format!("{mend}T{clean}{clean_offset}");
    if well_formed && between == "T" && time == clean && offset == clean_offset {
        scanner.put(&right, length);
    } else {
        let help = format!("write `{right}`");
        bad(
            scanner,
            length,
            codes::BAD_DATE,
            format!("`{shown}` is not how a moment is written"),
            help,
            Some(right),
        );
    }
    true
}

/// A time of day with two digits everywhere; nothing where there is no such time.
fn clean_time(time: &str) -> Option<String> {
    let (clock, fraction) = time.split_once('.').map_or((time, ""), |(clock, fraction)| (clock, fraction));
    let parts: Vec<i8> = clock.split(':').map(|part| part.parse().unwrap_or(-1)).collect();
    let (hour, minute, second) = match parts.as_slice() {
        [hour, minute] => (*hour, *minute, None),
        [hour, minute, second] => (*hour, *minute, Some(*second)),
        _ => return None,
    };
    Time::new(hour, minute, second.unwrap_or(0), 0).ok()?;
    let mut clean = format!("{hour:02}:{minute:02}");
    if let Some(second) = second {
        clean.push_str(&format!(":{second:02}"));
    }
    if !fraction.is_empty() {
        clean.push('.');
        clean.push_str(fraction.get(..6).unwrap_or(fraction));
    }
    Some(clean)
}

/// `+08:00`, `Z` or nothing.
fn clean_offset(offset: &str) -> Option<String> {
    if offset.is_empty() {
        return Some(String::new());
    }
    if offset.eq_ignore_ascii_case("z") {
        return Some("Z".to_owned());
    }
    let sign = offset.get(..1)?;
    let digits: String = offset.chars().filter(char::is_ascii_digit).collect();
    let (hours, minutes) = match digits.len() {
        1 | 2 => (digits.as_str(), "0"),
        3 => (digits.get(..1)?, digits.get(1..)?),
        _ => (digits.get(..2)?, digits.get(2..)?),
    };
    let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 23 && minutes <= 59).then(|| format!("{sign}{hours:02}:{minutes:02}"))
}

fn time(scanner: &mut Scanner, line: &str, head: &str) -> bool {
    let Some(found) = TIME.as_ref().and_then(|time| time.find(head)) else { return false };
    let written = found.as_str();
    let length = bytes(line, written.chars().count());
    let lower = written.to_ascii_lowercase();
    let (clock, half) = match lower.strip_suffix("am") {
        Some(clock) => (clock, Some(0)),
        None => lower.strip_suffix("pm").map_or((lower.as_str(), None), |clock| (clock, Some(12))),
    };
    let shown = line.get(..length).unwrap_or("").to_owned();
    let Some(clean) = clean_time(clock) else {
        let help = "hours go from 00 to 23, minutes and seconds from 00 to 59".to_owned();
        bad(scanner, length, codes::BAD_DATE, format!("`{shown}` is no time of day"), help, None);
        return true;
    };
    let clean = match half {
        Some(add) => {
            let (hour, minutes) = clean.split_once(':').unwrap_or((&clean, "00"));
            let hour: u32 = hour.parse().unwrap_or(0) % 12 + add;
            format!("{hour:02}:{minutes}")
        }
        None => clean,
    };
    if clean == written {
        scanner.put(&clean, length);
    } else {
        let help =
            format!("write `{clean}`: two digits for the hour, from 00 to 23, and two for the minutes");
        bad(
            scanner,
            length,
            codes::BAD_DATE,
            format!("`{shown}` is not how a time of day is written"),
            help,
            Some(clean),
        );
    }
    true
}

/// The characters that touch: digits, letters, points before digits, exponent signs, `%`.
fn number_run(line: &str) -> usize {
    let mut length = 0;
    let mut previous = ' ';
    let mut plain = true;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let a = ascii(c);
        let next_digit = chars.peek().map(|c| ascii_digit(*c)).is_some_and(|c| c.is_ascii_digit());
        let belongs = continues_word(a)
            || a == '.' && next_digit && plain
            || matches!(a, '+' | '-') && plain && matches!(previous, 'e' | 'E') && next_digit;
        if !belongs {
            let ends = a == '%' || a == '.' && previous.is_ascii_digit() && chars.peek() != Some(&'.');
            if ends {
                length += c.len_utf8();
            }
            break;
        }
        if !(a.is_ascii_digit() || matches!(a, '.' | '_' | 'e' | 'E' | '+' | '-')) {
            plain = false;
        }
        previous = a;
        length += c.len_utf8();
    }
    length
}

fn plain_number(scanner: &mut Scanner, line: &str) {
    let length = number_run(line);
    let written = line.get(..length).unwrap_or("");
    let clean: String = written.chars().map(ascii).collect();
    if NUMBER.as_ref().is_some_and(|number| number.is_match(&clean)) {
        match read_number(&clean) {
            Some(_) => spaced_suffix(scanner, line, length, clean),
            None => {
                let help = "numbers are held exactly, with up to 38 digits".to_owned();
                bad(
                    scanner,
                    length,
                    codes::BAD_NUMBER,
                    "this number has too many digits".to_owned(),
                    help,
                    None,
                );
            }
        }
        return;
    }
    let shown = format!("`{written}` is not how a number is written");
    let (message, help, mend) = explain(&clean, shown);
    let help = match &mend {
        Some(mend) if help.is_empty() => format!("write `{mend}`"),
        _ => help,
    };
    bad(scanner, length, codes::BAD_NUMBER, message, help, mend);
}

/// A good number: but `5 万` and `10 %` part it from its suffix.
fn spaced_suffix(scanner: &mut Scanner, line: &str, length: usize, clean: String) {
    let rest = line.get(length..).unwrap_or("");
    let blanks = rest.len() - rest.trim_start_matches([' ', '\t', '\u{3000}', '\u{a0}']).len();
    let mut after = rest.get(blanks..).unwrap_or("").chars();
    let suffix = after.next();
    let alone = !after.next().is_some_and(continues_word);
    let beyond = after.as_str();
    let parted = match suffix.map(ascii) {
        _ if blanks == 0 => None,
        Some(c @ ('万' | '亿')) if alone && !clean.ends_with(['万', '亿', 'k', '%']) => Some(c),
        // Before an operand it is a remainder from another language, which the grammar answers.
        Some('%') if !clean.ends_with('%') && !remainder(rest.get(blanks + 1..).unwrap_or(""), beyond) => {
            Some('%')
        }
        _ => None,
    };
    let Some(suffix_sign) = parted else {
        scanner.put(&clean, length);
        return;
    };
    let whole = length + blanks + suffix.map_or(0, char::len_utf8);
    let mend = format!("{clean}{suffix_sign}");
    let help = format!("write `{mend}`: `{suffix_sign}` touches the digits");
    let message = format!("a blank parts `{clean}` from its `{suffix_sign}`");
    bad(scanner, whole, codes::BAD_NUMBER, message, help, Some(mend));
}

/// Whether what follows a `%` is an operand, so that the `%` stands for a remainder.
fn remainder(after: &str, _beyond: &str) -> bool {
    let next = after.trim_start_matches([' ', '\t']).chars().next();
    next.is_some_and(|c| c.is_ascii_digit() || c == '(')
}

/// What is wrong with a number, and what to write.
fn explain(clean: &str, shown: String) -> (String, String, Option<String>) {
    if let Some(rest) = clean.strip_prefix('.') {
        if read_number(&format!("0.{rest}")).is_some()
            && NUMBER.as_ref().is_some_and(|n| n.is_match(&format!("0.{rest}")))
        {
            return (
                shown,
                format!("write `0.{rest}`: a digit stands before the point"),
                Some(format!("0.{rest}")),
            );
        }
        return (shown, "write a number like `0.5`".to_owned(), None);
    }
    if let Some(whole) = clean.strip_suffix('.') {
        return (shown, format!("write `{whole}`, or digits after the point"), Some(whole.to_owned()));
    }
    if let Some(found) = EXPONENT.as_ref().and_then(|pattern| pattern.captures(clean)) {
        let group = |at: usize| found.get(at).map_or("", |part| part.as_str());
        let mend = spell_out(group(1), group(2), group(3) == "-", group(4).parse().unwrap_or(0));
        return match mend {
            Some(mend) => (shown, String::new(), Some(mend)),
            None => (shown, "write all its digits; a number has up to 38".to_owned(), None),
        };
    }
    if let Some(found) = WITH_UNIT.as_ref().and_then(|pattern| pattern.captures(clean)) {
        let group = |at: usize| found.get(at).map_or("", |part| part.as_str());
        let unit = match group(2) {
            "d" | "天" | "日" => "days",
            "h" | "小时" => "hours",
            "w" | "周" => "weeks",
            "y" | "年" => "years",
            "个月" | "月" => "months",
            "min" | "mins" | "分钟" => "minutes",
            unit => unit,
        };
        let mend = format!("{} {unit}", group(1));
        let message = format!("`{}` runs into `{}`", group(1), group(2));
        return (message, format!("write `{mend}`"), Some(mend));
    }
    if clean.contains('_') && clean.chars().all(|c| c.is_ascii_digit() || c == '_') {
        let mend: String = clean.chars().filter(char::is_ascii_digit).collect();
        return (shown, format!("write `{mend}`, or single `_` between digits"), Some(mend));
    }
    if clean.matches('.').count() > 1 {
        return (shown, "a number has one point, before its decimals: `1234.5`".to_owned(), None);
    }
    if let Some(found) = WITH_WORD.as_ref().and_then(|pattern| pattern.captures(clean)) {
        let group = |at: usize| found.get(at).map_or("", |part| part.as_str());
        let (digits, word) = (group(1), group(2));
        let zeros = match word {
            "K" => Some(("k", 1)),
            "w" | "W" | "萬" => Some(("万", 1)),
            "千" => Some(("k", 1)),
            "億" => Some(("亿", 1)),
            "m" | "M" | "百万" => Some(("00万", 0)),
            "千万" => Some(("000万", 0)),
            "十万" => Some(("0万", 0)),
            _ => None,
        };
        if let Some((suffix, any)) = zeros
            && (any == 1 || !digits.contains('.'))
        {
            let mend = format!("{digits}{suffix}");
            return (format!("a number does not end in `{word}`"), format!("write `{mend}`"), Some(mend));
        }
        if matches!(word, "元" | "块" | "人民币" | "万元" | "亿元" | "rmb" | "RMB") {
            let mend = format!(
                "{digits}{}",
                if word.starts_with(['万', '亿']) { word.chars().take(1).collect() } else { String::new() }
            );
            return (
                format!("a number carries no currency, so `{word}` does not belong here"),
                format!("write `{mend}`"),
                Some(mend),
            );
        }
        return (
            format!("`{digits}` runs into `{word}`"),
            "a name does not begin with a digit; a number may end in `k`, `万`, `亿` or `%`".to_owned(),
            None,
        );
    }
    (shown, "write digits, with a point before the decimals: `1234.5`".to_owned(), None)
}

/// The digits of a number with a power of ten.
fn spell_out(whole: &str, fraction: &str, negative: bool, power: usize) -> Option<String> {
    let digits: String = whole.chars().chain(fraction.chars()).filter(char::is_ascii_digit).collect();
    let point = digits.len() - fraction.len();
    let point = if negative { point.checked_sub(power) } else { Some(point + power) };
    let text = match point {
        Some(0) => format!("0.{digits}"),
        Some(point) if point >= digits.len() => format!("{digits}{}", "0".repeat(point - digits.len())),
        Some(point) => format!("{}.{}", digits.get(..point)?, digits.get(point..)?),
        None => {
            let missing = power - (digits.len() - fraction.len());
            format!("0.{}{digits}", "0".repeat(missing))
        }
    };
    (text.len() <= 39).then_some(text)
}

/// The exact value of a well-formed number; nothing beyond 38 digits.
pub(super) fn read_number(text: &str) -> Option<Number> {
    let (text, percent) = text.strip_suffix('%').map_or((text, 0), |text| (text, 2));
    let (text, zeros) = if let Some(text) = text.strip_suffix('k') {
        (text, 3_usize)
    } else if let Some(text) = text.strip_suffix('万') {
        (text, 4)
    } else if let Some(text) = text.strip_suffix('亿') {
        (text, 8)
    } else {
        (text, 0)
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let plain = |part: &str| part.chars().filter(char::is_ascii_digit).collect::<String>();
    let (whole, mut fraction) = (plain(whole), plain(fraction));
    while fraction.len() < zeros {
        fraction.push('0');
    }
    let (up, down) = fraction.split_at_checked(zeros)?;
    let digits = format!("{whole}{up}{down}");
    let digits = digits.trim_start_matches('0');
    let scale = down.len() + percent;
    if digits.len() > 38 || scale > 38 {
        return None;
    }
    let unscaled = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    Some(Number { unscaled, scale: u8::try_from(scale).ok()? })
}
