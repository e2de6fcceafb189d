import ASCII
import Crypto
import FoundationEssentials

/// The server's only account. It signs responses and authenticates requests.
struct Account: Sendable {
    let cloud: String
    let key: String
    let secret: String

    /// Parameters of a request that its signature does not cover.
    static let unsigned: Set = ["file", "cloud_name", "resource_type", "api_key", "signature"]

    /// Returns the string that is signed together with the secret.
    ///
    /// An ampersand in a value is written as `%26`, so that one value cannot be mistaken for two parameters. Source:
    /// Cloudinary, "Generating authentication signatures".
    static func stringToSign(_ parameters: [String: String]) -> String {
        parameters
            .filter { !unsigned.contains($0.key) && !$0.value.isEmpty }
            .sorted { $0.key < $1.key }
            .map { "\($0.key)=\($0.value.replacing("&", with: "%26"))" }
            .joined(separator: "&")
    }

    /// Returns the SHA-1 signature of a string in hex. Signatures in responses always have this form.
    func sha1(_ string: String) -> String {
        Insecure.SHA1.hash(data: Array((string + secret).utf8)).hexadecimal
    }

    /// Returns the SHA-256 signature of a string in hex. A client can sign a request with it instead of SHA-1.
    func sha256(_ string: String) -> String {
        SHA256.hash(data: Array((string + secret).utf8)).hexadecimal
    }
}

extension Account {
    /// The largest difference between a timestamp and the current time, in seconds.
    static let validity = 3600

    /// Checks a request's key, signature and timestamp, in that order.
    ///
    /// - Throws: an ``APIError`` with Cloudinary's status and message for the fault.
    func authenticate(_ parameters: [String: String], now: Date = .now) throws(APIError) {
        func required(_ name: String) throws(APIError) -> String {
            guard let value = parameters[name], !value.isEmpty else { throw .missing(name) }
            return value
        }
        let timestamp = try required("timestamp")
        let given = try required("signature")
        let key = try required("api_key")
        guard key == self.key else { throw APIError(401, "Unknown API key \(key)") }
        let string = Self.stringToSign(parameters)
        guard given == (given.utf8.count == 64 ? sha256(string) : sha1(string)) else {
            throw APIError(401, "Invalid Signature \(given). String to sign - '\(string)'.")
        }
        guard let seconds = Int64(timestamp), (0...4_102_444_800).contains(seconds) else {
            throw APIError(400, "Invalid timestamp \(timestamp)")
        }
        let time = Date(timeIntervalSince1970: TimeInterval(seconds))
        let age = now.timeIntervalSince(time)
        guard age <= TimeInterval(Self.validity) else {
            throw APIError(
                400, "Stale request - reported time is \(time.cloudinaryText) which is more than 1 hour ago")
        }
        guard age >= -TimeInterval(Self.validity) else {
            throw APIError(
                400, "Invalid request - reported time is \(time.cloudinaryText) which is more than 1 hour ahead")
        }
    }
}

extension Date {
    /// The time in the form `2015-06-20 12:59:41 +0000`.
    fileprivate var cloudinaryText: String {
        formatted(.iso8601).replacing("T", with: " ").replacing("Z", with: " +0000")
    }
}
