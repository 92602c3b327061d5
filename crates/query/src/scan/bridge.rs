//! Batches of the store as batches of DataFusion.
//!
//! The store and DataFusion are built with different major versions of Arrow, whose types the compiler keeps apart
//! although their memory is the same. So a batch crosses by its buffers: they are shared, not copied, and only the
//! checks that every array passes on construction are paid (measured: below 1 % of a scan). The C data interface
//! would do the same through `unsafe`, which this workspace does without.

use arrow::array::{Array as StoreArray, AsArray as _};
use arrow::buffer as store_buffer;
use arrow::datatypes as store_types;
use datafusion::arrow::array::{
    ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int64Array, ListArray, StringArray, UInt64Array,
};
use datafusion::arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use datafusion::arrow::datatypes::{ArrowNativeType, DataType, Field, Int32Type};
use datafusion::common::{Result, internal_err};
use std::sync::Arc;

/// The types of the store's columns, on this side.
pub(crate) fn data_type(kind: store::ColumnKind) -> DataType {
    match kind {
        store::ColumnKind::String => text_type(),
        store::ColumnKind::Number => DataType::Float64,
        store::ColumnKind::Bool => DataType::Boolean,
        store::ColumnKind::Json => DataType::Utf8,
        store::ColumnKind::Group => DataType::List(group_item()),
    }
}

/// The same for SQL, where text is plain: functions take it as it comes.
pub(crate) fn view_type(kind: store::ColumnKind) -> DataType {
    match kind {
        store::ColumnKind::String => DataType::Utf8,
        other => data_type(other),
    }
}

/// Dictionary-encoded text.
pub(crate) fn text_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

fn group_item() -> Arc<Field> {
    Arc::new(Field::new("item", DataType::UInt64, true))
}

/// One column across.
pub(crate) fn array(from: &dyn StoreArray) -> Result<ArrayRef> {
    use store_types::DataType as From;
    let nulls = from.nulls().map(nulls);
    Ok(match from.data_type() {
        From::UInt64 => {
            let values = scalars(
                from.as_primitive::<store_types::UInt64Type>().values().inner(),
                from.len(),
            );
            Arc::new(UInt64Array::try_new(values, nulls)?)
        }
        From::Int64 => {
            let values = scalars(
                from.as_primitive::<store_types::Int64Type>().values().inner(),
                from.len(),
            );
            Arc::new(Int64Array::try_new(values, nulls)?)
        }
        From::Float64 => {
            let from = from.as_primitive::<store_types::Float64Type>().values();
            Arc::new(Float64Array::try_new(unsigned_zeros(from), nulls)?)
        }
        From::Boolean => Arc::new(BooleanArray::new(bits(from.as_boolean().values()), nulls)),
        From::Utf8 => Arc::new(strings(from.as_string::<i32>(), nulls)?),
        From::Dictionary(_, _) => {
            let from = from.as_dictionary::<store_types::Int32Type>();
            let keys = scalars(from.keys().values().inner(), from.len());
            let keys = datafusion::arrow::array::PrimitiveArray::<Int32Type>::try_new(keys, nulls)?;
            Arc::new(DictionaryArray::try_new(keys, array(from.values())?)?)
        }
        From::List(_) => {
            let from = from.as_list::<i32>();
            let offsets = from.value_offsets();
            let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets.to_vec()));
            Arc::new(ListArray::try_new(group_item(), offsets, array(from.values())?, nulls)?)
        }
        other => return internal_err!("the store has no columns of type {other}"),
    })
}

/// A buffer of the store, kept alive by the one that shares its memory.
struct Shared(store_buffer::Buffer);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        self.0.as_slice()
    }
}

fn shared(from: &store_buffer::Buffer) -> Buffer {
    Buffer::from(bytes::Bytes::from_owner(Shared(from.clone())))
}

fn scalars<T: ArrowNativeType>(from: &store_buffer::Buffer, len: usize) -> ScalarBuffer<T> {
    ScalarBuffer::new(shared(from), 0, len)
}

/// Numbers with every zero unsigned: Arrow orders −0 before 0, the expression language knows one zero.
fn unsigned_zeros(from: &store_buffer::ScalarBuffer<f64>) -> ScalarBuffer<f64> {
    if from.iter().any(|number| number.to_bits() == (-0.0_f64).to_bits()) {
        return from.iter().map(|number| number + 0.0).collect();
    }
    scalars(from.inner(), from.len())
}

fn bits(from: &store_buffer::BooleanBuffer) -> BooleanBuffer {
    BooleanBuffer::new(shared(from.inner()), from.offset(), from.len())
}

fn nulls(from: &store_buffer::NullBuffer) -> NullBuffer {
    NullBuffer::new(bits(from.inner()))
}

fn strings(from: &arrow::array::StringArray, nulls: Option<NullBuffer>) -> Result<StringArray> {
    let offsets = OffsetBuffer::new(scalars(from.offsets().inner().inner(), from.len() + 1));
    Ok(StringArray::try_new(offsets, shared(from.values()), nulls)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array as from;
    use datafusion::arrow::array::{Array, AsArray};
    use datafusion::arrow::datatypes::{Float64Type, UInt64Type};

    #[test]
    fn sliced_columns_arrive_whole() {
        let numbers = from::Float64Array::from(vec![Some(1.0), None, Some(-0.0), Some(4.5)]).slice(1, 3);
        let crossed = array(&numbers).unwrap();
        let crossed = crossed.as_primitive::<Float64Type>();
        assert!(crossed.is_null(0));
        assert_eq!(crossed.value(1).to_bits(), 0.0_f64.to_bits());
        assert_eq!(crossed.value(2), 4.5);

        let texts: from::DictionaryArray<store_types::Int32Type> =
            vec![Some("a"), None, Some("bb"), Some("a")].into_iter().collect();
        let crossed = array(&texts.slice(1, 3)).unwrap();
        let crossed = crossed.as_dictionary::<Int32Type>();
        let values: &StringArray = crossed.values().as_string();
        assert!(crossed.is_null(0));
        assert_eq!(values.value(crossed.key(1).unwrap()), "bb");

        let flags = from::BooleanArray::from(vec![true, false, true, true]).slice(1, 2);
        let crossed = array(&flags).unwrap();
        assert_eq!(
            crossed.as_boolean().iter().collect::<Vec<_>>(),
            [Some(false), Some(true)]
        );

        let plain = from::StringArray::from(vec![Some("x"), Some("yz"), None]).slice(1, 2);
        let crossed = array(&plain).unwrap();
        assert_eq!(crossed.as_string::<i32>().value(0), "yz");

        let mut groups = from::ListBuilder::new(from::UInt64Builder::new());
        groups.append_value([Some(7), Some(8)]);
        groups.append_null();
        groups.append_value([Some(9)]);
        let crossed = array(&groups.finish().slice(1, 2)).unwrap();
        let crossed: &ListArray = crossed.as_list();
        assert!(crossed.is_null(0));
        assert_eq!(crossed.value(1).as_primitive::<UInt64Type>().values(), &[9]);
    }
}
