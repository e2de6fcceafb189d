import Contracts
import Glibc
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("A media host that fails", .timeLimit(.minutes(1))) struct MediaHostFaults {
        @Test("an upload that the media host refuses twice for a passing reason is carried out in the end, once")
        @Loop func refusedTwice() async throws {
            try await uploadThrough([["status": 503, "count": 2, "path": "upload"]])
        }

        @Test("an upload whose answer breaks off is carried out, and the picture is stored once")
        @Loop func cutAfterwards() async throws {
            try await uploadThrough([["cut": true, "after": true, "count": 1, "path": "upload"]])
        }

        @Test("a picture whose deletion fails at first is gone in the end")
        @Loop func destroyFails() async throws {
            let host = try MediaHost()
            let anyone = try Client()
            let client = try await anyone.by(Person.register(anyone))
            let media = try await client.upload(Picture.png()).expect(201).text("id")
            let post = try await client.write("With a picture", media: [media]).expect(201).text("id")
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

        @Test("kill -9 of the worker between the media host and the database: the picture is adopted, and there is one")
        @Loop func killedInBetween() async throws {
            let (stack, host) = (try Stack(), try MediaHost())
            let anyone = try Client()
            let client = try await anyone.by(Person.register(anyone))
            let before = try await Set(host.assets())
            let faults: JSON = [["delayMilliseconds": 20_000, "after": true, "count": 1, "path": "upload"]]
            try await host.with(faults: faults) {
                async let answer = client.upload(Picture.png())
                // The host has it and says nothing yet: the worker knows of nothing.
                let isThere = try await eventually(within: .seconds(15)) { try await Set(host.assets()) != before }
                #expect(isThere)
                try await stack.end("media-1", SIGKILL)
                try await stack.scale("media", 1)
                let status = try await answer.status
                #expect(status == 201 || status == 202)
                let isAdopted = try await eventually(within: .seconds(30)) {
                    try await client.get("/v1/media").expect(200).ids("media").count == 1
                }
                #expect(isAdopted)
            }
            let media = try await client.get("/v1/media").expect(200).ids("media")
            #expect(try await Set(host.assets()).subtracting(before) == Set(media))
            try await client.delete("/v1/media/\(media.first ?? "")").expect(204)
            #expect(try await Set(host.assets()) == before)
        }

        @Loop private func uploadThrough(_ faults: JSON) async throws {
            let host = try MediaHost()
            let anyone = try Client()
            let client = try await anyone.by(Person.register(anyone))
            let picture = Picture.png()
            let before = try await Set(host.assets())
            try await host.with(faults: faults) {
                let answer = try await client.upload(picture)
                #expect(answer.status == 201 || answer.status == 202, "\(answer.status): \(answer.text)")
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
