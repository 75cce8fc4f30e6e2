//! Values by user, part after part.

use super::block::Parting;
use crate::program::{NodeId, Type};
use crate::semantics::columnar::column_type;
use crate::vector::NodeColumns;
use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Int64Array, new_empty_array};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Decimal128Type, Int64Type};
use arrow::error::ArrowError;
use std::ops::Range;
use std::sync::Arc;

/// The values of some nodes for all users.
#[derive(Clone, Debug)]
pub(super) struct PartColumns {
    pub nodes: Vec<(NodeId, Type)>,
    pub parting: Parting,
    /// By part: a column for each node.
    pub parts: Vec<Vec<ArrayRef>>,
}

impl PartColumns {
    /// The values for those users, as columns of the nodes' types.
    pub fn slice(&self, users: &Range<usize>, into: &mut NodeColumns) -> Result<(), ArrowError> {
        let size = self.parting.range(0).len().max(1);
        for (at, (node, ty)) in self.nodes.iter().enumerate() {
            let mut pieces: Vec<ArrayRef> = Vec::new();
            for part in users.start / size..users.end.div_ceil(size) {
                let own = self.parting.range(part);
                let Some(column) = self.parts.get(part).and_then(|part| part.get(at)) else { continue };
                let (from, to) = (users.start.max(own.start), users.end.min(own.end));
                if from < to {
                    pieces.push(unpacked(&column.slice(from - own.start, to - from), ty)?);
                }
            }
            let column = match pieces.as_slice() {
                [] => new_empty_array(&column_type(ty)),
                [one] => one.clone(),
                _ => joined(&pieces)?,
            };
            into.insert(*node, column);
        }
        Ok(())
    }
}

/// Pieces of one column, one after the other. Texts may be a dictionary in one piece and plain in another.
pub(super) fn joined(pieces: &[ArrayRef]) -> Result<ArrayRef, ArrowError> {
    let mut types = pieces.iter().map(|piece| piece.data_type());
    let first = types.next();
    if types.all(|ty| Some(ty) == first) {
        return concat(&pieces.iter().map(AsRef::as_ref).collect::<Vec<&dyn Array>>());
    }
    let plain = |piece: &ArrayRef| match piece.data_type() {
        DataType::Dictionary(_, values) => cast(piece, values),
        _ => Ok(piece.clone()),
    };
    let pieces = pieces.iter().map(plain).collect::<Result<Vec<_>, _>>()?;
    concat(&pieces.iter().map(AsRef::as_ref).collect::<Vec<&dyn Array>>())
}

/// A column of whole numbers in as few bytes as they need.
pub(super) fn packed(column: ArrayRef) -> ArrayRef {
    let ints = match column.data_type() {
        DataType::Int64 => column.clone(),
        DataType::Decimal128(..) => {
            let decimals = column.as_primitive::<Decimal128Type>();
            // What stands where a value is missing does not matter.
            let fits = |value: &i128| i64::try_from(*value).is_ok();
            if !decimals.values().iter().all(fits) {
                return column;
            }
            let ints: Vec<i64> = decimals.values().iter().map(|value| *value as i64).collect();
            Arc::new(Int64Array::new(ints.into(), decimals.nulls().cloned()))
        }
        _ => return column,
    };
    let values = ints.as_primitive::<Int64Type>().values();
    let reach = values.iter().fold(0_u64, |most, value| most | (value ^ (value >> 63)).cast_unsigned());
    let narrow = match reach.checked_ilog2().unwrap_or(0) {
        0..=6 => DataType::Int8,
        7..=14 => DataType::Int16,
        15..=30 => DataType::Int32,
        _ => return ints,
    };
    cast(&ints, &narrow).unwrap_or(ints)
}

/// The column that was packed.
fn unpacked(column: &ArrayRef, ty: &Type) -> Result<ArrayRef, ArrowError> {
    let wanted = column_type(ty);
    if *column.data_type() == wanted || !matches!(ty, Type::Int | Type::Decimal { .. }) {
        return Ok(column.clone());
    }
    let ints = cast(column, &DataType::Int64)?;
    if let Type::Int = ty {
        return Ok(ints);
    }
    let ints = ints.as_primitive::<Int64Type>();
    let digits: Vec<i128> = ints.values().iter().map(|value| i128::from(*value)).collect();
    Ok(Arc::new(Decimal128Array::new(digits.into(), ints.nulls().cloned()).with_data_type(wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_loses_nothing() {
        for values in [
            vec![Some(0), None, Some(-1)],
            vec![Some(127), Some(-128)],
            vec![Some(128)],
            vec![Some(-129), Some(32_767)],
            vec![Some(i64::from(i32::MAX)), Some(i64::from(i32::MIN))],
            vec![Some(1 << 31)],
            vec![Some(i64::MIN), Some(i64::MAX), None],
            vec![],
        ] {
            let ints: ArrayRef = Arc::new(Int64Array::from(values.clone()));
            let narrow = packed(ints.clone());
            assert_eq!(&unpacked(&narrow, &Type::Int).unwrap(), &ints);
            let ty = Type::Decimal { precision: 38, scale: 2 };
            let digits: Decimal128Array = values.iter().map(|value| value.map(i128::from)).collect();
            let digits: ArrayRef = Arc::new(digits.with_data_type(column_type(&ty)));
            assert_eq!(&unpacked(&packed(digits.clone()), &ty).unwrap(), &digits);
        }
        assert_eq!(packed(Arc::new(Int64Array::from(vec![127, -128]))).data_type(), &DataType::Int8);
        assert_eq!(packed(Arc::new(Int64Array::from(vec![128]))).data_type(), &DataType::Int16);
    }
}
