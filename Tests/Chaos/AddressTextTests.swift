import ChaosKit
import Testing

@Suite struct AddressTextTests {
    @Test func `all ports of an address are replaced at once`() throws {
        let address = "amqp://user:secret@127.0.0.1:5672,127.0.0.1:5673/warren?heartbeat=3"
        let replaced = try AddressText.replacingPorts([5672: 5673, 5673: 9000], in: address)
        #expect(replaced == "amqp://user:secret@127.0.0.1:5673,127.0.0.1:9000/warren?heartbeat=3")
        let picture = "cloudinary://local:abc@warren?upload_prefix=http://127.0.0.1:8000"
        #expect(
            try AddressText.replacingPorts([8000: 1], in: picture)
                == "cloudinary://local:abc@warren?upload_prefix=http://127.0.0.1:1")
    }

    @Test(arguments: [
        "redis://user:6379@127.0.0.1:7000/0", "redis://127.0.0.1:63790/0", "redis://127.0.0.1:16379/0",
        "redis://127.0.0.1/0",
    ])
    func `an address without the port is an error`(_ address: String) {
        #expect(throws: AddressText.MissingPort.self) {
            try AddressText.replacingPorts([6379: 1], in: address)
        }
    }
}
