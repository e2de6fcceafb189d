internal import NIOCore

/// Reports the arrival of bytes to the connection's handler before the bytes are parsed, so that the head timeout
/// starts with the first byte.
final class InboundBytesHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: HTTPConnectionHandler

    init(_ connection: HTTPConnectionHandler) {
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection.readBytes(unwrapInboundIn(data).readableBytes)
        context.fireChannelRead(data)
    }
}
