import ChaosKit
import Testing

@Suite struct OutcomeTests {
    @Test func `a status tells what a command has done`() {
        let outcomes = [200, 204, 202, 404, 429, 503, 504, nil].map { Item.Outcome(status: $0) }
        #expect(outcomes == [.done, .done, .accepted, .refused, .refused, .unavailable, .unknown, .unknown])
    }

    @Test func `a command that only got 503 has no effect, however often it is repeated`() {
        #expect(Item.Outcome.unavailable.repeated(status: 503) == .unavailable)
        #expect(Item.Outcome.unavailable.repeated(status: 429) == .unavailable)
        #expect(Item.Outcome.unavailable.repeated(status: 504) == .unknown)
        #expect(Item.Outcome.unavailable.repeated(status: 400) == .refused)
        #expect(Item.Outcome.unavailable.repeated(status: 201) == .done)
    }

    @Test func `a 503 after an unknown outcome tells nothing about the first attempt`() {
        #expect(Item.Outcome.unknown.repeated(status: 503) == .unknown)
        #expect(Item.Outcome.unknown.repeated(status: 429) == .unknown)
        #expect(Item.Outcome.unknown.repeated(status: 400) == .refused)
        #expect(Item.Outcome.unknown.repeated(status: 202) == .accepted)
        #expect(Item.Outcome.unknown.repeated(status: 201) == .done)
    }

    @Test func `only the description whose change succeeded is allowed, or both if the outcome is unknown`() {
        var picture = Item(.picture, mark: "3x4", owner: 0)
        picture.description = "old"
        #expect(picture.allowedDescriptions == ["old"])
        picture.change = .init("new")
        #expect(picture.allowedDescriptions == ["old", "new"])
        picture.change?.outcome = .accepted
        #expect(picture.allowedDescriptions == ["new"])
        picture.change?.outcome = .unavailable
        #expect(picture.allowedDescriptions == ["old"])
    }
}
