//! As much of JSON Schema as the description of the wire uses.

use serde_json::Value;

use crate::contract::{resolved, text};

/// Checks that a value is of a schema, or says what is wrong with it.
pub fn conforms(schema: &'static Value, value: &Value) -> Result<(), String> {
    let (_, schema) = resolved(schema);
    for (word, rule) in schema.as_object().expect("a schema") {
        let is_met = match word.as_str() {
            "description" | "format" | "default" | "pattern" => true,
            "const" => rule == value,
            "enum" => rule.as_array().is_some_and(|all| all.contains(value)),
            "type" => match rule.as_array() {
                Some(types) => types.iter().any(|name| is_type(text(name), value)),
                None => is_type(text(rule), value),
            },
            "minimum" => value.as_f64() >= rule.as_f64(),
            "maximum" => value.as_f64() <= rule.as_f64(),
            "minLength" => value.as_str().is_none_or(|text| text.len() as u64 >= rule.as_u64().unwrap_or(0)),
            "required" => rule.as_array().into_iter().flatten().all(|name| value.get(text(name)).is_some()),
            "additionalProperties" => {
                let known = |name: &String| schema["properties"].get(name).is_some();
                value.as_object().is_none_or(|object| object.keys().all(known))
            }
            "items" => {
                value.as_array().into_iter().flatten().try_for_each(|item| conforms(rule, item))?;
                true
            }
            "anyOf" => rule.as_array().into_iter().flatten().any(|form| conforms(form, value).is_ok()),
            "oneOf" => {
                rule.as_array().into_iter().flatten().filter(|form| conforms(form, value).is_ok()).count()
                    == 1
            }
            "properties" => {
                for (name, form) in rule.as_object().into_iter().flatten() {
                    value.get(name).map_or(Ok(()), |value| conforms(form, value))?;
                }
                true
            }
            _ => panic!("the schema's word {word} is unknown here"),
        };
        if !is_met {
            return Err(format!("{value} is not {word} {rule}"));
        }
    }
    Ok(())
}

fn is_type(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        _ => panic!("{name} is no type"),
    }
}
