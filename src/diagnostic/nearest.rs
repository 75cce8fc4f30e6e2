//! "Did you mean …?": the nearest of the names there are.

use strsim::damerau_levenshtein;

/// The candidate nearest to `text`, if it is near enough to be a slip of the pen: the same but for
/// case, or at most one edit for every three characters (two for the shortest names' swaps).
/// Of equally near ones the first.
pub fn nearest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lowered = text.to_lowercase();
    let length = lowered.chars().count();
    let most = match length {
        0..=1 => 0,
        2..=3 => 1,
        4..=5 => 2,
        _ => length / 3,
    };
    candidates
        .into_iter()
        .filter(|candidate| *candidate != text)
        .map(|candidate| (damerau_levenshtein(&lowered, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_slips_and_leaves_strangers() {
        let names = ["channel", "age", "quiz_score", "城市"];
        assert_eq!(nearest("chanel", names), Some("channel"));
        assert_eq!(nearest("AGE", names), Some("age"));
        assert_eq!(nearest("quizscore", names), Some("quiz_score"));
        assert_eq!(nearest("城巿", names), Some("城市"));
        assert_eq!(nearest("spend", names), None);
        assert_eq!(nearest("x", names), None);
    }
}
