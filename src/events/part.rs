//! The events of one part of the users, and what is made of them user by user.

use super::block::Block;
use super::cells::{Cell, cell_date};
use std::borrow::Cow;
use std::ops::Range;

/// One table's events of one part of the users, from all blocks in their order.
pub(super) struct Part<'a> {
    pub blocks: &'a [Block],
    /// The part's place among all.
    pub number: usize,
    /// How many users it has.
    pub users: usize,
}

/// A condition by its place: the column of bytes, and the bit in there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bit {
    column: usize,
    shift: u32,
}

impl Bit {
    /// The bit of the condition at that place.
    pub fn of(condition: usize) -> Bit {
        Bit { column: condition / 8, shift: (condition % 8) as u32 }
    }

    #[inline(always)]
    fn is_set(self, byte: u8) -> bool {
        byte >> self.shift & 1 == 1
    }
}

/// Some events that lie one behind the other.
struct Stretch<'a> {
    block: &'a Block,
    rows: Range<usize>,
}

impl<'a> Stretch<'a> {
    fn users(&self) -> &'a [u16] {
        self.block.users.get(self.rows.clone()).unwrap_or(&[])
    }

    fn condition(&self, bit: Bit) -> &'a [u8] {
        self.block.conditions.get(bit.column).and_then(|bytes| bytes.get(self.rows.clone())).unwrap_or(&[])
    }

    fn values<T: Cell>(&self, value: usize) -> Option<Cow<'a, [T]>> {
        self.block.values.get(value).and_then(|cells| T::of(cells, self.rows.clone()))
    }
}

impl<'a> Part<'a> {
    fn stretches(&self) -> impl Iterator<Item = Stretch<'a>> {
        let number = self.number;
        let blocks = self.blocks.iter();
        blocks
            .map(move |block| Stretch { block, rows: block.stretch(number) })
            .filter(|it| !it.rows.is_empty())
    }

    /// A number for each of the part's users.
    pub fn each<T: Clone>(&self, value: T) -> Vec<T> {
        vec![value; self.users]
    }

    /// How many events each user has for which the condition holds.
    pub fn count(&self, bit: Bit) -> Vec<i64> {
        let mut counts = self.each(0_i64);
        for stretch in self.stretches() {
            for (user, byte) in stretch.users().iter().zip(stretch.condition(bit)) {
                if let Some(count) = counts.get_mut(usize::from(*user)) {
                    *count += i64::from(byte >> bit.shift & 1);
                }
            }
        }
        counts
    }

    /// How many events there are in all.
    pub fn events(&self) -> usize {
        self.stretches().map(|stretch| stretch.rows.len()).sum()
    }

    /// Gives each value of an event for which the condition holds to `f`, with the user's place.
    #[inline(always)]
    pub fn known<T: Cell>(&self, bit: Bit, value: usize, mut f: impl FnMut(usize, T)) {
        for stretch in self.stretches() {
            let Some(values) = stretch.values::<T>(value) else { continue };
            for ((user, byte), value) in stretch.users().iter().zip(stretch.condition(bit)).zip(values.iter())
            {
                if bit.is_set(*byte) {
                    f(usize::from(*user), *value);
                }
            }
        }
    }

    /// The same for every event, with whether the condition holds: for work without branches.
    #[inline(always)]
    pub fn every<T: Cell>(&self, bit: Bit, value: usize, mut f: impl FnMut(usize, bool, T)) {
        for stretch in self.stretches() {
            let Some(values) = stretch.values::<T>(value) else { continue };
            for ((user, byte), value) in stretch.users().iter().zip(stretch.condition(bit)).zip(values.iter())
            {
                f(usize::from(*user), bit.is_set(*byte), *value);
            }
        }
    }

    /// The same with two values.
    #[inline(always)]
    pub fn every_pair<A: Cell, B: Cell>(
        &self,
        bit: Bit,
        values: (usize, usize),
        mut f: impl FnMut(usize, bool, A, B),
    ) {
        for stretch in self.stretches() {
            let (Some(a), Some(b)) = (stretch.values::<A>(values.0), stretch.values::<B>(values.1)) else {
                continue;
            };
            let rows = stretch.users().iter().zip(stretch.condition(bit)).zip(a.iter().zip(b.iter()));
            for ((user, byte), (a, b)) in rows {
                f(usize::from(*user), bit.is_set(*byte), *a, *b);
            }
        }
    }

    /// Gives each event for which one of these conditions holds to `f`: the user's place, the time, and
    /// the marks of all conditions that hold. Dates are days.
    pub fn matches(&self, conditions: &[(Bit, u64)], time: usize, mut f: impl FnMut(u16, i64, u64)) {
        for stretch in self.stretches() {
            let bytes: Vec<(&[u8], Bit, u64)> =
                conditions.iter().map(|(bit, mark)| (stretch.condition(*bit), *bit, *mark)).collect();
            let (whole, small) = (stretch.values::<i64>(time), stretch.values::<u32>(time));
            for (row, user) in stretch.users().iter().enumerate() {
                let marks = bytes.iter().fold(0, |marks, (bytes, bit, mark)| {
                    marks | if bytes.get(row).is_some_and(|byte| bit.is_set(*byte)) { *mark } else { 0 }
                });
                if marks == 0 {
                    continue;
                }
                let at = match (&whole, &small) {
                    (Some(times), _) => times.get(row).copied(),
                    (_, Some(days)) => days.get(row).map(|day| i64::from(cell_date(*day))),
                    _ => None,
                };
                if let Some(at) = at {
                    f(*user, at, marks);
                }
            }
        }
    }

    /// Each user's values for which the condition holds, in the order of the events, one user's
    /// behind the other's; and by user where they begin.
    pub fn by_user<T: Cell>(&self, bit: Bit, value: usize) -> (Vec<T>, Vec<usize>) {
        let counts = self.count(bit);
        let mut starts = Vec::with_capacity(counts.len() + 1);
        let mut sum = 0;
        starts.push(0);
        for count in counts {
            sum += usize::try_from(count).unwrap_or(0);
            starts.push(sum);
        }
        let mut next = starts.clone();
        let mut values = vec![T::default(); sum];
        self.known::<T>(bit, value, |user, value| {
            if let Some(next) = next.get_mut(user) {
                if let Some(place) = values.get_mut(*next) {
                    *place = value;
                }
                *next += 1;
            }
        });
        (values, starts)
    }
}
