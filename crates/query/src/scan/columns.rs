//! The store's columns as questions take them.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use std::sync::Arc;

/// Dictionary-encoded text.
pub(crate) fn text_type() -> DataType {
    store::string_type()
}

/// The type of a column for SQL, where text is plain: functions take it as it comes.
pub(crate) fn view_type(kind: store::ColumnKind) -> DataType {
    match kind {
        store::ColumnKind::String => DataType::Utf8,
        other => other.data_type(),
    }
}

/// Numbers with every zero unsigned: Arrow orders −0 before 0, the expression language knows one zero.
pub(crate) fn unsigned_zeros(column: &ArrayRef) -> ArrayRef {
    let Some(numbers) = column.as_primitive_opt::<Float64Type>() else {
        return column.clone();
    };
    let is_signed = |number: &f64| number.to_bits() == (-0.0_f64).to_bits();
    if !numbers.values().iter().any(is_signed) {
        return column.clone();
    }
    let values = numbers.values().iter().map(|number| number + 0.0).collect();
    Arc::new(Float64Array::new(values, numbers.nulls().cloned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_zero() {
        let numbers: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.0), None, Some(-0.0), Some(4.5)]));
        let zeros = unsigned_zeros(&numbers.slice(1, 3));
        let zeros = zeros.as_primitive::<Float64Type>();
        assert!(zeros.is_null(0));
        assert_eq!(zeros.value(1).to_bits(), 0.0_f64.to_bits());
        assert_eq!(zeros.value(2), 4.5);
    }
}
