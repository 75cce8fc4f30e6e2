//! Tests of values that are codes in a list of distinct ones: what holds is found out once for each
//! distinct value and kept as planes, a byte for each, so that a row costs one look-up for many tests.

use super::bits::Pool;
use super::column::{Column, Element};
use super::compare::{Cuts, Give};
use super::lookup::{CODES, look_up};
use super::tested::{Tested, has_bit};
use crate::program::Type;
use arrow::array::ArrayRef;
use std::cmp::Ordering;
use std::sync::Arc;

/// What holds for the values of a list, kept while chunks with the same list follow each other.
#[derive(Debug)]
pub(super) struct Outcomes {
    of: ArrayRef,
    /// A byte for each value, and for each other code that there may be.
    planes: Vec<Vec<u8>>,
}

impl Outcomes {
    /// The planes for these values, of at least so many bytes: those that are kept, or else new ones, which
    /// may be made of those of other values.
    pub fn planes<'a>(
        memo: &'a mut Option<Outcomes>,
        values: &ArrayRef,
        bytes: usize,
        make: impl FnOnce(Vec<Vec<u8>>) -> Vec<Vec<u8>>,
    ) -> &'a [Vec<u8>] {
        let fits = |kept: &Outcomes| {
            Arc::ptr_eq(&kept.of, values) && kept.planes.iter().all(|plane| plane.len() >= bytes)
        };
        if !memo.as_ref().is_some_and(fits) {
            let before = memo.take().map_or_else(Vec::new, |kept| kept.planes);
            *memo = Some(Outcomes { of: values.clone(), planes: make(before) });
        }
        memo.as_ref().map_or(&[], |kept| &kept.planes)
    }
}

/// So many cuts a byte tells apart.
const CUTS: usize = 255;

/// So few are not worth a search.
const FEW: usize = 32;

impl<T: Element> Cuts<T> {
    /// Evaluates the tests on values that come as codes.
    pub fn by_code(
        &self,
        (codes, values, ty): (&[u16], &ArrayRef, &Type),
        pool: &mut Pool,
        memo: &mut Option<Outcomes>,
        give: &mut Give,
    ) {
        let planes = Outcomes::planes(memo, values, CODES, |before| self.planes(values, ty, before));
        let (of_cuts, of_sets) = planes.split_at(planes.len().min(self.cuts.len().div_ceil(CUTS)));
        let mut bytes = pool.bytes(codes.len());
        for (plane, cuts) in of_cuts.iter().zip(self.cuts.chunks(CUTS)) {
            look_up(&mut bytes, codes, plane, values.len());
            for (rank, cut) in (1..).zip(cuts) {
                let mut bits = pool.bits(codes.len());
                u8::at_least(bits.words_mut(), &bytes, rank);
                give.cut(cut, bits, pool);
            }
        }
        for (plane, sets) in of_sets.iter().zip(self.sets.chunks(8)) {
            look_up(&mut bytes, codes, plane, values.len());
            for (at, (_, registers)) in sets.iter().enumerate() {
                let mut bits = pool.bits(codes.len());
                has_bit(bits.words_mut(), &bytes, 1 << at);
                give.known(registers, bits, pool);
            }
        }
        pool.put_bytes(bytes);
    }

    /// For each value how many of up to 255 cuts it reaches, then which of eight sets it is in.
    fn planes(&self, values: &ArrayRef, ty: &Type, mut before: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let count = values.len();
        // Codes that no value has are asked for only where a value is missing.
        let mut blank = || {
            let mut plane = before.pop().unwrap_or_default();
            plane.resize(CODES, 0);
            plane.get_mut(..count.min(CODES)).unwrap_or_default().fill(0);
            plane
        };
        let column = Column::from_array(values, ty);
        let values = column.as_ref().and_then(|column| T::many(&column.data)).unwrap_or_default();
        let mut planes = Vec::new();
        for cuts in self.cuts.chunks(CUTS) {
            let mut plane = blank();
            if cuts.len() <= FEW {
                // A pass for each, of several values at once.
                for cut in cuts {
                    T::count_at_least(&mut plane, values, cut.at);
                }
            } else {
                for (byte, value) in plane.iter_mut().zip(values) {
                    let reached = cuts.partition_point(|cut| cut.at <= *value);
                    *byte = u8::try_from(reached).unwrap_or(u8::MAX);
                }
            }
            planes.push(plane);
        }
        for sets in self.sets.chunks(8) {
            let mut plane = blank();
            for (at, (set, _)) in sets.iter().enumerate() {
                for (byte, value) in plane.iter_mut().zip(values) {
                    let found =
                        set.binary_search_by(|member| member.partial_cmp(value).unwrap_or(Ordering::Less));
                    *byte |= u8::from(found.is_ok()) << at;
                }
            }
            planes.push(plane);
        }
        planes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::{CompareOp, Value};
    use crate::vector::compare::ConstantTest;
    use arrow::array::Int64Array;

    #[test]
    fn planes_do_not_show_what_they_held_before() {
        let cuts = Cuts::<i64>::new(&[
            (ConstantTest::Compare(CompareOp::Ge, Value::Int(5)), 0),
            (ConstantTest::InSet(vec![Value::Int(3), Value::Int(8)]), 1),
        ]);
        // A list may have more values than there are codes.
        for count in [1, 300, CODES + 7] {
            let values: ArrayRef = Arc::new(Int64Array::from_iter_values((0..count as i64).map(|n| n % 11)));
            let fresh = cuts.planes(&values, &Type::Int, Vec::new());
            let again = cuts.planes(&values, &Type::Int, vec![vec![9; CODES]; 2]);
            let of_values = |planes: &[Vec<u8>]| -> Vec<Vec<u8>> {
                planes.iter().map(|plane| plane[..count.min(CODES)].to_vec()).collect()
            };
            assert_eq!(of_values(&again), of_values(&fresh), "{count} values");
        }
    }
}
