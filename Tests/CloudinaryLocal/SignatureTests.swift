import Foundation
import TestSupport
import Testing

@Suite("Signatures")
struct SignatureTests {
    /// The examples in Cloudinary's documentation, for the secret `abcd`.
    static let documented: [([String: String], String)] = [
        (
            ["timestamp": "1315060510", "public_id": "sample_image", "eager": "w_400,h_300,c_pad|w_260,h_200,c_crop"],
            "bfd09f95f331f558cbd1320e67aa8d488770583e"
        ),
        (["timestamp": "1315060510", "public_id": "sample_image"], "b4ad47fb4e25c7bf5f92a20089f9db59bc302313"),
    ]

    @Test(
        "the signatures in Cloudinary's documentation are valid: their requests get 400 only for a stale timestamp",
        arguments: documented)
    func documentedExamples(_ parameters: [String: String], _ signature: String) async throws {
        try await LocalCloudinary.run { server async throws in
            let right = try await server.upload(SamplePicture.png, parameters.merging(["signature": signature]) { $1 })
            #expect(right.status == 400)
            #expect(
                right.message
                    == "Stale request - reported time is 2011-09-03 14:35:10 +0000 which is more than 1 hour ago")
            let wrong = try await server.upload(SamplePicture.png, parameters.merging(["signature": "x"]) { $1 })
            #expect(wrong.status == 401)
            let string = parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: "&")
            #expect(wrong.message == "Invalid Signature x. String to sign - '\(string)'.")
        }
    }

    @Test("a SHA-1 or SHA-256 signature is accepted, and is invalid (401) if any signed parameter changes")
    func accepted() async throws {
        try await LocalCloudinary.run { server async throws in
            let parameters = ["public_id": "a", "context": "x=1&y=2", "tags": "", "overwrite": "true"]
            for sign in [LocalCloudinary.sha1, LocalCloudinary.sha256] {
                let signed = LocalCloudinary.signed(parameters, with: sign)
                let timestamp = try #require(Int(signed["timestamp"] ?? ""))
                #expect(try await server.upload(SamplePicture.png, signed, asIs: true).status == 200)
                for name in ["public_id", "context", "overwrite", "timestamp"] {
                    var changed = signed
                    changed[name] = name == "timestamp" ? "\(timestamp - 5)" : "other"
                    #expect(try await server.upload(SamplePicture.png, changed, asIs: true).status == 401, "\(name)")
                }
                let more = signed.merging(["folder": "b"]) { $1 }
                #expect(try await server.upload(SamplePicture.png, more, asIs: true).status == 401)
            }
            #expect(try await server.assets() == ["a"])
        }
    }

    @Test("a signed upload is accepted up to an hour before and after its timestamp, and otherwise gets 400")
    func timestamps() async throws {
        try await LocalCloudinary.run { server async throws in
            let now = Int(Date.now.timeIntervalSince1970)
            for (offset, status) in [(-3500, 200), (-3700, 400), (3500, 200), (3700, 400)] {
                let reply = try await server.upload(
                    SamplePicture.png, ["public_id": "a", "timestamp": "\(now + offset)"])
                #expect(reply.status == status, "\(offset)")
            }
            for timestamp in ["soon", "-1", "99999999999999999999"] {
                let reply = try await server.upload(SamplePicture.png, ["timestamp": timestamp])
                #expect(reply.status == 400)
                #expect(reply.message == "Invalid timestamp \(timestamp)")
            }
        }
    }

    @Test("an upload with an unknown API key or cloud gets 401, and one without a required parameter gets 400")
    func refused() async throws {
        try await LocalCloudinary.run { server async throws in
            let unknown = try await server.upload(SamplePicture.png, ["public_id": "a", "api_key": "999"])
            #expect(unknown.status == 401)
            #expect(unknown.message == "Unknown API key 999")
            let signed = LocalCloudinary.signed(["public_id": "a"])
            let messages = [
                "api_key": "Missing required parameter - api_key",
                "timestamp": "Missing required parameter - timestamp",
                "signature": "Upload preset must be specified when using unsigned upload",
            ]
            for (name, message) in messages {
                let reply = try await server.upload(SamplePicture.png, signed.filter { $0.key != name }, asIs: true)
                #expect(reply.status == 400)
                #expect(reply.message == message)
            }
            let cloud = try await CurlExchange([
                "-F", "timestamp=1", "-F", "signature=x", server.url("/v1_1/other/image/upload"),
            ])
            #expect(cloud.status == 401)
            #expect(cloud.message == "Invalid cloud_name other")
            #expect(try await server.assets() == [])
            // The server writes the rest of its log when it stops.
            #expect(try await server.stop() == 0)
            #expect(!server.log.contains(LocalCloudinary.secret))
        }
    }
}
