import Testing

@testable import Postgres

@Suite("PostgreSQL pool state")
struct PoolStateTests {
    private func open(_ size: Int, _ limits: PoolState.Limits = PoolState.Limits()) -> PoolState {
        var state = PoolState(size: size, limits: limits)
        for slot in 0..<size { state.opened(slot) }
        return state
    }

    private func slots(_ placements: [PoolState.Placement]) -> [Int] {
        placements.compactMap { if case .slot(let slot) = $0 { slot } else { nil } }
    }

    @Test("a statement goes to the connection with the fewest statements in flight")
    func spread() {
        var state = open(4)
        let first = slots((1...4).map { state.placeQuery($0) })
        #expect(Set(first) == [0, 1, 2, 3])
        state.finishedQuery(2)
        #expect(state.placeQuery(5) == .slot(2))
    }

    @Test("statements do not use a connection that a transaction leases")
    func leases() {
        var state = open(2)
        let leased = slots([state.placeLease(1)])
        let others = slots((2...9).map { state.placeQuery($0) })
        #expect(others.count == 8)
        #expect(Set(others).isDisjoint(with: leased))
    }

    @Test("a connection that becomes free gets all waiting statements first, and then one waiting transaction")
    func waiting() {
        var state = open(1)
        #expect(state.placeLease(1) == .slot(0))
        #expect(state.placeLease(2) == .wait)
        #expect(state.placeQuery(3) == .wait)
        #expect(state.placeLease(4) == .wait)
        #expect(state.placeQuery(5) == .wait)
        #expect(state.next() == nil)
        state.released(0)
        #expect(state.next() == .query(3, slot: 0))
        #expect(state.next() == .query(5, slot: 0))
        #expect(state.next() == .lease(2, slot: 0))
        #expect(state.next() == nil)
        state.released(0)
        #expect(state.next() == .lease(4, slot: 0))
    }

    @Test("a transaction that no longer waits gets no connection")
    func withdraw() {
        var state = open(1)
        _ = state.placeLease(1)
        _ = state.placeLease(2)
        _ = state.placeLease(3)
        state.withdraw(2)
        state.released(0)
        #expect(state.next() == .lease(3, slot: 0))
    }

    @Test("a pool refuses statements and transactions if too many are waiting")
    func bounds() {
        var state = open(1, PoolState.Limits(depth: 2, waitingQueries: 1, waitingLeases: 1))
        #expect(state.placeQuery(1) == .slot(0))
        #expect(state.placeQuery(2) == .slot(0))
        #expect(state.placeQuery(3) == .wait)
        #expect(state.placeQuery(4) == .refuse)
        state.finishedQuery(0)
        #expect(state.next() == .query(3, slot: 0))
        #expect(state.placeLease(5) == .slot(0))
        #expect(state.placeLease(6) == .wait)
        #expect(state.placeLease(7) == .refuse)
    }

    @Test("statements wait while the pool connects and are refused when no connection can be made")
    func availability() {
        var state = PoolState(size: 2)
        #expect(state.availability == .connecting)
        #expect(state.placeQuery(1) == .wait)
        state.connectFailed(0)
        #expect(state.availability == .connecting)
        state.connectFailed(1)
        #expect(state.availability == .unavailable)
        #expect(state.placeQuery(2) == .refuse)
        #expect(state.placeLease(3) == .refuse)
        state.opened(1)
        #expect(state.availability == .available)
        #expect(state.next() == .query(1, slot: 1))
        state.lost(1)
        #expect(state.availability == .connecting)
    }

    @Test("a paused connection gets no statements until it is resumed")
    func paused() {
        var state = open(2)
        state.setPaused(0, true)
        #expect(Set(slots((1...4).map { state.placeQuery($0) })) == [1])
        state.setPaused(0, false)
        #expect(state.placeQuery(5) == .slot(0))
    }

    @Test("a closing pool refuses new statements, and is drained when no statement and no transaction is in flight")
    func closing() {
        var state = open(2)
        let query = slots([state.placeQuery(1)])
        let lease = slots([state.placeLease(2)])
        state.close()
        #expect(state.availability == .closed)
        #expect(state.placeQuery(3) == .refuse)
        #expect(!state.isDrained)
        for slot in query { state.finishedQuery(slot) }
        #expect(!state.isDrained)
        for slot in lease { state.released(slot) }
        #expect(state.isDrained)
    }
}
