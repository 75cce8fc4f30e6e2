//! Each operator's rule for missing operands, and properties that hold across operators.

use super::{Environment, Facts, LookupFacts, apply, calendar, numbers};
use crate::diagnostic::Span;
use crate::program::{
    ArithmeticOp, CompareOp, DatePart, Decimal, Expr, Node, NodeId, NumberFunction, Quantifier, TextFunction,
    TextTest, Type, Unit, Value,
};
use jiff::tz::TimeZone;
use proptest::prelude::*;

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);
const C: NodeId = NodeId(2);

fn given(expr: Expr, ty: Type, operands: &[Value]) -> Value {
    let mut rows = hashbrown::HashMap::new();
    rows.insert(Value::Int(7), vec![Value::Int(7), text("seven")]);
    let facts = Facts { lookups: vec![LookupFacts { rows }], calendar: [(4, true)].into_iter().collect() };
    let environment = Environment { zone: TimeZone::UTC, now: 0, facts: &facts };
    apply(&Node { expr, ty, optional: true, place: Span::default() }, operands, &environment)
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn exact(unscaled: i128, scale: u8) -> Value {
    Value::Decimal(Decimal { unscaled, scale })
}

/// Every operator that wants all of its operands, with operands that suit it.
fn strict() -> Vec<(Expr, Type, Vec<Value>)> {
    let (int, float) = (|n| Value::Int(n), |x| Value::Float(x));
    let mut all = Vec::new();
    for op in [CompareOp::Eq, CompareOp::Lt, CompareOp::Le, CompareOp::Gt, CompareOp::Ge] {
        all.push((Expr::Compare { op, left: A, right: B }, Type::Bool, vec![int(1), int(1)]));
    }
    for test in [TextTest::Contains, TextTest::StartsWith, TextTest::EndsWith] {
        all.push((Expr::TextTest { test, text: A, pattern: B }, Type::Bool, vec![text("ab"), text("ab")]));
    }
    for op in [ArithmeticOp::Add, ArithmeticOp::Subtract, ArithmeticOp::Multiply, ArithmeticOp::Modulo] {
        let expr = Expr::Arithmetic { op, left: A, right: B };
        all.push((expr.clone(), Type::Int, vec![int(7), int(2)]));
        all.push((expr.clone(), Type::Float, vec![float(7.0), float(2.0)]));
        let ty = Type::Decimal { precision: 38, scale: 1 };
        all.push((expr, ty, vec![exact(70, 1), exact(2, 0)]));
    }
    let divide = Expr::Arithmetic { op: ArithmeticOp::Divide, left: A, right: B };
    all.push((divide, Type::Float, vec![float(7.0), float(2.0)]));
    for function in [
        NumberFunction::Abs,
        NumberFunction::Floor,
        NumberFunction::Ceil,
        NumberFunction::Log,
        NumberFunction::Sqrt,
        NumberFunction::Negate,
    ] {
        all.push((Expr::NumberFunction(function, A), Type::Float, vec![float(2.5)]));
    }
    for function in [TextFunction::Lower, TextFunction::Upper, TextFunction::Trim] {
        all.push((Expr::TextFunction(function, A), Type::Text, vec![text(" Ab ")]));
    }
    for part in [DatePart::Year, DatePart::Quarter, DatePart::Month, DatePart::Day, DatePart::Weekday] {
        all.push((Expr::DatePart(part, A), Type::Int, vec![Value::Date(0)]));
    }
    for unit in [Unit::Days, Unit::Weeks, Unit::Months, Unit::Years] {
        let shift = Expr::Shift { value: A, amount: B, unit };
        all.push((shift, Type::Date, vec![Value::Date(0), int(1)]));
        all.push((Expr::Elapsed { unit, from: A, to: B }, Type::Int, vec![Value::Date(0), Value::Date(9)]));
        all.push((Expr::ElapsedBound { unit, at_least: 1, to: A }, Type::Date, vec![Value::Date(0)]));
    }
    for unit in [Unit::Hours, Unit::Minutes] {
        let moments = vec![Value::Timestamp(0), Value::Timestamp(9)];
        let shift = Expr::Shift { value: A, amount: B, unit };
        all.push((shift, Type::Timestamp, vec![Value::Timestamp(0), int(1)]));
        all.push((Expr::Elapsed { unit, from: A, to: B }, Type::Int, moments));
        let bound = Expr::ElapsedBound { unit, at_least: 1, to: A };
        all.push((bound, Type::Timestamp, vec![Value::Timestamp(0)]));
    }
    let list = Value::List(vec![text("a")].into());
    let within = Expr::AnniversaryWithin { date: A, start: B, end: C };
    all.extend([
        (Expr::IsTrue(A), Type::Bool, vec![Value::Bool(true)]),
        (Expr::IsKnown(A), Type::Bool, vec![int(1)]),
        (Expr::InSet { value: A, set: vec![int(1), int(2)] }, Type::Bool, vec![int(2)]),
        (Expr::Matches { text: A, pattern: "b$".into() }, Type::Bool, vec![text("ab")]),
        (Expr::Has { list: A, item: B }, Type::Bool, vec![list.clone(), text("a")]),
        (Expr::Workday(A), Type::Bool, vec![Value::Date(0)]),
        (within, Type::Bool, vec![Value::Date(0), Value::Date(365), Value::Date(366)]),
        (Expr::Round(A, 1), Type::Float, vec![float(2.5)]),
        (Expr::Least(vec![A, B]), Type::Int, vec![int(1), int(2)]),
        (Expr::Greatest(vec![A, B]), Type::Int, vec![int(1), int(2)]),
        (Expr::Convert(A), Type::Float, vec![int(1)]),
        (Expr::Convert(A), Type::Timestamp, vec![Value::Date(0)]),
        (Expr::TextLength(A), Type::Int, vec![text("ab")]),
        (Expr::ListSize(A), Type::Int, vec![list]),
        (Expr::LocalDate(A), Type::Date, vec![Value::Timestamp(0)]),
        (Expr::TimeOfDay(A), Type::Time, vec![Value::Timestamp(0)]),
        (Expr::Hour(A), Type::Int, vec![Value::Timestamp(0)]),
        (Expr::Lookup { lookup: 0, column: 1, key: A }, Type::Text, vec![int(7)]),
    ]);
    all
}

#[test]
fn a_missing_operand_makes_a_test_false_and_a_value_missing() {
    for (expr, ty, operands) in strict() {
        let condition = ty == Type::Bool;
        // `a < a` and `a > a` are false with known operands too.
        let never = matches!(expr, Expr::Compare { op: CompareOp::Lt | CompareOp::Gt, .. });
        let known = given(expr.clone(), ty.clone(), &operands);
        assert!(!known.is_missing(), "{expr:?}");
        assert!(never || !condition || known.is_true(), "{expr:?}");
        for at in 0..operands.len() {
            let mut operands = operands.clone();
            operands[at] = Value::Missing;
            let wanted = if condition { Value::Bool(false) } else { Value::Missing };
            assert_eq!(given(expr.clone(), ty.clone(), &operands), wanted, "{expr:?} at {at}");
        }
    }
}

#[test]
fn what_a_missing_operand_does_not_spoil() {
    let (yes, no, missing) = (Value::Bool(true), Value::Bool(false), Value::Missing);
    let case = Expr::Case { arms: vec![(A, B)], otherwise: Some(C) };
    assert_eq!(given(case.clone(), Type::Int, &[no.clone(), missing.clone(), Value::Int(3)]), Value::Int(3));
    assert_eq!(given(case, Type::Int, &[yes.clone(), missing.clone(), Value::Int(3)]), missing);
    let bare = Expr::Case { arms: vec![(A, B)], otherwise: None };
    assert_eq!(given(bare, Type::Int, &[no.clone(), Value::Int(3)]), missing);
    assert_eq!(given(Expr::OrElse(A, B), Type::Int, &[missing.clone(), Value::Int(3)]), Value::Int(3));
    assert_eq!(given(Expr::OrElse(A, B), Type::Int, &[Value::Int(1), missing.clone()]), Value::Int(1));
    let points = |a, b| Expr::Points(vec![(A, a), (B, b)]);
    assert_eq!(given(points(30, -20), Type::Int, &[yes.clone(), yes.clone()]), Value::Int(10));
    assert_eq!(given(points(30, -20), Type::Int, &[no.clone(), no.clone()]), Value::Int(0));
    assert_eq!(given(points(i64::MAX, 1), Type::Int, &[yes.clone(), yes.clone()]), missing);
    for (quantifier, wanted) in
        [(Quantifier::AtLeast, true), (Quantifier::AtMost, false), (Quantifier::Exactly, false)]
    {
        let count = Expr::CountOf { quantifier, count: 1, conditions: vec![A, B] };
        assert_eq!(given(count, Type::Bool, &[yes.clone(), yes.clone()]), Value::Bool(wanted));
    }
}

#[test]
fn a_calendar_goes_before_the_weekday() {
    // 1970-01-05 was a Monday; the calendar here speaks of no day but it.
    let workday = |day| given(Expr::Workday(A), Type::Bool, &[Value::Date(day)]).is_true();
    assert!(workday(1), "a Friday");
    assert!(!workday(2) && !workday(3), "a weekend");
    assert!(workday(4));
    let facts = Facts { lookups: vec![], calendar: [(1, false), (2, true)].into_iter().collect() };
    assert!(!calendar::is_workday(1, &facts) && calendar::is_workday(2, &facts));
}

#[test]
fn texts_of_any_script() {
    let upper = Expr::TextFunction(TextFunction::Upper, A);
    assert_eq!(given(upper, Type::Text, &[text("straße")]), text("STRASSE"));
    let trim = Expr::TextFunction(TextFunction::Trim, A);
    assert_eq!(given(trim, Type::Text, &[text("\u{3000}专业\u{a0}")]), text("专业"));
    assert_eq!(given(Expr::TextLength(A), Type::Int, &[text("专业👍")]), Value::Int(3));
}

#[test]
fn times_beyond_the_calendar_are_missing_and_never_stop_the_run() {
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    for micros in [i64::MIN, i64::MAX] {
        assert_eq!(calendar::local_date(&zone, micros), None);
        assert_eq!(calendar::hour(&zone, micros), None);
    }
    for day in [i32::MIN, i32::MAX] {
        for unit in [Unit::Days, Unit::Weeks, Unit::Months, Unit::Years] {
            for amount in [i64::MIN, -1, 0, 1, i64::MAX] {
                let date = Value::Date(day);
                assert_eq!(calendar::shift(&date, amount, unit, &zone), Value::Missing, "{day} {unit:?}");
            }
        }
        assert_eq!(calendar::part(DatePart::Year, day), Value::Missing);
        assert_eq!(calendar::first_moment(day, &zone), None);
        assert!(!calendar::anniversary_within(0, day, 5) && !calendar::anniversary_within(day, 0, 5));
    }
    for unit in [Unit::Minutes, Unit::Hours, Unit::Days, Unit::Weeks, Unit::Months, Unit::Years] {
        for amount in [i64::MIN, i64::MAX] {
            assert_eq!(calendar::shift(&Value::Timestamp(0), amount, unit, &zone), Value::Missing);
        }
    }
}

#[test]
fn a_bound_beyond_the_calendar_still_compares_rightly() {
    let today = Value::Date(calendar::days("9990-01-01".parse().unwrap()));
    for unit in [Unit::Days, Unit::Weeks, Unit::Months, Unit::Years] {
        for at_least in [i64::MIN, -10_000_000, 10_000_000, i64::MAX] {
            let Value::Date(bound) = calendar::elapsed_bound(unit, at_least, &today) else {
                panic!("a date for {unit:?} {at_least}")
            };
            for day in ["-009999-01-01", "2024-02-29", "9999-12-31"] {
                let day = calendar::days(day.parse().unwrap());
                assert_eq!(day <= bound, at_least < 0, "{day} {unit:?} {at_least}");
            }
        }
    }
}

#[test]
fn local_days_in_several_zones() {
    let cases = [
        // Zone, moment, days and months later: local clocks change between them.
        ("America/New_York", "2024-03-09T02:30:00-05", 1, "2024-03-10T03:30:00-04"),
        ("America/New_York", "2024-11-02T01:30:00-04", 1, "2024-11-03T01:30:00-04"),
        ("America/St_Johns", "2010-03-13T00:30:00-03:30", 1, "2010-03-14T01:30:00-02:30"),
        ("Asia/Shanghai", "1940-05-31T00:30:00+08", 1, "1940-06-01T01:30:00+09"),
        ("Europe/Berlin", "2024-10-26T02:30:00+02", 1, "2024-10-27T02:30:00+02"),
    ];
    for (zone, from, days, wanted) in cases {
        let zone = TimeZone::get(zone).unwrap();
        let from: jiff::Timestamp = from.parse().unwrap();
        let wanted: jiff::Timestamp = wanted.parse().unwrap();
        let shifted = calendar::shift(&Value::Timestamp(from.as_microsecond()), days, Unit::Days, &zone);
        assert_eq!(shifted, Value::Timestamp(wanted.as_microsecond()), "{from}");
    }
}

#[test]
fn months_fall_on_the_last_day() {
    let day = |text: &str| calendar::days(text.parse().unwrap());
    for (from, months, wanted) in [
        ("2024-01-31", 1, "2024-02-29"),
        ("2023-01-31", 1, "2023-02-28"),
        ("2024-03-31", -1, "2024-02-29"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
    ] {
        let shifted = calendar::shift(&Value::Date(day(from)), months, Unit::Months, &TimeZone::UTC);
        assert_eq!(shifted, Value::Date(day(wanted)), "{from} + {months} months");
    }
}

/// A number as text, digit by digit: an oracle that shares nothing with the code under test.
fn long_product(a: i128, b: i128) -> Option<i128> {
    let digits = |n: i128| -> Vec<u32> {
        n.unsigned_abs().to_string().bytes().rev().map(|byte| u32::from(byte - b'0')).collect()
    };
    let (left, right) = (digits(a), digits(b));
    let mut product = vec![0_u32; left.len() + right.len()];
    for (i, x) in left.iter().enumerate() {
        for (j, y) in right.iter().enumerate() {
            product[i + j] += x * y;
        }
        for at in 0..product.len() - 1 {
            product[at + 1] += product[at] / 10;
            product[at] %= 10;
        }
    }
    while product.len() > 1 && product.last() == Some(&0) {
        product.pop();
    }
    if product.len() > 38 {
        return None;
    }
    let size = product.iter().rev().fold(0_i128, |size, digit| size * 10 + i128::from(*digit));
    Some(if (a < 0) == (b < 0) { size } else { -size })
}

proptest! {
    #[test]
    fn products_are_exact_or_missing(a in any::<i128>(), b in any::<i128>(), i in 0..38_u32, j in 0..38_u32) {
        let (a, b) = (a % 10_i128.pow(i + 1), b % 10_i128.pow(j + 1));
        let ty = Type::Decimal { precision: 38, scale: 5 };
        let product = numbers::arithmetic(ArithmeticOp::Multiply, &exact(a, 2), &exact(b, 3), &ty);
        prop_assert_eq!(product, long_product(a, b).map_or(Value::Missing, |product| exact(product, 5)));
    }

    #[test]
    fn whole_units_are_the_most_that_fit(
        from in -40_000..60_000_i32, to in -40_000..60_000_i32,
        unit in prop::sample::select(vec![Unit::Months, Unit::Years]),
    ) {
        let n = calendar::elapsed(unit, &Value::Date(from), &Value::Date(to)).unwrap();
        let after = |n| match calendar::shift(&Value::Date(from), n, unit, &TimeZone::UTC) {
            Value::Date(day) => day,
            _ => i32::MAX,
        };
        prop_assert!(after(n) <= to && to < after(n + 1), "{} {} {:?} {}", from, to, unit, n);
    }

    #[test]
    fn anniversaries_as_a_calendar_shows_them(born in -20_000..20_000_i32, start in 0..30_000_i32, length in -3..400_i32) {
        let birthday = calendar::date(born).unwrap();
        let is_anniversary = |day: i32| {
            let date = calendar::date(day).unwrap();
            let leap_day = (birthday.month(), birthday.day()) == (2, 29);
            let celebrated = if leap_day && !date.in_leap_year() { 28 } else { birthday.day() };
            (date.month(), date.day()) == (birthday.month(), celebrated)
        };
        let wanted = (start..start + length).any(is_anniversary);
        prop_assert_eq!(calendar::anniversary_within(born, start, start + length), wanted);
    }

    #[test]
    fn rounding_keeps_within_half_a_unit(n in any::<i64>(), digits in -18..0_i32) {
        if let Value::Int(rounded) = numbers::round(&Value::Int(n), digits, &Type::Int) {
            let unit = 10_i128.pow(digits.unsigned_abs());
            let apart = i128::from(rounded) - i128::from(n);
            prop_assert_eq!(i128::from(rounded) % unit, 0);
            prop_assert!(apart.abs() * 2 <= unit);
            // A tie goes away from zero.
            prop_assert!(apart.abs() * 2 < unit || (apart > 0) == (n > 0));
        }
    }

    #[test]
    fn any_digits_round_to_something(x in any::<f64>(), digits in any::<i32>(), unscaled in any::<i64>(), scale in 0..38_u8) {
        let rounded = numbers::round(&numbers::float(x), digits, &Type::Float);
        prop_assert!(!matches!(rounded, Value::Float(x) if !x.is_finite() || x == 0.0 && x.is_sign_negative()));
        let ty = Type::Decimal { precision: 38, scale: 3 };
        let rounded = numbers::round(&exact(i128::from(unscaled), scale), digits.clamp(-50, 3), &ty);
        let kept = matches!(rounded, Value::Missing | Value::Decimal(Decimal { scale: 3, .. }));
        prop_assert!(kept);
    }
}

/// Three times 13.97 is 41.91, and a third of the double 41.91 is no longer 13.97.
#[test]
fn an_average_of_decimals_is_rounded_once() {
    let average = |sum: i128, scale, count| {
        super::aggregate::whole_average(arrow::datatypes::i256::from_i128(sum), scale, count)
    };
    assert_eq!(average(4_191, 2, 3), Value::Float(13.97));
    assert_eq!(average(-4_191, 2, 3), Value::Float(-13.97));
    assert_eq!(average(-1, 2, 3), Value::Float(-1.0 / 300.0));
    assert_eq!(average(1, 0, u64::MAX), Value::Float(1.0 / 18_446_744_073_709_551_615.0));
    assert_eq!(average(0, 2, 7), Value::Float(0.0));
    assert_eq!(average(0, 2, 0), Value::Missing);
    assert_eq!(average(10_i128.pow(38) - 1, 38, 1), Value::Float(1.0));
}
