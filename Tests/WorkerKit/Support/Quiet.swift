import Logging

/// What is logged is looked at by no test, save those of the log itself.
let quiet = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }
