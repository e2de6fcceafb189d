import ArgumentParser
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging

/// The command: a server on this machine that speaks Cloudinary's upload, destroy and delivery API.
@main
struct CloudinaryLocal: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cloudinary-local",
        abstract: "Speaks Cloudinary's upload, destroy and delivery API, with its files on this machine.",
        discussion: """
            The API secret is read from --secret-file, or else from the environment's CLOUDINARY_SECRET. \
            Whoever reaches the address may order faults and list the files: keep it on loopback.
            """)

    @Option(help: "Where to listen, as HOST:PORT.")
    var address: Address
    @Option(help: "What the URLs in replies begin with, where clients reach it by another one than http://ADDRESS.")
    var origin: String?
    @Option(help: "The cloud's name.")
    var cloud: String
    @Option(help: "The API key that clients must give.")
    var key: String
    @Option(help: "A file that holds the API secret.")
    var secretFile: String?
    @Option(help: "The directory that keeps the files; it is made where it is missing.")
    var directory: String

    func run() async throws {
        LoggingSystem.bootstrap { _ in JSONLogHandler(service: "cloudinary-local") }
        let logger = Logger(label: "cloudinary-local")
        let account = Account(cloud: cloud, key: key, secret: try Secret.read(file: secretFile))
        let server = LocalServer(
            account: account, origin: origin ?? "http://\(address)", store: try AssetStore(directory: directory),
            logger: logger)
        let address = address
        let application = Application(
            responder: server, server: .answeringExpectations,
            configuration: ApplicationConfiguration(address: .hostname(address.host, port: address.port)),
            onServerRunning: { _ in logger.info("ready", metadata: ["address": "\(address)"]) },
            logger: logger)
        try await application.runService()
        logger.info("stopped")
    }
}

extension HTTPServerBuilder {
    /// HTTP/1.1 that answers `Expect: 100-continue`, without which libcurl waits a second before it sends a large body.
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
