internal import CCurl

extension CurlTransfer {
    func configure(_ request: HTTPRequest) throws(CurlError) {
        try request.validate()
        try setErrorBuffer()
        try setString(CURLOPT_URL, request.url)
        try setString(CURLOPT_PROTOCOLS_STR, "http,https")
        try setString(CURLOPT_USERAGENT, "warren")
        try setLong(CURLOPT_FOLLOWLOCATION, 0)
        // HTTP/1.1 has one request at a time on a connection, so a large upload delays no other request.
        try setLong(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        // Without this option libcurl may use SIGALRM to end slow name look-ups (CURLOPT_NOSIGNAL(3)).
        try setLong(CURLOPT_NOSIGNAL, 1)
        try setLong(CURLOPT_SSL_VERIFYPEER, 1)
        try setLong(CURLOPT_SSL_VERIFYHOST, 2)
        try setTimeouts(request.timeouts)
        try check(warren_easy_set_write(easy, CURLOPT_WRITEFUNCTION, CurlReceiver.write))
        try setPointer(CURLOPT_WRITEDATA, receiver.context)
        try check(warren_easy_set_write(easy, CURLOPT_HEADERFUNCTION, CurlReceiver.header))
        try setPointer(CURLOPT_HEADERDATA, receiver.context)
        try check(
            warren_easy_set_offset(easy, CURLOPT_MAXFILESIZE_LARGE, curl_off_t(max(1, request.maximumResponseSize))))
        try setBody(request)
        try setHeaders(request.headers)
    }

    private func setTimeouts(_ timeouts: HTTPRequest.Timeouts) throws(CurlError) {
        try setLong(CURLOPT_CONNECTTIMEOUT_MS, timeouts.connect.milliseconds)
        try setLong(CURLOPT_TIMEOUT_MS, timeouts.total.milliseconds)
        try setLong(CURLOPT_LOW_SPEED_TIME, max(1, Int(timeouts.lowSpeedTime.components.seconds)))
        try setLong(CURLOPT_LOW_SPEED_LIMIT, timeouts.lowSpeed)
    }

    private func setBody(_ request: HTTPRequest) throws(CurlError) {
        switch request.body {
        case .none:
            if request.method == "POST" || request.method == "PUT" || request.method == "PATCH" {
                try setBytes([])
            } else {
                try setLong(request.method == "HEAD" ? CURLOPT_NOBODY : CURLOPT_HTTPGET, 1)
            }
        case .bytes(let bytes): try setBytes(bytes)
        case .multipart(let parts): try setParts(parts)
        }
        try setString(CURLOPT_CUSTOMREQUEST, request.method)
    }

    private func setBytes(_ bytes: [UInt8]) throws(CurlError) {
        let body = CurlBody(bytes)
        bodies.append(body)
        try setLong(CURLOPT_POST, 1)
        try check(warren_easy_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count)))
        try check(warren_easy_set_read(easy, CurlBody.read))
        try setPointer(CURLOPT_READDATA, body.context)
        try check(warren_easy_set_seek(easy, CurlBody.seek))
        try setPointer(CURLOPT_SEEKDATA, body.context)
    }

    private func setParts(_ parts: [HTTPRequest.Part]) throws(CurlError) {
        mime = curl_mime_init(easy)
        for part in parts {
            guard let entry = curl_mime_addpart(mime) else { throw CurlError(CURLE_OUT_OF_MEMORY) }
            try check(curl_mime_name(entry, part.name))
            if let fileName = part.fileName { try check(curl_mime_filename(entry, fileName)) }
            if let contentType = part.contentType { try check(curl_mime_type(entry, contentType)) }
            let body = CurlBody(part.bytes)
            bodies.append(body)
            // The free function is nil, because the transfer owns the body (curl_mime_data_cb(3)).
            try check(
                curl_mime_data_cb(
                    entry, curl_off_t(body.count), CurlBody.read, CurlBody.seek, nil, body.context))
        }
        try setPointer(CURLOPT_MIMEPOST, UnsafeMutableRawPointer(mime))
    }

    private func setHeaders(_ headers: [(name: String, value: String)]) throws(CurlError) {
        // A semicolon in place of the colon makes libcurl send a header without a value (CURLOPT_HTTPHEADER(3)).
        var lines = headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
        let names = Set(headers.map { $0.name.lowercased() })
        if !names.contains("content-type"), mime == nil {
            // A name without a value removes the Content-Type that libcurl adds to every POST (CURLOPT_HTTPHEADER(3)).
            lines.append("Content-Type:")
        }
        // Removes the Expect header, because with it libcurl waits up to a second for the server's 100 Continue.
        lines.append("Expect:")
        for line in lines {
            guard let list = curl_slist_append(headerList, line) else { throw CurlError(CURLE_OUT_OF_MEMORY) }
            headerList = list
        }
        try setPointer(CURLOPT_HTTPHEADER, headerList)
    }
}

extension Duration {
    /// The duration in whole milliseconds, from 1 to `Int32.max`. libcurl takes 0 as no limit, or as its default for
    /// connecting.
    fileprivate var milliseconds: Int {
        let (seconds, attoseconds) = components
        guard seconds < Int64(Int32.max) / 1000 else { return Int(Int32.max) }
        return max(1, Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000))
    }
}
