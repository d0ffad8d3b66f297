//! Converts a document directly to the engine's value, without JSON text or a second tree in between.

use regorus::{Rc, Value};
use serde::ser::{self, Impossible, Serialize};
use std::{cell::RefCell, collections::HashMap, fmt::Display};

/// The reason why a document could not be converted. All documents of the domain can be converted; a map with keys that
/// aren't strings can't.
#[derive(Debug, thiserror::Error)]
#[error("a document can't be converted for the rules: {0}")]
pub(crate) struct ValueError(String);

impl ser::Error for ValueError {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Converts any serializable value.
pub(crate) fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<Value, ValueError> {
    value.serialize(ToValue)
}

thread_local! {
    /// Field names and enum values are static and few, so each is allocated once per thread instead of once per document.
    static NAMES: RefCell<HashMap<&'static str, Rc<str>>> = RefCell::new(HashMap::new());
}

/// Returns a field name or enum value as a value.
pub(crate) fn name(text: &'static str) -> Value {
    NAMES.with(|names| {
        Value::String(Rc::clone(
            names.borrow_mut().entry(text).or_insert_with(|| Rc::from(text)),
        ))
    })
}

fn object(entries: Vec<(Value, Value)>) -> Value {
    Value::Object(Rc::new(entries.into_iter().collect()))
}

struct ToValue;

macro_rules! numbers {
    ($($method:ident: $type:ty => $wide:ty),+ $(,)?) => {$(
        fn $method(self, v: $type) -> Result<Value, ValueError> { Ok(Value::from(<$wide>::from(v))) }
    )+};
}

impl ser::Serializer for ToValue {
    type Ok = Value;
    type Error = ValueError;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Impossible<Value, ValueError>;
    type SerializeMap = Fields;
    type SerializeStruct = Fields;
    type SerializeStructVariant = Impossible<Value, ValueError>;

    numbers! {
        serialize_i8: i8 => i64, serialize_i16: i16 => i64, serialize_i32: i32 => i64, serialize_i64: i64 => i64,
        serialize_u8: u8 => u64, serialize_u16: u16 => u64, serialize_u32: u32 => u64, serialize_u64: u64 => u64,
        serialize_f32: f32 => f64, serialize_f64: f64 => f64,
    }
    fn serialize_bool(self, v: bool) -> Result<Value, ValueError> {
        Ok(Value::Bool(v))
    }
    fn serialize_char(self, v: char) -> Result<Value, ValueError> {
        Ok(Value::String(Rc::from(v.encode_utf8(&mut [0; 4]) as &str)))
    }
    fn serialize_str(self, v: &str) -> Result<Value, ValueError> {
        Ok(Value::String(Rc::from(v)))
    }
    fn collect_str<T: Display + ?Sized>(self, v: &T) -> Result<Value, ValueError> {
        Ok(Value::String(Rc::from(v.to_string())))
    }
    fn serialize_bytes(self, v: &[u8]) -> Result<Value, ValueError> {
        Ok(Value::from(
            v.iter().map(|b| Value::from(u64::from(*b))).collect::<Vec<_>>(),
        ))
    }
    fn serialize_none(self) -> Result<Value, ValueError> {
        Ok(Value::Null)
    }
    fn serialize_some<T: Serialize + ?Sized>(self, v: &T) -> Result<Value, ValueError> {
        v.serialize(self)
    }
    fn serialize_unit(self) -> Result<Value, ValueError> {
        Ok(Value::Null)
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, ValueError> {
        Ok(Value::Null)
    }
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Value, ValueError> {
        Ok(name(variant))
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        v: &T,
    ) -> Result<Value, ValueError> {
        v.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        v: &T,
    ) -> Result<Value, ValueError> {
        Ok(object(vec![(name(variant), to_value(v)?)]))
    }
    fn serialize_seq(self, len: Option<usize>) -> Result<Items, ValueError> {
        Ok(Items(Vec::with_capacity(len.unwrap_or(0).min(1024))))
    }
    fn serialize_tuple(self, len: usize) -> Result<Items, ValueError> {
        self.serialize_seq(Some(len))
    }
    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Items, ValueError> {
        self.serialize_seq(Some(len))
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, ValueError> {
        Err(ser::Error::custom("enum with fields"))
    }
    fn serialize_map(self, len: Option<usize>) -> Result<Fields, ValueError> {
        Ok(Fields {
            entries: Vec::with_capacity(len.unwrap_or(0).min(1024)),
            key: None,
        })
    }
    fn serialize_struct(self, _: &'static str, len: usize) -> Result<Fields, ValueError> {
        self.serialize_map(Some(len))
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, ValueError> {
        Err(ser::Error::custom("enum with fields"))
    }
}

struct Items(Vec<Value>);

impl ser::SerializeSeq for Items {
    type Ok = Value;
    type Error = ValueError;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, v: &T) -> Result<(), ValueError> {
        self.0.push(to_value(v)?);
        Ok(())
    }
    fn end(self) -> Result<Value, ValueError> {
        Ok(Value::from(self.0))
    }
}

impl ser::SerializeTuple for Items {
    type Ok = Value;
    type Error = ValueError;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, v: &T) -> Result<(), ValueError> {
        ser::SerializeSeq::serialize_element(self, v)
    }
    fn end(self) -> Result<Value, ValueError> {
        ser::SerializeSeq::end(self)
    }
}

impl ser::SerializeTupleStruct for Items {
    type Ok = Value;
    type Error = ValueError;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, v: &T) -> Result<(), ValueError> {
        ser::SerializeSeq::serialize_element(self, v)
    }
    fn end(self) -> Result<Value, ValueError> {
        ser::SerializeSeq::end(self)
    }
}

struct Fields {
    entries: Vec<(Value, Value)>,
    key: Option<Value>,
}

impl ser::SerializeMap for Fields {
    type Ok = Value;
    type Error = ValueError;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), ValueError> {
        let key = to_value(key)?;
        if !matches!(key, Value::String(_)) {
            return Err(ser::Error::custom("non-string key"));
        }
        self.key = Some(key);
        Ok(())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, v: &T) -> Result<(), ValueError> {
        let Some(key) = self.key.take() else {
            return Err(ser::Error::custom("value without key"));
        };
        self.entries.push((key, to_value(v)?));
        Ok(())
    }
    fn end(self) -> Result<Value, ValueError> {
        Ok(object(self.entries))
    }
}

impl ser::SerializeStruct for Fields {
    type Ok = Value;
    type Error = ValueError;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, v: &T) -> Result<(), ValueError> {
        self.entries.push((name(key), to_value(v)?));
        Ok(())
    }
    fn end(self) -> Result<Value, ValueError> {
        Ok(object(self.entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversion_equals_conversion_through_json_text() {
        let json = serde_json::json!({
            "text": "Mara", "number": -5, "big": 1_763_714_139_000_i64, "half": 0.5, "yes": true, "nothing": null,
            "list": [1, "two", {"three": 3}], "empty": {}, "none": []
        });
        let direct = to_value(&json).unwrap();
        assert_eq!(direct, Value::from_json_str(&json.to_string()).unwrap());
    }

    #[test]
    fn keys_that_are_not_strings_are_rejected() {
        let map = std::collections::BTreeMap::from([(1_u8, 2_u8)]);
        assert!(to_value(&map).is_err());
    }
}
