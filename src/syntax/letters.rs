//! Words and signs by their characters: full-width forms, look-alikes, invisible characters.

use super::prepare::Scanner;
use crate::diagnostic::codes::syntax as codes;
use crate::diagnostic::{Diagnostic, Span};
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// Full-width punctuation that reads as its ASCII twin, as `language.md` lists it.
pub(super) fn full_width(c: char) -> Option<&'static str> {
    Some(match c {
        '（' => "(",
        '）' => ")",
        '｛' => "{",
        '｝' => "}",
        '［' => "[",
        '］' => "]",
        '，' => ",",
        '：' => ":",
        '；' => ";",
        '＞' => ">",
        '＜' => "<",
        '＝' => "=",
        '≥' => ">=",
        '≤' => "<=",
        '≠' => "!=",
        '！' => "!",
        '｜' => "|",
        '＋' => "+",
        '－' => "-",
        '×' | '＊' => "*",
        '／' => "/",
        '％' => "%",
        '？' => "?",
        '＆' => "&",
        _ => return None,
    })
}

/// The ASCII digit of a full-width one.
pub(super) fn ascii_digit(c: char) -> char {
    match c {
        '０'..='９' => char::from_u32(u32::from(c) - 0xff10 + 0x30).unwrap_or(c),
        _ => c,
    }
}

/// Characters that look like something of the language and are not: what was meant. A space means
/// a blank, nothing an invisible character.
pub(super) fn look_alike(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{2028}' | '\u{2029}' | '\u{85}' => {
            " "
        }
        '\0'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' => "",
        '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\u{202a}'..='\u{202e}' => "",
        '\u{37e}' => ";",
        '、' | '‚' | '﹐' => ",",
        '．' | '。' | '｡' => ".",
        '∶' | '︰' => ":",
        '–' | '—' | '−' | '‐' | '‑' => "-",
        '→' | '➔' | '⇒' | '➜' => "->",
        '≧' | '⩾' | '⋝' => ">=",
        '≦' | '⩽' => "<=",
        '≡' => "=",
        '∧' | '⋀' => " and ",
        '∨' | '⋁' => " or ",
        '¬' => " not ",
        '∈' => " in ",
        '∉' => " not in ",
        '÷' | '∕' | '⁄' => "/",
        '∗' | '·' | '⋅' => "*",
        '〈' | '﹤' | '‹' => "<",
        '〉' | '﹥' | '›' => ">",
        '【' => "[",
        '】' => "]",
        '∣' | '│' | '∥' => "|",
        '＿' => "_",
        _ => return None,
    })
}

/// The finding about a sign that looks like another.
pub(super) fn look_alike_sign(c: char, mend: &str, span: Span) -> Diagnostic {
    let point = u32::from(c);
    match mend {
        "" => Diagnostic::new(
            codes::LOOK_ALIKE,
            span,
            format!("there is an invisible character here (U+{point:04X})"),
        )
        .help("delete it; it often comes along with text copied from a web page or a chat")
        .fix(span, ""),
        " " => Diagnostic::new(
            codes::LOOK_ALIKE,
            span,
            format!("this blank is not a plain space (U+{point:04X})"),
        )
        .help("replace it by a plain space; it often comes along with text copied from a web page")
        .fix(span, " "),
        _ => Diagnostic::new(
            codes::LOOK_ALIKE,
            span,
            format!("`{c}` looks like a sign of the language but is another character"),
        )
        .help(format!("write `{}`", mend.trim()))
        .fix(span, mend),
    }
}

/// Whether a word begins with this character.
pub(super) fn begins_word(c: char) -> bool {
    c == '_' || c == '＿' || unicode_ident::is_xid_start(c)
}

/// Whether a word goes on with this character.
pub(super) fn continues_word(c: char) -> bool {
    unicode_ident::is_xid_continue(c)
}

/// Reads a word: in NFC, its letters of one script where they could be taken for another's.
pub(super) fn word(scanner: &mut Scanner) {
    let rest = scanner.rest();
    let length = rest.find(|c: char| !continues_word(c) && c != '＿').unwrap_or(rest.len());
    let written = rest.get(..length).unwrap_or("");
    if written.is_ascii() {
        scanner.keep(length);
        return;
    }
    let digits: String = written.chars().map(ascii_digit).collect();
    let half: String = digits.chars().map(half_width_letter).collect();
    let span = scanner.span(scanner.at, scanner.at + length);
    let plain = if half != digits {
        scanner.diagnostics.push(
            Diagnostic::new(
                codes::LOOK_ALIKE,
                span,
                format!("`{written}` is written with full-width letters"),
            )
            .help(format!("write `{half}`"))
            .fix(span, half.clone()),
        );
        half
    } else {
        digits
    };
    let plain = match latin_twin(&plain) {
        Some((twin, stranger, script)) => {
            scanner.diagnostics.push(
                Diagnostic::new(
                    codes::LOOK_ALIKE,
                    span,
                    format!("`{written}` mixes two alphabets: its `{stranger}` is a {script} letter"),
                )
                .help(format!("write `{twin}` with plain letters only"))
                .fix(span, twin.clone()),
            );
            twin
        }
        None => plain,
    };
    if is_nfc(&plain) {
        scanner.put(&plain, length);
    } else {
        let composed: String = plain.nfc().collect();
        scanner.put(&composed, length);
    }
}

fn half_width_letter(c: char) -> char {
    match c {
        'Ａ'..='Ｚ' | 'ａ'..='ｚ' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '＿' => '_',
        _ => c,
    }
}

/// A word of Latin letters with Cyrillic or Greek ones among them that look Latin: its Latin
/// form, the first stranger and its script. A word with other letters of such a script is left.
fn latin_twin(word: &str) -> Option<(String, char, &'static str)> {
    if !word.chars().any(|c| c.is_ascii_alphabetic()) {
        return None;
    }
    let mut stranger = None;
    let mut twin = String::with_capacity(word.len());
    for c in word.chars() {
        let script = match c {
            '\u{400}'..='\u{52f}' => "Cyrillic",
            '\u{370}'..='\u{3ff}' => "Greek",
            _ => {
                twin.push(c);
                continue;
            }
        };
        twin.push(latin(c)?);
        stranger.get_or_insert((c, script));
    }
    stranger.map(|(c, script)| (twin, c, script))
}

/// The Latin letter that a Cyrillic or Greek one looks like.
fn latin(c: char) -> Option<char> {
    Some(match c {
        'а' => 'a',
        'е' => 'e',
        'о' | 'ο' => 'o',
        'р' | 'ρ' => 'p',
        'с' => 'c',
        'у' => 'y',
        'х' => 'x',
        'і' | 'ι' => 'i',
        'ј' => 'j',
        'ѕ' => 's',
        'ԁ' => 'd',
        'һ' => 'h',
        'ν' => 'v',
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'Е' | 'Ε' => 'E',
        'К' | 'Κ' => 'K',
        'М' | 'Μ' => 'M',
        'Н' | 'Η' => 'H',
        'О' | 'Ο' => 'O',
        'Р' | 'Ρ' => 'P',
        'С' => 'C',
        'Т' | 'Τ' => 'T',
        'Х' | 'Χ' => 'X',
        'У' | 'Υ' => 'Y',
        'І' | 'Ι' => 'I',
        'Ѕ' => 'S',
        'Ј' => 'J',
        'Ν' => 'N',
        'Ζ' => 'Z',
        _ => return None,
    })
}
