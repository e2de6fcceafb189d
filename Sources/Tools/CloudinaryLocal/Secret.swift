import ArgumentParser
import FoundationEssentials

/// Where the API secret comes from.
enum Secret {
    static let variable = "CLOUDINARY_SECRET"

    /// Reads the secret from a file where one is named, else from the environment.
    ///
    /// - Throws: a `ValidationError` that names what is missing.
    static func read(file: String?) throws -> String {
        let secret: String
        if let file {
            guard let data = FileManager.default.contents(atPath: file),
                let text = String(validating: data, as: UTF8.self)
            else { throw ValidationError("The secret file '\(file)' cannot be read as text.") }
            secret = String(text.reversed().drop { $0.isWhitespace }.reversed())
        } else {
            secret = ProcessInfo.processInfo.environment[variable] ?? ""
        }
        guard !secret.isEmpty else {
            throw ValidationError("The API secret is missing: give --secret-file or set \(variable).")
        }
        return secret
    }
}
