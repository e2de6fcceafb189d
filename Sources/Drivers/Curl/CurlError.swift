internal import CCurl

/// Why a request got no response.
package struct CurlError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of a failure; compare it with the constants, of which later versions may have more.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name, for logs.
        package let description: String

        private init(_ name: String) {
            description = name
        }

        /// The request cannot be sent as it is: its URL, its method or a header is malformed.
        package static let invalidRequest = Code("invalidRequest")
        /// The host's name does not resolve, or nothing takes the connection; nothing was sent.
        package static let couldNotConnect = Code("couldNotConnect")
        /// One of the request's time limits was reached.
        package static let timedOut = Code("timedOut")
        /// TLS failed, or the certificate cannot be trusted; nothing was sent.
        package static let tls = Code("tls")
        /// The connection broke before the response was whole.
        package static let cut = Code("cut")
        /// The response's body is larger than the request allows.
        package static let tooLarge = Code("tooLarge")
        /// The task was cancelled or the client closed.
        package static let cancelled = Code("cancelled")
        /// libcurl failed in another way, with this code of libcurl-errors(3).
        package static func other(_ code: UInt32) -> Code { Code("curl \(code)") }
    }

    /// The kind of the failure.
    package let code: Code
    /// What libcurl says of it.
    package let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The kind and what libcurl says of it.
    package var description: String {
        "\(code): \(message)"
    }

    /// - Parameter detail: what CURLOPT_ERRORBUFFER holds; where it is empty, the code's own text stands in.
    init(_ code: CURLcode, detail: String = "") {
        // curl_easy_strerror(3) returns a constant string for every code, known or not.
        let text = curl_easy_strerror(code).map { String(cString: $0) } ?? ""
        self.init(Self.kind(code), detail.isEmpty ? text : detail)
    }

    init(_ code: CURLMcode) {
        let text = curl_multi_strerror(code).map { String(cString: $0) } ?? ""
        self.init(.other(UInt32(bitPattern: code.rawValue)), text)
    }

    private static func kind(_ code: CURLcode) -> Code {
        switch code {
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: .invalidRequest
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT: .couldNotConnect
        case CURLE_OPERATION_TIMEDOUT: .timedOut
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_PINNEDPUBKEYNOTMATCH:
            .tls
        case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR: .cut
        case CURLE_FILESIZE_EXCEEDED: .tooLarge
        case CURLE_ABORTED_BY_CALLBACK: .cancelled
        default: .other(code.rawValue)
        }
    }
}
