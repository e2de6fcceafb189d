import Logging

/// A logger without output.
let quiet = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }
