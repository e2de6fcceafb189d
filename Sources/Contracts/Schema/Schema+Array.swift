extension Schema {
    /// An array whose elements another schema describes.
    ///
    /// - Parameter max: the maximum number of elements.
    package static func array<Element: Sendable>(of element: Schema<Element>, max: Int? = nil) -> Schema
    where Value == [Element] {
        let (read, write) = (element.read, element.write)
        return Schema(
            shape: .array(ArrayShape(items: element.shape, maximumCount: max)),
            read: { json, faults in
                guard case .array(let elements) = json else {
                    faults.add("must be an array")
                    return nil
                }
                if let max, elements.count > max {
                    faults.add("must have at most \(max) elements")
                    return nil
                }
                var values: [Element] = []
                values.reserveCapacity(elements.count)
                for (index, json) in elements.enumerated() {
                    let first = faults.count
                    if let value = read(json, &faults) { values.append(value) }
                    faults.prependPointer(from: first, String(index))
                }
                return values.count == elements.count ? values : nil
            },
            write: { values, writer in
                writer.beginArray()
                for value in values { write(value, &writer) }
                writer.endArray()
            })
    }

    /// An array, optionally without equal elements.
    ///
    /// - Parameters:
    ///   - max: the maximum number of elements.
    ///   - unique: whether an element that equals an earlier one is a fault.
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
                    faults.add("must not repeat an earlier element", at: "/\(index)")
                    isUnique = false
                }
                return isUnique ? values : nil
            }, write: array.write)
    }
}
