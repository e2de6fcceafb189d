import Foundation
import TestSupport

/// A proxy that ends TLS in front of the broker.
struct TLSProxy {
    /// The proxy did not start.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// The port that the proxy listens on.
    let port: Int
    /// The file with the proxy's certificate, which signs itself.
    let certificate: String
    private let process: Process
    private let folder: TemporaryFolder

    /// Refuses a handshake whose server name (SNI) is not the expected one, and prints its port.
    private static let script = """
        import socket, ssl, sys, threading
        address, target, folder, name = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4] or None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{folder}/certificate.pem", f"{folder}/key.pem")
        context.sni_callback = lambda _, sent, __: (
            None if sent == name else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME)

        def copy(source, sink):
            try:
                while data := source.recv(65536):
                    sink.sendall(data)
            except OSError:
                pass
            finally:
                for end in source, sink:
                    try:
                        end.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass

        def serve(client):
            try:
                client = context.wrap_socket(client, server_side=True)
                server = socket.create_connection(("127.0.0.1", target))
            except OSError:
                return
            threading.Thread(target=copy, args=(server, client), daemon=True).start()
            copy(client, server)

        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.create_server((address, 0), family=family)
        print(listener.getsockname()[1], flush=True)
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
        """

    /// Starts a proxy.
    ///
    /// - Parameters:
    ///   - target: the broker's port on 127.0.0.1.
    ///   - address: the address to listen on.
    ///   - subject: the subject alternative name of the certificate, such as `DNS:broker.test`.
    ///   - serverName: the server name that clients must send; empty if they must send none.
    static func start(
        to target: Int, on address: String = "127.0.0.1", subject: String, serverName: String
    ) async throws -> TLSProxy {
        try await onThreads {
            let folder = try TemporaryFolder()
            var isStarted = false
            defer { if !isStarted { folder.remove() } }
            let certificate = folder.path("certificate.pem")
            let openssl = try run(
                "/usr/bin/openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
                    "-subj", "/CN=test", "-addext", "subjectAltName=\(subject)", "-keyout", folder.path("key.pem"),
                    "-out", certificate,
                ], output: FileHandle.nullDevice)
            openssl.waitUntilExit()
            guard openssl.terminationStatus == 0 else { throw Failure(description: "openssl made no certificate") }
            let output = Pipe()
            let python = try run(
                "/usr/bin/python3", ["-c", script, address, String(target), folder.path, serverName], output: output)
            let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
            guard let port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines)) else {
                python.terminate()
                throw Failure(description: "the proxy printed no port: \(line)")
            }
            isStarted = true
            return TLSProxy(port: port, certificate: certificate, process: python, folder: folder)
        }
    }

    /// Ends the proxy's process and deletes its files.
    func stop() {
        // SIGKILL is used, because the process may have inherited a signal mask that blocks SIGTERM.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        folder.remove()
    }

    private static func run(_ path: String, _ arguments: [String], output: Any) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }
}
