extension Shape {
    /// Returns the JSON Schema 2020-12 of the shape. It uses only keywords that have the same meaning in draft 7.
    ///
    /// Rules that JSON Schema cannot express are written in words under `x-warren-rules`.
    ///
    /// - Parameter reference: returns a reference to the schema of an object, for example
    ///   `#/components/schemas/Post`; `nil` if the schema is written in place.
    package func jsonSchema(reference: (ObjectShape) -> String? = { _ in nil }) -> JSON {
        switch self {
        case .object(let object):
            if let place = reference(object) { return ["$ref": .string(place)] }
            return object.jsonSchema(reference: reference)
        default:
            return .object { addKeywords(to: &$0, reference) }
        }
    }

    private func addKeywords(to schema: inout JSONObject, _ reference: (ObjectShape) -> String?) {
        switch self {
        case .any: break
        case .boolean: schema.add("type", "boolean")
        case .number: schema.add("type", "number")
        case .integer(let minimum, let maximum):
            schema.add("type", "integer")
            schema.add("minimum", minimum.map { .integer($0) })
            schema.add("maximum", maximum.map { .integer($0) })
        case .string(let string): string.addKeywords(to: &schema)
        case .array(let array): array.addKeywords(to: &schema, reference)
        case .object: schema.add("allOf", [jsonSchema(reference: reference)])
        case .anyOf(let shapes):
            schema.add("anyOf", .array(shapes.map { $0.jsonSchema(reference: reference) }))
        case .nullable(.anyOf(let shapes)):
            schema.add("anyOf", .array(shapes.map { $0.jsonSchema(reference: reference) } + [["type": "null"]]))
        case .nullable(let shape): schema.add("anyOf", [shape.jsonSchema(reference: reference), ["type": "null"]])
        case .described(let shape, let text):
            shape.addKeywords(to: &schema, reference)
            schema.add("description", .string(text))
        }
    }
}

extension StringShape {
    fileprivate func addKeywords(to schema: inout JSONObject) {
        schema.add("type", "string")
        if values.count == 1 { schema.add("const", .string(values[0])) }
        if values.count > 1 { schema.add("enum", .strings(values)) }
        schema.add("minLength", minimumLength.map { .integer(Int64($0)) })
        schema.add("maxLength", maximumLength.map { .integer(Int64($0)) })
        if patterns.count == 1 { schema.add("pattern", .string(patterns[0])) }
        if patterns.count > 1 { schema.add("allOf", .array(patterns.map { ["pattern": .string($0)] })) }
        schema.add("format", format.map { .string($0) })
        if !rules.isEmpty { schema.add("x-warren-rules", .strings(rules)) }
    }
}

extension ArrayShape {
    fileprivate func addKeywords(to schema: inout JSONObject, _ reference: (ObjectShape) -> String?) {
        schema.add("type", "array")
        schema.add("items", items.jsonSchema(reference: reference))
        schema.add("minItems", minimumCount.map { .integer(Int64($0)) })
        schema.add("maxItems", maximumCount.map { .integer(Int64($0)) })
        if hasUniqueItems { schema.add("uniqueItems", true) }
        if !rules.isEmpty { schema.add("x-warren-rules", .strings(rules)) }
    }
}

extension ObjectShape {
    /// Returns the schema of the object itself, never a reference to it.
    package func jsonSchema(reference: (ObjectShape) -> String? = { _ in nil }) -> JSON {
        .object { schema in
            schema.add("title", .string(name))
            schema.add("type", "object")
            schema.add(
                "properties",
                .object { properties in
                    for field in fields { properties.add(field.name, field.jsonSchema(reference)) }
                })
            let required = fields.filter(\.isRequired).map(\.name)
            if !required.isEmpty { schema.add("required", .strings(required)) }
            if !allowsUnknownFields { schema.add("additionalProperties", false) }
            let exclusions = exclusions.map { ["required": .strings($0)] as JSON }
            if !exclusions.isEmpty {
                schema.add("not", exclusions.count == 1 ? exclusions[0] : ["anyOf": .array(exclusions)])
            }
            if !rules.isEmpty { schema.add("x-warren-rules", .strings(rules)) }
        }
    }
}

extension FieldShape {
    fileprivate func jsonSchema(_ reference: (ObjectShape) -> String?) -> JSON {
        let schema = shape.jsonSchema(reference: reference)
        guard let defaultValue, case .object(var object) = schema else { return schema }
        object.add("default", defaultValue)
        return .object(object)
    }
}

extension Shape {
    /// The objects in the shape, including the shape itself. An object precedes the objects that it contains. An object
    /// that occurs twice is listed twice.
    package var namedObjects: [ObjectShape] {
        switch self {
        case .any, .boolean, .number, .string, .integer: []
        case .array(let array): array.items.namedObjects
        case .anyOf(let shapes): shapes.flatMap(\.namedObjects)
        case .nullable(let shape), .described(let shape, _): shape.namedObjects
        case .object(let object): [object] + object.fields.flatMap(\.shape.namedObjects)
        }
    }
}
