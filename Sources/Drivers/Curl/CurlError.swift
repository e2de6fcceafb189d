internal import CCurl
package import Reactor

/// The reason why a request got no response.
package struct CurlError: CodedError {
    /// The kind of failure.
    package let code: ErrorCode<CurlError>
    /// libcurl's description of the failure, or the driver's.
    package let message: String
    /// The place in Warren's source that made the error.
    package let location: ErrorLocation

    init(
        _ code: ErrorCode<CurlError>, _ message: String, fileID: StaticString = #fileID, line: UInt = #line
    ) {
        self.code = code
        self.message = message
        location = ErrorLocation(fileID: fileID, line: line)
    }

    /// Whether the same request can succeed later: the connection failed, a time limit passed, or the request was
    /// cancelled. The server may have carried out the request nevertheless.
    package var isTransient: Bool {
        switch code {
        case .couldNotConnect, .timedOut, .connectionLost, .cancelled: true
        default: false
        }
    }
}

extension ErrorCode where Failure == CurlError {
    /// The request cannot be sent, because its URL, its method or a header is malformed.
    package static var invalidRequest: Self { Self("invalid-request") }
    /// The host name does not resolve, or the host does not accept the connection. The request was not sent.
    package static var couldNotConnect: Self { Self("could-not-connect") }
    /// A time limit of the request passed.
    package static var timedOut: Self { Self("timed-out") }
    /// TLS failed, or the certificate cannot be trusted. The request was not sent.
    package static var tls: Self { Self("tls") }
    /// The connection broke before the response was complete.
    package static var connectionLost: Self { Self("connection-lost") }
    /// The response's body is larger than the request allows.
    package static var tooLarge: Self { Self("too-large") }
    /// The task was cancelled, or the client was closed.
    package static var cancelled: Self { Self("cancelled") }
    /// libcurl failed in another way. The number is libcurl's code (libcurl-errors(3)).
    package static func other(_ number: UInt32) -> Self { Self("curl-\(number)") }
}

extension CurlError {
    /// Makes an error from a code of libcurl.
    ///
    /// - Parameter detail: the text in CURLOPT_ERRORBUFFER; if it is empty, the code's own text is the message.
    init(_ code: CURLcode, detail: String = "", fileID: StaticString = #fileID, line: UInt = #line) {
        // curl_easy_strerror(3) returns a constant string for every code, also for an unknown one.
        let text = curl_easy_strerror(code).map { String(cString: $0) } ?? ""
        self.init(Self.kind(code), detail.isEmpty ? text : detail, fileID: fileID, line: line)
    }

    /// Makes the error of a request that was sent before its connection broke, and could not be sent again.
    static func lost(beforeAttempt error: CurlError) -> CurlError {
        CurlError(.connectionLost, "the connection broke, and the next attempt failed: \(error.message)")
    }

    init(_ code: CURLMcode, fileID: StaticString = #fileID, line: UInt = #line) {
        // curl_multi_strerror(3) returns a constant string, as curl_easy_strerror(3) does.
        let text = curl_multi_strerror(code).map { String(cString: $0) } ?? ""
        self.init(.other(UInt32(bitPattern: code.rawValue)), text, fileID: fileID, line: line)
    }

    private static func kind(_ code: CURLcode) -> ErrorCode<CurlError> {
        switch code {
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: .invalidRequest
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT: .couldNotConnect
        case CURLE_OPERATION_TIMEDOUT: .timedOut
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_PINNEDPUBKEYNOTMATCH:
            .tls
        case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR: .connectionLost
        case CURLE_FILESIZE_EXCEEDED: .tooLarge
        case CURLE_ABORTED_BY_CALLBACK: .cancelled
        default: .other(code.rawValue)
        }
    }
}
