internal import Foundation

/// A program to run: path, arguments and environment.
package struct Program: Sendable {
    /// The exit status and the whole output of a program.
    package struct Exit: Sendable {
        package let status: Int32
        package let output: String
        package let errors: String
    }

    /// The program could not be started, or did not end with status 0.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String

        package init(description: String) {
            self.description = description
        }
    }

    /// The path of the program, or its name in a folder of this process's `PATH`.
    package var path: String
    package var arguments: [String]
    /// The program's whole environment; by default that of this process.
    package var environment: [String: String]

    package init(
        path: String, arguments: [String] = [],
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
    }

    /// Runs the program until it exits, with any status.
    ///
    /// - Parameter limit: the time after which the program is killed.
    package func run(within limit: Duration = .seconds(90)) async throws -> Exit {
        let process = try start()
        defer { process.removeFiles() }
        let status = try await process.waitForExit(within: limit)
        return Exit(status: status, output: process.output, errors: process.errors)
    }

    /// Runs the program and returns its standard output.
    ///
    /// - Throws: ``Failure`` with the output if the exit status is not 0.
    @discardableResult package func runSuccessfully(within limit: Duration = .seconds(90)) async throws -> String {
        let exit = try await run(within: limit)
        guard exit.status == 0 else {
            throw Failure(description: "\(path) \(arguments) ended with \(exit.status): \(exit.output)\(exit.errors)")
        }
        return exit.output
    }

    /// Starts the program with its output in files.
    ///
    /// - Parameter errors: a file that gets standard error instead.
    package func start(errors: String? = nil) throws -> ChildProcess {
        let folder = FileManager.default.temporaryDirectory.appending(path: "warren-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        let file = { (name: String) in folder.appending(path: name).path(percentEncoded: false) }
        do {
            let pid = try spawn(output: .file(file("output")), errors: .file(errors ?? file("errors")))
            return ChildProcess(pid: pid, folder: folder)
        } catch {
            try? FileManager.default.removeItem(at: folder)
            throw error
        }
    }
}
