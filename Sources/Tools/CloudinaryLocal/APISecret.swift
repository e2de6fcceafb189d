import ArgumentParser
import FoundationEssentials

/// Reads the API secret. It is not an argument, because all users of the machine can see the arguments of a process.
enum APISecret {
    static let variable = "CLOUDINARY_SECRET"

    /// Reads the secret from a file if one is given, otherwise from the environment.
    ///
    /// White space at the end of the file is ignored.
    ///
    /// - Throws: a `ValidationError` if the file cannot be read, is not UTF-8, or the secret is missing.
    static func read(file: String?) throws -> String {
        let secret: String
        if let file {
            guard let data = FileManager.default.contents(atPath: file),
                let text = String(validating: data, as: UTF8.self)
            else { throw ValidationError("The secret file '\(file)' cannot be read, or is not UTF-8.") }
            secret = String(text.reversed().drop { $0.isWhitespace }.reversed())
        } else {
            secret = ProcessInfo.processInfo.environment[variable] ?? ""
        }
        guard !secret.isEmpty else {
            throw ValidationError("The API secret is missing: pass --secret-file FILE or set \(variable).")
        }
        return secret
    }
}
