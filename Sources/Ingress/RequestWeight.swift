/// The weight of a request: the number of ordinary requests as which the rate limits count it. It grows with the work
/// that the request causes.
enum RequestWeight {
    /// The weight of a search, which can scan a large part of the index.
    static let search = 5
    /// The number of pages of a numbered list that add one to the weight, because the database counts off all earlier
    /// elements.
    private static let pagesPerUnit = 10
    /// The maximum that the number of a page adds to the weight.
    private static let maximumPageUnits = 20
    /// The number of bytes of an upload that add one to the weight.
    private static let bytesPerUnit = 256 * 1024

    /// Returns the weight of a request with parameters.
    ///
    /// - Parameter base: the weight of the route.
    static func list(_ parameters: [Parameter], base: Int) -> Int {
        let page = parameters.first { $0.name == "page" }.flatMap { Int($0.value) } ?? 1
        return base + min((max(1, page) - 1) / pagesPerUnit, maximumPageUnits)
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
