import ArgumentParser
import HTTPTypes
import Hummingbird
import HummingbirdCore
import JSONLogging
import Logging

/// The command `cloudinary-local`: a server with Cloudinary's upload, destroy and delivery API.
@main
struct CloudinaryLocal: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cloudinary-local",
        abstract: "Serve Cloudinary's upload, destroy and delivery API from a local directory.",
        discussion: """
            The API secret is read from --secret-file, or from the environment variable CLOUDINARY_SECRET. \
            Anyone who can reach the address can set faults and list the files, so use a loopback address.
            """)

    @Option(help: "The address to listen on, as HOST:PORT.")
    var address: ListenAddress
    @Option(help: "The beginning of URLs in responses, if clients use another address. (default: http://ADDRESS)")
    var origin: String?
    @Option(help: "The name of the cloud.")
    var cloud: String
    @Option(help: "The API key that clients must send.")
    var key: String
    @Option(help: "A file that contains the API secret.")
    var secretFile: String?
    @Option(help: "The directory for the files; it is created if it is missing.")
    var directory: String

    func run() async throws {
        let writer = JSONLogHandler.standardError(service: "cloudinary-local")
        LoggingSystem.bootstrap { _ in JSONLogHandler(service: "cloudinary-local", level: .info, to: writer) }
        let logger = Logger(label: "cloudinary-local")
        let account = Account(cloud: cloud, key: key, secret: try APISecret.read(file: secretFile))
        let responder = CloudinaryResponder(
            account: account, origin: origin ?? "http://\(address)", store: try AssetStore(directory: directory),
            logger: logger)
        let address = address
        let application = Application(
            responder: responder, server: .answeringExpectations,
            configuration: ApplicationConfiguration(address: .hostname(address.host, port: address.port)),
            onServerRunning: { _ in logger.info("ready", metadata: ["address": "\(address)"]) },
            logger: logger)
        try await application.runService()
        logger.info("stopped")
        writer.flush(within: .seconds(1))
    }
}

extension HTTPServerBuilder {
    /// An HTTP/1.1 server that responds to `Expect: 100-continue`. Without this response, libcurl waits a second before
    /// it sends a large body.
    static var answeringExpectations: HTTPServerBuilder {
        HTTPServerBuilder { responder in
            HTTP1Channel(responder: { request, writer, channel in
                if request.headers[.expect]?.lowercased() == "100-continue" {
                    try await writer.writeInformationalHead(HTTPResponse(status: .continue))
                }
                try await responder(request, writer, channel)
            })
        }
    }
}
