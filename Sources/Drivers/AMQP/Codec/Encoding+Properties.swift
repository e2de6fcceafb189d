extension OutputBuffer {
    /// Appends the property flags and the properties that are set.
    ///
    /// - Returns: `false` if a text or a header's name is longer than 255 bytes, or the headers are nested too deeply.
    mutating func append(_ properties: borrowing Properties) -> Bool {
        append(Self.flags(of: properties))
        guard appendOptional(properties.contentType), appendOptional(properties.contentEncoding) else { return false }
        if !properties.headers.isEmpty {
            guard append(properties.headers) else { return false }
        }
        append(UInt8(properties.isPersistent ? 2 : 1))
        if let priority = properties.priority { append(priority) }
        guard appendOptional(properties.correlationID), appendOptional(properties.replyTo) else { return false }
        if let expiration = properties.expiration {
            guard appendShort(String(expiration)) else { return false }
        }
        guard appendOptional(properties.messageID) else { return false }
        if let timestamp = properties.timestamp { append(timestamp) }
        return appendOptional(properties.type) && appendOptional(properties.userID) && appendOptional(properties.appID)
    }

    private mutating func appendOptional(_ text: String?) -> Bool {
        guard let text else { return true }
        return appendShort(text)
    }

    private static func flags(of properties: borrowing Properties) -> UInt16 {
        var flags = PropertyFlag.deliveryMode
        if properties.contentType != nil { flags |= PropertyFlag.contentType }
        if properties.contentEncoding != nil { flags |= PropertyFlag.contentEncoding }
        if !properties.headers.isEmpty { flags |= PropertyFlag.headers }
        if properties.priority != nil { flags |= PropertyFlag.priority }
        if properties.correlationID != nil { flags |= PropertyFlag.correlationID }
        if properties.replyTo != nil { flags |= PropertyFlag.replyTo }
        if properties.expiration != nil { flags |= PropertyFlag.expiration }
        if properties.messageID != nil { flags |= PropertyFlag.messageID }
        if properties.timestamp != nil { flags |= PropertyFlag.timestamp }
        if properties.type != nil { flags |= PropertyFlag.type }
        if properties.userID != nil { flags |= PropertyFlag.userID }
        if properties.appID != nil { flags |= PropertyFlag.appID }
        return flags
    }
}
