internal import HTTPTypes
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes

/// The channel pipeline of an HTTP/1.1 connection: Hummingbird's pipeline with the limits and timeouts of the ingress.
/// The requests of a connection are handled on the connection's event loop.
struct IngressChannel: HTTPChannelHandler {
    typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    /// The maximum number of header fields in a request.
    private static let maximumFieldCount = 100

    /// The size of the kernel's send buffer of a connection, in bytes.
    private static let sendBuffer: SocketOptionValue = 128 * 1024

    let responder: Responder
    let timeouts: ConnectionTimeouts
    /// The maximum size of all header fields of a request together, in bytes.
    let headerBytes: Int
    let proxies: TrustedProxies
    let connections: ConnectionRegistry
    let makeErrorResponse: HTTPConnectionHandler.MakeErrorResponse
    let onStall: HTTPConnectionHandler.OnStall

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            var decoding = NIOHTTPDecoderLimitConfiguration()
            decoding.maxHeaderFieldSize = headerBytes
            decoding.maxHeaderListSize = headerBytes
            decoding.maxHeaderFieldCount = Self.maximumFieldCount
            let connection = HTTPConnectionHandler(
                timeouts: timeouts, slot: register(channel), makeErrorResponse: makeErrorResponse,
                onStall: onStall)
            // The kernel would give a connection up to 4 MiB (tcp(7), tcp_wmem), which no other limit counts. A small
            // buffer also shows sooner whether the client reads.
            try channel.syncOptions?.setOption(.socketOption(.so_sndbuf), value: Self.sendBuffer)
            // Writing waits as soon as a connection has this much unsent output.
            try channel.syncOptions?.setOption(.writeBufferWaterMark, value: .init(low: 8 * 1024, high: 16 * 1024))
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(InboundBytesHandler(connection))
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
                withEncoderConfiguration: .init(), withDecoderLimitConfiguration: decoding)
            try pipeline.addHandler(HTTPTypesCodec(connection))
            try pipeline.addHandler(connection)
            // The watermarks are low, because no other limit counts the parts that are read but not yet consumed.
            return try NIOAsyncChannel(
                wrappingChannelSynchronously: channel,
                configuration: .init(
                    backPressureStrategy: .init(lowWatermark: 2, highWatermark: 4), isOutboundHalfClosureEnabled: true))
        }
    }

    /// Registers a new connection. If there is no room for it, closes it.
    private func register(_ channel: any Channel) -> ConnectionRegistry.Slot? {
        let client = ClientAddress(channel)
        let isProxy = client.ip.map { proxies.trusts($0) } ?? false
        let now = NIODeadline.now().uptimeNanoseconds
        guard let slot = connections.add(channel, network: isProxy ? nil : client.rateLimitKey, at: now) else {
            // The pipeline must be complete before the channel is closed, so the channel is closed in the next turn.
            channel.eventLoop.execute { channel.close(promise: nil) }
            return nil
        }
        channel.closeFuture.whenComplete { _ in connections.remove(slot) }
        return slot
    }

    func handle(value: Value, logger: Logger) async {
        let executor = EventLoopExecutor(value.channel.eventLoop)
        await withTaskExecutorPreference(executor) {
            await handleHTTP(asyncChannel: value, logger: logger)
        }
    }
}

/// Runs a connection's task on the connection's event loop, so that reading and writing need no thread switch.
final class EventLoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
