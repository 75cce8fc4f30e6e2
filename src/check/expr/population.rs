//! Scores, and values of the whole population.

use super::{Checker, literals, spell};
use crate::diagnostic::codes::{time as codes, types as type_codes};
use crate::diagnostic::{Diagnostic, Span};
use crate::program::{Expr, NodeId, Population, Share, Statistic, Type, Value};
use crate::semantics::compare;
use crate::syntax::ast::{self, ExprKind, Into};

/// The most parts that a score divides into.
const MOST_BINS: u64 = 100;

/// A statistic by its word; a quantile also says which.
#[derive(Clone, Copy)]
enum Word {
    Plain(Statistic),
    Quantile,
}

const WORDS: &[(&str, Word)] = &[
    ("avg", Word::Plain(Statistic::Average)),
    ("median", Word::Plain(Statistic::Quantile(Share { numerator: 1, denominator: 2 }))),
    ("min", Word::Plain(Statistic::Least)),
    ("max", Word::Plain(Statistic::Greatest)),
    ("sum", Word::Plain(Statistic::Sum)),
    ("quantile", Word::Quantile),
];

impl Checker {
    /// `score(x where C into 5, lowest is best)`.
    pub(super) fn score(&mut self, call: &ast::ScoreCall, span: Span) -> Option<NodeId> {
        let value =
            self.value(&call.value, None).and_then(|id| self.needs_number(id, &call.value, "`score`"));
        let filter = match &call.filter {
            Some(filter) => self.whole_condition(filter, crate::program::written::Role::Where).map(Some),
            None => Some(None),
        };
        match &call.into {
            Into::Bins(bins) => {
                let bins = self.bins(bins, MOST_BINS);
                let (value, filter, bins) = (value?, filter?, bins?);
                self.not_nested(value, call.value.span)?;
                if let (Some(filter), Some(written)) = (filter, &call.filter) {
                    self.not_nested(filter, written.span)?;
                }
                Some(self.quantile_score(value, filter, bins, call.lowest_is_best, span))
            }
            Into::Cuts(cuts) => {
                if let Some(written) = &call.filter {
                    self.report(
                        Diagnostic::new(
                            codes::BAD_SCORE,
                            written.span,
                            "with cut points of its own a score is not measured by anybody",
                        )
                        .help("leave the `where` out, or write `into 5`"),
                    );
                    return None;
                }
                let value = value?;
                let cuts = self.cuts(cuts, value)?;
                let optional = self.node(value).optional;
                let expr = Expr::Score { value, cuts, lowest_is_best: call.lowest_is_best };
                Some(self.builder.node(expr, Type::Int, optional, span))
            }
        }
    }

    /// A score by the population's quantiles.
    pub(in crate::check) fn quantile_score(
        &mut self,
        value: NodeId,
        filter: Option<NodeId>,
        bins: u64,
        lowest_is_best: bool,
        span: Span,
    ) -> NodeId {
        let ty = self.node(value).ty.clone();
        // Whoever has a value is of the population, unless that is restricted.
        let optional = self.node(value).optional || filter.is_some();
        let cuts = (1..bins)
            .map(|numerator| {
                let statistic = Statistic::Cut(Share { numerator, denominator: bins });
                let population = Population { statistic, value, filter };
                self.builder.node(Expr::Population(population), ty.clone(), true, span)
            })
            .collect();
        self.builder.node(Expr::Score { value, cuts, lowest_is_best }, Type::Int, optional, span)
    }

    /// How many parts: a whole number from 2.
    pub(in crate::check) fn bins(&mut self, bins: &ast::Expr, most: u64) -> Option<u64> {
        let found = match self.constant(bins, &Type::Int)? {
            Value::Int(bins) => u64::try_from(bins).ok().filter(|bins| (2..=most).contains(bins)),
            _ => None,
        };
        if found.is_none() {
            self.report(
                Diagnostic::new(
                    codes::BAD_SCORE,
                    bins.span,
                    format!("a score divides into 2 to {most} parts"),
                )
                .help("write for example `into 5`; cut points of your own stand in brackets: `into (10, 50, 200)`"),
            );
        }
        found
    }

    /// Ascending cut points of the value's type.
    fn cuts(&mut self, cuts: &[ast::Expr], value: NodeId) -> Option<Vec<NodeId>> {
        let ty = self.node(value).ty.clone();
        let values: Vec<Option<Value>> = cuts.iter().map(|cut| self.constant(cut, &ty)).collect();
        let values: Vec<Value> = values.into_iter().collect::<Option<_>>()?;
        for (at, pair) in values.windows(2).enumerate() {
            if let [a, b] = pair
                && !compare::holds(crate::program::CompareOp::Lt, a, b)
            {
                let span = cuts.get(at + 1).map(|cut| cut.span)?;
                self.report(
                    Diagnostic::new(codes::BAD_SCORE, span, "the cut points of a score go up")
                        .help("write them in ascending order, each once"),
                );
                return None;
            }
        }
        let pairs = values.into_iter().zip(cuts);
        Some(pairs.map(|(value, cut)| self.constant_node(value, ty.clone(), cut.span)).collect())
    }

    /// `population quantile(x, 0.8)`.
    pub(super) fn population(&mut self, call: &ast::PopulationCall, span: Span) -> Option<NodeId> {
        let word = WORDS.iter().find(|(known, _)| *known == call.function.text).map(|(_, word)| *word);
        let Some(word) = word else {
            let known = || WORDS.iter().map(|(known, _)| *known);
            let finding = Diagnostic::new(
                type_codes::UNKNOWN_FUNCTION,
                call.function.span,
                format!("there is no `{}` of the population", call.function.text),
            );
            let meant = match call.function.text.to_lowercase().as_str() {
                "mean" | "average" => Some("avg"),
                "percentile" | "ntile" => Some("quantile"),
                other => spell::nearest(other, known()),
            };
            self.report(match meant {
                Some(near) => finding.help(format!("did you mean `{near}`?")).fix(call.function.span, near),
                None => finding.help(format!("there are {}", known().collect::<Vec<_>>().join(", "))),
            });
            return None;
        };
        let (value, statistic) = match (word, call.arguments.as_slice()) {
            (Word::Plain(statistic), [value]) => (value, Some(statistic)),
            (Word::Quantile, [value, share]) => (value, self.share(share).map(Statistic::Quantile)),
            (word, _) => {
                let example = match word {
                    Word::Plain(_) => format!("population {}(x)", call.function.text),
                    Word::Quantile => "population quantile(x, 0.8)".to_owned(),
                };
                self.report(
                    Diagnostic::new(
                        codes::BAD_POPULATION,
                        span,
                        format!("`{}` of the population has other arguments", call.function.text),
                    )
                    .help(format!("write `{example}`")),
                );
                return None;
            }
        };
        let what = format!("`population {}`", call.function.text);
        let id = self.value(value, None).and_then(|id| self.needs_number(id, value, &what));
        let (id, statistic) = (id?, statistic?);
        self.not_nested(id, value.span)?;
        let ty = match (statistic, self.node(id).ty.clone()) {
            (Statistic::Average | Statistic::Quantile(_), _) => Type::Float,
            (Statistic::Sum, Type::Decimal { scale, .. }) => Type::Decimal { precision: 38, scale },
            (_, ty) => ty,
        };
        let optional = !matches!(statistic, Statistic::Sum);
        let population = Population { statistic, value: id, filter: None };
        Some(self.builder.node(Expr::Population(population), ty, optional, span))
    }

    /// A share from 0 to 1, exactly.
    fn share(&mut self, e: &ast::Expr) -> Option<Share> {
        let number = match &e.kind {
            ExprKind::Number(number) => Some(literals::trimmed(*number)),
            ExprKind::Error => return None,
            _ => None,
        };
        let share = number.filter(|number| number.scale <= 9).and_then(|number| {
            let denominator = 10_u64.checked_pow(u32::from(number.scale))?;
            let numerator = u64::try_from(number.unscaled).ok()?;
            (numerator <= denominator).then_some(Share { numerator, denominator })
        });
        if share.is_none() {
            self.report(
                Diagnostic::new(codes::BAD_POPULATION, e.span, "a quantile is at a fixed share from 0 to 1")
                    .help("write for example `0.8` or `80%`, with at most nine digits after the point"),
            );
        }
        share
    }

    /// Refuses a value of the population inside another.
    pub(in crate::check) fn not_nested(&mut self, id: NodeId, span: Span) -> Option<()> {
        if !self.needs_population(id) {
            return Some(());
        }
        self.report(
            Diagnostic::new(
                codes::BAD_POPULATION,
                span,
                "this is measured by the whole population already, and one such value cannot be inside another",
            )
            .help("measure the value itself, before it is scored or averaged"),
        );
        None
    }

    /// Whether a value depends on the population.
    fn needs_population(&self, id: NodeId) -> bool {
        let mut seen = hashbrown::HashSet::new();
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            let expr = &self.node(id).expr;
            if matches!(expr, Expr::Population(_)) {
                return true;
            }
            if seen.insert(id) {
                open.extend(expr.operands());
            }
        }
        false
    }

    /// `digits(r, f, m)`: whole numbers one after the other as a text.
    pub(super) fn digits_of(&mut self, arguments: &[ast::Expr], span: Span) -> Option<NodeId> {
        let ids: Vec<Option<NodeId>> = arguments
            .iter()
            .map(|e| {
                let id = self.value(e, Some(&Type::Int))?;
                self.coerce(id, &Type::Int, e.span, "a part of `digits`")
            })
            .collect();
        let ids: Vec<NodeId> = ids.into_iter().collect::<Option<_>>()?;
        let optional = ids.iter().any(|id| self.node(*id).optional);
        Some(self.builder.node(Expr::Digits(ids), Type::Text, optional, span))
    }
}
