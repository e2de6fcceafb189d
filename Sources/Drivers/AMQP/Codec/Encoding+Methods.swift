extension OutputBuffer {
    /// Appends a frame. The closure appends the frame's payload.
    ///
    /// - Returns: the size of the frame, or `nil` if the closure returns `false`.
    private mutating func appendFrame(
        _ type: UInt8, channel: UInt16, _ payload: (inout OutputBuffer) -> Bool
    ) -> Int? {
        append(type)
        append(channel)
        let payloadStart = appendLength()
        guard payload(&self) else { return nil }
        let payloadSize = count - payloadStart
        fillLength(at: payloadStart)
        append(FrameType.end)
        return payloadSize + FrameType.overhead
    }

    private mutating func appendMethod(
        _ method: UInt32, channel: UInt16, _ arguments: (inout OutputBuffer) -> Void = { _ in }
    ) {
        _ = appendFrame(FrameType.method, channel: channel) { buffer in
            buffer.append(method)
            arguments(&buffer)
            return true
        }
    }

    mutating func appendHeartbeat() {
        _ = appendFrame(FrameType.heartbeat, channel: 0) { _ in true }
    }

    /// Appends basic.publish with its header and body frames.
    ///
    /// - Parameter frameMaximum: the negotiated maximum size of a frame, at least 4096.
    /// - Returns: `false`, with the buffer unchanged, if a text is longer than 255 bytes, the headers are nested too
    ///   deeply, or the content header exceeds a frame.
    mutating func appendPublish(_ message: borrowing OutgoingMessage, channel: UInt16, frameMaximum: Int) -> Bool {
        let start = count
        let method = appendFrame(FrameType.method, channel: channel) { buffer in
            buffer.append(MethodID.basicPublish)
            buffer.append(UInt16(0))
            guard buffer.appendShort(message.exchange), buffer.appendShort(message.routingKey) else { return false }
            buffer.append(UInt8(message.isMandatory ? 1 : 0))
            return true
        }
        let header =
            method == nil
            ? nil
            : appendFrame(FrameType.header, channel: channel) { buffer in
                buffer.append(UInt16(truncatingIfNeeded: MethodID.basicPublish >> 16))
                buffer.append(UInt16(0))
                buffer.append(UInt64(message.body.count))
                return buffer.append(message.properties)
            }
        guard let header, header <= frameMaximum else {
            rewind(toCount: start)
            return false
        }
        message.body.withUnsafeBytes { body in
            appendBody(body, channel: channel, frameMaximum: frameMaximum)
        }
        return true
    }

    private mutating func appendBody(_ body: UnsafeRawBufferPointer, channel: UInt16, frameMaximum: Int) {
        let payloadMaximum = max(1, frameMaximum - FrameType.overhead)
        var offset = 0
        while offset < body.count {
            let end = min(body.count, offset + payloadMaximum)
            _ = appendFrame(FrameType.body, channel: channel) { buffer in
                buffer.append(UnsafeRawBufferPointer(rebasing: body[offset..<end]))
                return true
            }
            offset = end
        }
    }

    mutating func appendAck(_ tag: UInt64, multiple: Bool, channel: UInt16) {
        appendMethod(MethodID.basicAck, channel: channel) { buffer in
            buffer.append(tag)
            buffer.append(UInt8(multiple ? 1 : 0))
        }
    }

    mutating func appendReject(_ tag: UInt64, requeue: Bool, channel: UInt16) {
        appendMethod(MethodID.basicReject, channel: channel) { buffer in
            buffer.append(tag)
            buffer.append(UInt8(requeue ? 1 : 0))
        }
    }

    /// Appends channel.open. The broker answers with channel.open-ok.
    mutating func appendChannelOpen(channel: UInt16) {
        appendMethod(MethodID.channelOpen, channel: channel) { _ = $0.appendShort("") }
    }

    /// Appends basic.qos for the consumers that are started on the channel afterwards. The broker answers with
    /// basic.qos-ok.
    mutating func appendPrefetch(_ count: UInt16, channel: UInt16) {
        appendMethod(MethodID.basicQos, channel: channel) { buffer in
            buffer.append(UInt32(0))
            buffer.append(count)
            buffer.append(UInt8(0))
        }
    }

    /// Appends basic.consume for deliveries that are acknowledged. The broker chooses the consumer tag, and answers
    /// with basic.consume-ok.
    ///
    /// - Returns: `false`, with the buffer unchanged, if the queue's name is longer than 255 bytes.
    mutating func appendConsume(_ queue: String, isExclusive: Bool, priority: Int32, channel: UInt16) -> Bool {
        guard queue.utf8.count <= UInt8.max else { return false }
        var arguments = Headers()
        if priority != 0 { arguments["x-priority"] = .int64(Int64(priority)) }
        appendMethod(MethodID.basicConsume, channel: channel) { buffer in
            buffer.append(UInt16(0))
            _ = buffer.appendShort(queue)
            _ = buffer.appendShort("")
            // The bits no-local, no-ack, exclusive and no-wait.
            buffer.append(UInt8(isExclusive ? 4 : 0))
            _ = buffer.append(arguments)
        }
        return true
    }

    /// Appends basic.cancel. The broker answers with basic.cancel-ok.
    mutating func appendCancel(consumerTag: String, channel: UInt16) {
        appendMethod(MethodID.basicCancel, channel: channel) { buffer in
            // The result is ignored: the broker sent the tag as a short string, so the tag is short enough.
            _ = buffer.appendShort(consumerTag)
            buffer.append(UInt8(0))
        }
    }

    mutating func appendFlowOK(isActive: Bool, channel: UInt16) {
        appendMethod(MethodID.channelFlowOK, channel: channel) { $0.append(UInt8(isActive ? 1 : 0)) }
    }

    /// Appends confirm.select. The broker answers with confirm.select-ok, and confirms the messages of the channel from
    /// then on.
    mutating func appendSelectConfirms(channel: UInt16) {
        appendMethod(MethodID.confirmSelect, channel: channel) { $0.append(UInt8(0)) }
    }

    /// Appends channel.close. The broker answers with channel.close-ok.
    mutating func appendChannelClose(channel: UInt16) {
        appendMethod(MethodID.channelClose, channel: channel) { buffer in
            buffer.append(UInt16(200))
            _ = buffer.appendShort("closed")
            buffer.append(UInt32(0))
        }
    }

    mutating func appendChannelCloseOK(channel: UInt16) {
        appendMethod(MethodID.channelCloseOK, channel: channel)
    }

    mutating func appendConnectionClose() {
        appendMethod(MethodID.connectionClose, channel: 0) { buffer in
            buffer.append(UInt16(200))
            _ = buffer.appendShort("closed")
            buffer.append(UInt32(0))
        }
    }

    mutating func appendConnectionCloseOK() {
        appendMethod(MethodID.connectionCloseOK, channel: 0)
    }
}
