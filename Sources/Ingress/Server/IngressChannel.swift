internal import HTTPTypes
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes

/// Hummingbird's HTTP/1.1 connection with this ingress's limits, whose requests are handled on its own event loop.
struct IngressChannel: HTTPChannelHandler {
    typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    /// The most fields of a request.
    private static let fieldCount = 100

    let responder: Responder
    let limits: ConnectionLimits
    /// The most bytes of a request's fields together.
    let headerBytes: Int
    let refusal: ConnectionGuard.Refusal

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            var decoding = NIOHTTPDecoderLimitConfiguration()
            decoding.maxHeaderFieldSize = headerBytes
            decoding.maxHeaderListSize = headerBytes
            decoding.maxHeaderFieldCount = Self.fieldCount
            let connection = ConnectionGuard(limits: limits, refusal: refusal)
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(ByteWatch(connection))
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
                withEncoderConfiguration: .init(), withDecoderLimitConfiguration: decoding)
            try pipeline.addHandler(RequestCodec(connection))
            try pipeline.addHandler(connection)
            // What has come and nobody has taken yet is in no other limit.
            return try NIOAsyncChannel(
                wrappingChannelSynchronously: channel,
                configuration: .init(
                    backPressureStrategy: .init(lowWatermark: 2, highWatermark: 4), isOutboundHalfClosureEnabled: true))
        }
    }

    func handle(value: Value, logger: Logger) async {
        let executor = EventLoopExecutor(value.channel.eventLoop)
        await withTaskExecutorPreference(executor) {
            await handleHTTP(asyncChannel: value, logger: logger)
        }
    }
}

/// An event loop as a task executor: a connection's task runs where its bytes come and go, without a hop.
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
