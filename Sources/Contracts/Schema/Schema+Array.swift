extension Schema {
    /// An array of what another schema describes.
    ///
    /// - Parameter max: how many elements at most.
    package static func array<Element: Sendable>(of element: Schema<Element>, max: Int? = nil) -> Schema
    where Value == [Element] {
        let (read, write) = (element.read, element.write)
        return Schema(
            shape: .array(ArrayShape(items: element.shape, maximumCount: max)),
            read: { json, faults in
                guard case .array(let elements) = json else {
                    faults.note("must be an array")
                    return nil
                }
                if let max, elements.count > max {
                    faults.note("must have at most \(max) elements")
                    return nil
                }
                var values: [Element] = []
                values.reserveCapacity(elements.count)
                for (index, json) in elements.enumerated() {
                    let first = faults.count
                    if let value = read(json, &faults) { values.append(value) }
                    faults.nest(from: first, under: String(index))
                }
                return values.count == elements.count ? values : nil
            },
            write: { values, writer in
                writer.beginArray()
                for value in values { write(value, &writer) }
                writer.endArray()
            })
    }

    /// An array in which no element comes twice; each that does is reported where it does.
    package static func array<Element: Sendable & Hashable>(
        of element: Schema<Element>, max: Int? = nil, unique: Bool
    ) -> Schema where Value == [Element] {
        let array = Schema.array(of: element, max: max)
        guard unique else { return array }
        return Schema(
            shape: .array(ArrayShape(items: element.shape, maximumCount: max, hasUniqueItems: true)),
            read: { json, faults in
                guard let values = array.read(json, &faults) else { return nil }
                var seen: Set<Element> = []
                var isUnique = true
                for (index, value) in values.enumerated() where values.count > 1 && !seen.insert(value).inserted {
                    faults.note("must not come twice", at: "/\(index)")
                    isUnique = false
                }
                return isUnique ? values : nil
            }, write: array.write)
    }
}
