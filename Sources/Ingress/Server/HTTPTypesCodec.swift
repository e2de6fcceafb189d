internal import HTTPTypes
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes
internal import NIOHTTPTypesHTTP1

/// NIO's HTTP/1 parts as HTTP types and back, with what HTTP types do not say told to the guard.
final class RequestCodec: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let connection: ConnectionGuard

    init(_ connection: ConnectionGuard) {
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            do {
                let head = try RequestHead(head)
                connection.headCame(head.persistence)
                context.fireChannelRead(wrapInboundOut(.head(head.request)))
            } catch {
                context.fireErrorCaught(error)
            }
        case .body(let bytes):
            context.fireChannelRead(wrapInboundOut(.body(bytes)))
        case .end:
            // Nothing here reads trailers, and whoever sends them must not count on it (RFC 9110, section 6.5.1).
            context.fireChannelRead(wrapInboundOut(.end(nil)))
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part: HTTPServerResponsePart =
            switch unwrapOutboundIn(data) {
            case .head(let head): .head(HTTPResponseHead(head))
            case .body(let bytes): .body(.byteBuffer(bytes))
            case .end: .end(nil)
            }
        context.write(wrapOutboundOut(part), promise: promise)
    }
}
