internal import CPostgres

/// The parameters of one statement, in the form that libpq takes. Reusing a buffer for further statements saves
/// allocations.
package struct ParameterBuffer {
    private(set) var types: [UInt32] = []
    /// The error of the first parameter that cannot be sent; `nil` if the statement can be sent.
    private(set) var error: PostgresError?
    private var bytes: [UInt8] = []
    /// The position of each parameter in `bytes`, or -1 for NULL.
    private var offsets: [Int] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []
    private var pointers: [UnsafePointer<CChar>?] = []

    init() {}

    var count: Int { types.count }

    mutating func removeAll() {
        error = nil
        bytes.removeAll(keepingCapacity: true)
        types.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        formats.removeAll(keepingCapacity: true)
    }

    private mutating func refuse(_ message: String) {
        if error == nil { error = PostgresError(.invalidParameter, "parameter $\(count) \(message)") }
    }

    // MARK: One parameter

    mutating func appendNull(type: UInt32) {
        begin(type: type, format: 1)
        offsets[offsets.count - 1] = -1
    }

    /// Appends a parameter in text format. The text must not contain NUL, because libpq takes NUL as its end.
    mutating func appendText(_ text: String) {
        begin(type: TypeID.inferred, format: 0)
        appendTextBytes(text)
        end()
    }

    mutating func appendInteger(_ value: some FixedWidthInteger, type: UInt32) {
        begin(type: type, format: 1)
        appendBigEndian(value)
        end()
    }

    mutating func appendValue(type: UInt32, _ append: (inout ParameterBuffer) -> Void) {
        begin(type: type, format: 1)
        append(&self)
        end()
    }

    private mutating func begin(type: UInt32, format: Int32) {
        types.append(type)
        formats.append(format)
        offsets.append(bytes.count)
        lengths.append(0)
    }

    private mutating func end() {
        let length = bytes.count - offsets[offsets.count - 1]
        if length > Int(Int32.max) / 2 { refuse("is larger than 1 GiB") }
        lengths[lengths.count - 1] = Int32(truncatingIfNeeded: length)
        bytes.append(0)
    }

    // MARK: Bytes of a parameter

    mutating func appendBytes(_ value: [UInt8]) {
        bytes.append(contentsOf: value)
    }

    mutating func appendBigEndian(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func appendTextBytes(_ text: String) {
        let start = bytes.count
        bytes.append(contentsOf: text.utf8)
        if bytes[start...].contains(0) { refuse("contains NUL, which PostgreSQL does not allow in a text") }
    }

    /// Appends an array element: its length in bytes, then its bytes. The length is filled in after the bytes are
    /// appended.
    mutating func appendSized(_ append: (inout ParameterBuffer) -> Void) {
        let start = bytes.count
        appendBigEndian(0 as Int32)
        append(&self)
        let length = Int32(truncatingIfNeeded: bytes.count - start - 4)
        withUnsafeBytes(of: length.bigEndian) { length in
            for index in 0..<4 { bytes[start + index] = length[index] }
        }
    }

    // MARK: Calls of libpq

    /// Passes the parameters to a function of libpq. The pointers are valid only during the call. That is sufficient,
    /// because libpq copies the parameters into its output buffer before it returns (PQsendQueryPrepared).
    mutating func withArrays<Result>(
        _ body: (Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?) -> Result
    ) -> Result {
        bytes.withUnsafeBytes { raw in
            pointers.removeAll(keepingCapacity: true)
            for offset in offsets {
                let start = offset < 0 ? nil : raw.baseAddress.map { $0 + offset }
                pointers.append(start?.assumingMemoryBound(to: CChar.self))
            }
            return pointers.withUnsafeBufferPointer { pointers in
                lengths.withUnsafeBufferPointer { lengths in
                    formats.withUnsafeBufferPointer { formats in
                        body(
                            Int32(pointers.count), pointers.baseAddress, lengths.baseAddress, formats.baseAddress)
                    }
                }
            }
        }
    }
}
