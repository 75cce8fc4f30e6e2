//! Values by user, part after part.

use super::block::Parting;
use super::disk::{Shelf, Shelved, failed};
use super::store::Budget;
use crate::diagnostic::Diagnostic;
use crate::program::{NodeId, Type};
use crate::semantics::columnar::column_type;
use crate::vector::NodeColumns;
use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Int64Array, RecordBatch, new_empty_array};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Decimal128Type, Field, Int64Type, Schema};
use arrow::error::ArrowError;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// The values of some nodes for all users: in memory, or past a limit on disk.
#[derive(Debug)]
pub(super) struct PartColumns {
    nodes: Vec<(NodeId, Type)>,
    parting: Parting,
    budget: Budget,
    shelf: Option<Shelf>,
    /// By part.
    parts: Vec<OnceLock<Place>>,
}

/// Where a part's columns are, one for each node.
#[derive(Debug)]
enum Place {
    Memory(Vec<ArrayRef>),
    Disk(Shelved),
}

impl PartColumns {
    /// Of no part yet.
    pub fn new(
        nodes: Vec<(NodeId, Type)>,
        parting: Parting,
        memory: Option<usize>,
    ) -> Result<PartColumns, Diagnostic> {
        Ok(PartColumns {
            nodes,
            parting,
            budget: Budget::new(memory),
            shelf: memory.map(|_| Shelf::new()).transpose()?,
            parts: (0..parting.count()).map(|_| OnceLock::new()).collect(),
        })
    }

    /// Keeps a part's columns.
    pub fn put(&self, part: usize, columns: Vec<ArrayRef>) -> Result<(), Diagnostic> {
        let Some(place) = self.parts.get(part) else { return Ok(()) };
        let bytes: usize = columns.iter().map(|column| column.get_buffer_memory_size()).sum();
        let too_much = self.budget.hold(bytes);
        let kept = match &self.shelf {
            Some(shelf) if too_much => {
                self.budget.free(bytes);
                let field = |column: &ArrayRef| Field::new("", column.data_type().clone(), true);
                let schema = Schema::new(columns.iter().map(field).collect::<Vec<Field>>());
                Place::Disk(shelf.put(&RecordBatch::try_new(Arc::new(schema), columns).map_err(failed)?)?)
            }
            _ => Place::Memory(columns),
        };
        let _ = place.set(kept);
        Ok(())
    }

    /// The values for those users, as columns of the nodes' types.
    pub fn slice(&self, users: &Range<usize>, into: &mut NodeColumns) -> Result<(), Diagnostic> {
        let size = self.parting.range(0).len().max(1);
        let mut pieces: Vec<Vec<ArrayRef>> = vec![Vec::new(); self.nodes.len()];
        for part in users.start / size..users.end.div_ceil(size) {
            let own = self.parting.range(part);
            let (from, to) = (users.start.max(own.start), users.end.min(own.end));
            let Some(place) = self.parts.get(part).and_then(OnceLock::get).filter(|_| from < to) else {
                continue;
            };
            let shelved = match (place, &self.shelf) {
                (Place::Disk(place), Some(shelf)) => Some(shelf.get(*place)?),
                _ => None,
            };
            let columns = match (place, &shelved) {
                (Place::Memory(columns), _) => columns.as_slice(),
                (_, Some(batch)) => batch.columns(),
                _ => &[],
            };
            for ((pieces, column), (_, ty)) in pieces.iter_mut().zip(columns).zip(&self.nodes) {
                let column = column.slice(from - own.start, to - from);
                pieces.push(unpacked(&column, ty).map_err(failed)?);
            }
        }
        for (pieces, (node, ty)) in pieces.iter().zip(&self.nodes) {
            let column = match pieces.as_slice() {
                [] => new_empty_array(&column_type(ty)),
                [one] => one.clone(),
                _ => {
                    concat(&pieces.iter().map(AsRef::as_ref).collect::<Vec<&dyn Array>>()).map_err(failed)?
                }
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
