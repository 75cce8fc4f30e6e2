//! What the nodes of a plan have come to for the rows of a chunk: a condition is a bitmap, anything else a column.
//!
//! A register keeps the bitmap of the condition that it held last as room for the next one, so that thousands of
//! conditions a chunk neither allocate nor move anything.

use super::bits::{Bits, Pool};
use super::column::{Column, Data};
use crate::program::Value;
use std::borrow::Cow;

/// The registers of a plan.
#[derive(Debug, Default)]
pub(super) struct Registers {
    /// By register, its condition where it holds no values; where it holds nothing, room.
    conditions: Vec<Bits>,
    values: Vec<Option<Box<Column>>>,
}

impl Registers {
    /// So many that hold nothing.
    pub fn new(count: usize) -> Self {
        Registers { conditions: vec![Bits::default(); count], values: (0..count).map(|_| None).collect() }
    }

    /// A register as a condition: a bool value counts where it is known and true.
    pub fn condition(&self, register: usize, rows: usize) -> Cow<'_, Bits> {
        let Some(column) = self.values.get(register).and_then(Option::as_ref) else {
            return match self.conditions.get(register) {
                Some(bits) => Cow::Borrowed(bits),
                None => Cow::Owned(Bits::filled(rows, false)),
            };
        };
        Cow::Owned(match &column.data {
            Data::Bool(bits) => {
                let mut bits = bits.clone();
                if let Some(known) = &column.known {
                    bits.and(known);
                }
                bits
            }
            data => Bits::filled(rows, matches!(data, Data::Constant(Value::Bool(true)))),
        })
    }

    /// A register as values.
    pub fn values(&self, register: usize) -> Cow<'_, Column> {
        match (self.values.get(register), self.conditions.get(register)) {
            (Some(Some(column)), _) => Cow::Borrowed(column),
            (_, Some(bits)) => Cow::Owned(Column::from_condition(bits.clone())),
            _ => Cow::Owned(Column::constant(Value::Missing)),
        }
    }

    /// The value of all rows, where it is a constant.
    pub fn constant(&self, register: usize) -> Option<&Value> {
        match &self.values.get(register)?.as_ref()?.data {
            Data::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// A bitmap to be written and put into that register. What it holds before means nothing.
    pub fn room(&mut self, register: usize, rows: usize) -> Bits {
        let mut bits = self.conditions.get_mut(register).map(std::mem::take).unwrap_or_default();
        bits.resize(rows);
        bits
    }

    /// From now on the register holds this condition.
    pub fn put_condition(&mut self, register: usize, bits: Bits, pool: &mut Pool) {
        self.free(register, pool);
        if let Some(place) = self.conditions.get_mut(register) {
            let before = std::mem::replace(place, bits);
            if before.has_room() {
                pool.put(before);
            }
        }
    }

    /// From now on the register holds these values.
    pub fn put_values(&mut self, register: usize, column: Box<Column>, pool: &mut Pool) {
        self.free(register, pool);
        if let Some(place) = self.values.get_mut(register) {
            *place = Some(column);
        }
    }

    /// The values of a register, which holds nothing afterwards.
    pub fn take_values(&mut self, register: usize) -> Option<Box<Column>> {
        self.values.get_mut(register)?.take()
    }

    /// Drops what values the register holds.
    pub fn free(&mut self, register: usize, pool: &mut Pool) {
        if let Some(column) = self.take_values(register) {
            column.put_into(pool);
        }
    }
}
