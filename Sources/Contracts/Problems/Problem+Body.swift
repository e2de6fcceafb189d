extension Problem {
    /// The body of the reply.
    ///
    /// - Parameter traceId: of the trace that the request belongs to, 32 hexadecimal digits; `null` where there is none.
    package func body(traceId: String?) -> [UInt8] {
        JSONWriter.bytes { write(to: &$0, traceId: traceId) }
    }

    /// Appends the body of the reply to what the writer has.
    package func write(to writer: inout JSONWriter, traceId: String?) {
        writer.beginObject()
        writer.name("type")
        writer.string(code.type)
        writer.name("title")
        writer.string(code.title)
        writer.name("status")
        writer.integer(code.status)
        writer.name("detail")
        writer.string(detail ?? standingDetail)
        writer.name("code")
        writer.string(code.code)
        writer.name("traceId")
        if let traceId { writer.string(traceId) } else { writer.null() }
        if !faults.isEmpty { writeFaults(to: &writer) }
        writer.endObject()
    }

    private var standingDetail: String {
        switch faults.count {
        case 0: code.title + "."
        case 1: "One thing is wrong with it."
        case let count: "\(count) things are wrong with it."
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
