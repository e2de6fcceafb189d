import Contracts
import Glibc
import LocalStack
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Faults of the media host", .timeLimit(.minutes(1))) struct MediaHostFaults {
        @Test("if the media host refuses an upload with 503 twice, the picture is stored once by a retry")
        @Loop func refusedTwice() async throws {
            try await uploadThrough([["status": 503, "count": 2, "path": "upload"]])
        }

        @Test("if the connection to the media host breaks after an upload, the picture is stored once")
        @Loop func cutAfterwards() async throws {
            try await uploadThrough([["cut": true, "after": true, "count": 1, "path": "upload"]])
        }

        @Test("if the media host fails to delete a picture, a retry deletes it")
        @Loop func destroyFails() async throws {
            let host = try MediaHostClient()
            let client = try await APIClient.registered()
            let media = try await client.upload(RandomPNG.make()).expect(201).text("id")
            let post = try await client.createPost("with a picture", media: [media]).expect(201).text("id")
            let faults: JSON = [["status": 500, "count": 1, "path": "destroy"]]
            try await host.with(faults: faults) {
                try await client.delete("/v1/posts/\(post)").expect(204)
                let isGone = try await eventually(within: .seconds(15)) {
                    try await !host.assets().contains(media)
                }
                #expect(isGone)
            }
            #expect(
                try await eventually(within: .seconds(5)) { try await client.get("/v1/media/\(media)").status == 404 })
        }

        @Test("if the worker is killed after the media host has stored a picture, a redelivery completes the upload")
        @Loop func killedInBetween() async throws {
            let (stack, host) = (try Stack(), try MediaHostClient())
            let client = try await APIClient.registered()
            let before = try await Set(host.assets())
            let faults: JSON = [["delayMilliseconds": 20_000, "after": true, "count": 1, "path": "upload"]]
            try await host.with(faults: faults) {
                async let response = client.upload(RandomPNG.make())
                // The media host stores the picture and delays its response, so the worker is still waiting.
                let isThere = try await eventually(within: .seconds(15)) { try await Set(host.assets()) != before }
                #expect(isThere)
                try await stack.kill("media-1", with: SIGKILL)
                try await stack.scale("media", 1)
                let status = try await response.status
                #expect(status == 201 || status == 202)
                let isCompleted = try await eventually(within: .seconds(30)) {
                    try await client.get("/v1/media").expect(200).ids("media").count == 1
                }
                #expect(isCompleted)
            }
            let media = try await client.get("/v1/media").expect(200).ids("media")
            #expect(try await Set(host.assets()).subtracting(before) == Set(media))
            try await client.delete("/v1/media/\(media.first ?? "")").expect(204)
            #expect(try await Set(host.assets()) == before)
        }

        @Loop private func uploadThrough(_ faults: JSON) async throws {
            let host = try MediaHostClient()
            let client = try await APIClient.registered()
            let picture = RandomPNG.make()
            let before = try await Set(host.assets())
            try await host.with(faults: faults) {
                let response = try await client.upload(picture)
                #expect(response.status == 201 || response.status == 202, "\(response.status): \(response.text)")
                let isThere = try await eventually(within: .seconds(30)) {
                    try await client.get("/v1/media").expect(200).ids("media").count == 1
                }
                #expect(isThere)
            }
            let media = try await client.get("/v1/media").expect(200)["media"]?.array ?? []
            #expect(media.count == 1)
            let first = try #require(media.first)
            #expect(try await host.delivery(first.text("url")).bytes == picture)
            #expect(try await Set(host.assets()).subtracting(before) == [try first.text("id")])
        }
    }
}
