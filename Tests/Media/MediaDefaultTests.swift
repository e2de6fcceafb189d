import DatabaseSupport
import Postgres
import Reactor
import Testing

@testable import MediaService

@Suite("What the media service does unless told otherwise", .timeLimit(.minutes(3)))
struct MediaDefaultTests {
    @Test("an upload is given up an hour after its last attempt, and not before")
    @Loop func abandonment() async throws {
        try await MediaFixture.with { fixture async throws in
            for age in ["55 min", "65 min"] {
                let begun = "now() - interval '\(age)'"
                _ = try await fixture.database.query(
                    Statement("INSERT INTO upload VALUES (gen_random_uuid(), gen_random_uuid(), \(begun))"))
            }
            try await fixture.sweeper.sweep()
            #expect(
                try await fixture.database.count("SELECT count(*) FROM upload WHERE begun_at < now() - interval '1 h'")
                    == 0)
            #expect(try await fixture.uploads() == 1)
        }
    }

    @Test(
        "an account's URL that is malformed is refused without its secret",
        arguments: [
            "cloudinary://key:hidden@", "cloudinary://:hidden@cloud", "http://key:hidden@cloud", "hidden",
            "cloudinary://key:hidden@cloud?upload_prefix=ftp://x", "cloudinary://hidden@cloud",
        ])
    func account(url: String) throws {
        let fault = #expect(throws: CloudinaryAccount.Malformed.self) { try CloudinaryAccount(url: url) }
        #expect(fault?.description.contains("hidden") == false)
    }
}
