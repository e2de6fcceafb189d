extension Problem {
    /// Returns the body of the reply.
    ///
    /// - Parameter traceId: the W3C trace id of the request, 32 hexadecimal digits; `nil` is written as `null`.
    package func body(traceId: String?) -> [UInt8] {
        JSONWriter.bytes { write(to: &$0, traceId: traceId) }
    }

    /// Appends the body of the reply to a writer.
    package func write(to writer: inout JSONWriter, traceId: String?) {
        writer.beginObject()
        writer.name("type")
        writer.string(code.type)
        writer.name("title")
        writer.string(code.title)
        writer.name("status")
        writer.integer(code.status)
        writer.name("detail")
        writer.string(detail ?? defaultDetail)
        writer.name("code")
        writer.string(code.code)
        writer.name("traceId")
        if let traceId { writer.string(traceId) } else { writer.null() }
        if !faults.isEmpty { writeFaults(to: &writer) }
        writer.endObject()
    }

    private var defaultDetail: String {
        switch faults.count {
        case 0: code.title + "."
        case 1: "The \(faultyPart.rawValue) is not valid: it has one fault."
        case let count: "The \(faultyPart.rawValue) is not valid: it has \(count) faults."
        }
    }

    private func writeFaults(to writer: inout JSONWriter) {
        writer.name("errors")
        writer.array(of: faults) { writer, fault in
            writer.object {
                $0.name("pointer")
                $0.string(fault.pointer)
                $0.name("message")
                $0.string(fault.message)
            }
        }
    }
}
