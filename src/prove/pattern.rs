//! A text that a regular expression finds something in.

use regex_syntax::hir::{Class, Hir, HirKind};

/// The simplest such text; none where the expression is too strange.
pub(super) fn example(pattern: &str) -> Option<String> {
    let hir = regex_syntax::parse(pattern).ok()?;
    let mut bytes = Vec::new();
    write(&hir, &mut bytes)?;
    String::from_utf8(bytes).ok()
}

/// Longer than this no example is worth reading.
const LONGEST: usize = 200;

fn write(hir: &Hir, out: &mut Vec<u8>) -> Option<()> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.extend_from_slice(&literal.0),
        HirKind::Class(Class::Unicode(class)) => {
            let ranges = class.ranges();
            // A letter or digit reads better than whatever comes first.
            let pleasant = ['a', '0', 'A', '1', ' '];
            let chosen = pleasant
                .into_iter()
                .find(|wanted| ranges.iter().any(|range| (range.start()..=range.end()).contains(wanted)))
                .or_else(|| ranges.first().map(|range| range.start()))?;
            out.extend_from_slice(chosen.encode_utf8(&mut [0; 4]).as_bytes());
        }
        HirKind::Class(Class::Bytes(_)) => return None,
        HirKind::Repetition(repetition) => {
            for _ in 0..repetition.min {
                write(&repetition.sub, out)?;
                if out.len() > LONGEST {
                    return None;
                }
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, out)?,
        HirKind::Concat(parts) => {
            for part in parts {
                write(part, out)?;
            }
        }
        HirKind::Alternation(parts) => write(parts.first()?, out)?,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::example;

    #[test]
    fn is_found() {
        for pattern in ["^1[3-9][0-9]{9}$", "@corp\\.com$", "(vip|kol)+", "^[一-龥]{2,4}$", "\\bfoo\\b"] {
            let text = example(pattern).unwrap();
            assert!(crate::semantics::text::matches(pattern, &text), "{pattern}: {text}");
        }
    }
}
