/// The weight of a request: how many ordinary requests the rate limits count this request as. It grows with the work
/// that the request causes.
enum RequestWeight {
    /// The weight of a search, which can scan a large part of the index.
    static let search = 10
    /// Each 500 elements before a numbered page add 1 to the weight, because the database must skip them.
    private static let elementsPerUnit = 500
    /// The maximum that the elements before a page add to the weight.
    private static let maximumPageUnits = 50
    /// The number of elements of a page whose request does not state it.
    private static let defaultLimit = 20
    /// The number of bytes of an upload that add one to the weight.
    private static let bytesPerUnit = 256 * 1024

    /// Returns the weight of a request with parameters.
    ///
    /// - Parameter base: the weight of the route.
    static func list(_ parameters: [Parameter], base: Int) -> Int {
        func number(_ name: String, default value: Int, in range: ClosedRange<Int>) -> Int {
            let number = parameters.first { $0.name == name }.flatMap { Int($0.value) } ?? value
            return min(max(number, range.lowerBound), range.upperBound)
        }
        let skipped =
            (number("page", default: 1, in: 1...1_000_000) - 1) * number("limit", default: defaultLimit, in: 1...100)
        return base + min(skipped / elementsPerUnit, maximumPageUnits)
    }

    /// Returns the weight of an upload.
    ///
    /// - Parameters:
    ///   - length: the length of the body that the client states; `nil` if it states none.
    ///   - limit: the maximum length, which counts if the client states no length.
    static func upload(length: Int?, limit: Int) -> Int {
        1 + min(max(0, length ?? limit), limit) / bytesPerUnit
    }
}
