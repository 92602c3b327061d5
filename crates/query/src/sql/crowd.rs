//! The crowd behind a number, as an aggregate function: up to nine distinct persons, or null for more.

use crate::persons::Crowd;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray, UInt64Array};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, UInt64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};
use std::sync::{Arc, LazyLock};

/// `crowd(person)`. Planted by us beside numbers; statements cannot name it.
pub(crate) static CROWD: LazyLock<Arc<AggregateUDF>> = LazyLock::new(|| {
    Arc::new(AggregateUDF::from(CrowdFunction {
        signature: Signature::exact(vec![DataType::UInt64], Volatility::Immutable),
    }))
});

fn item() -> FieldRef {
    Arc::new(Field::new("item", DataType::UInt64, true))
}

/// The type of a crowd: null where there are many.
pub(crate) fn crowd_type() -> DataType {
    DataType::List(item())
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct CrowdFunction {
    signature: Signature,
}

impl AggregateUDFImpl for CrowdFunction {
    fn name(&self) -> &str {
        "crowd"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(crowd_type())
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let name = format!("{}[crowd]", arguments.name);
        Ok(vec![Arc::new(Field::new(name, crowd_type(), true))])
    }

    fn accumulator(&self, _arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::<CrowdState>::default())
    }
}

#[derive(Debug, Default)]
struct CrowdState(Crowd);

impl Accumulator for CrowdState {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let persons = values[0].as_primitive::<UInt64Type>();
        for person in persons.iter().flatten() {
            if self.0.is_many() {
                break;
            }
            self.0.insert(person);
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let states = states[0].as_list::<i32>();
        for row in 0..states.len() {
            match few(states, row) {
                Some(few) => few.iter().for_each(|person| self.0.insert(*person)),
                None => self.0 = Crowd::many(),
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.0.is_many() {
            return Ok(ScalarValue::List(Arc::new(ListArray::new_null(item(), 1))));
        }
        let few = UInt64Array::from(self.0.few().to_vec());
        let offsets = OffsetBuffer::from_lengths([few.len()]);
        let list = ListArray::try_new(item(), offsets, Arc::new(few), None)?;
        Ok(ScalarValue::List(Arc::new(list)))
    }

    fn size(&self) -> usize {
        size_of::<CrowdState>() + 8 * self.0.few().len()
    }
}

/// The persons of a row's crowd; `None` for many.
pub(crate) fn few(crowds: &ListArray, row: usize) -> Option<Vec<u64>> {
    if crowds.is_null(row) {
        return None;
    }
    let persons = crowds.value(row);
    Some(persons.as_primitive::<UInt64Type>().values().to_vec())
}
