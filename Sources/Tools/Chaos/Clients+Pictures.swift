import ChaosKit
import Contracts
import Curl
import Reactor
import TestData

extension Clients {
    /// Carries out one operation on pictures.
    func operateMedia(_ generator: inout SeededGenerator) async {
        let account = Int.random(in: accounts.indices, using: &generator)
        switch Int.random(in: 0..<20, using: &generator) {
        case 0..<10: await send(newUpload(account), &generator)
        case 10..<13: await delete(.picture, &generator)
        case 13..<16: await describe(&generator)
        default: _ = await get(.media, "/v1/media?limit=20", account)
        }
    }

    /// Makes a command that uploads a new picture. One in three has a description.
    func newUpload(_ account: Int) -> Command {
        let number = nextNumber()
        // No other picture has this size, so the table of pictures shows which item a row is.
        let (width, height) = (1 + number % 1_024, 1 + number / 1_024)
        var item = Item(.picture, mark: "\(width)x\(height)", owner: account)
        var parts = [
            HTTPRequest.Part(
                name: "file", fileName: "picture.png", contentType: "image/png",
                bytes: PNGFile.make(width: width, height: height) { 0x5A })
        ]
        if number.isMultiple(of: 3) {
            item.description = "\(prefix) picture \(number)"
            item.firstDescription = item.description
            parts.append(HTTPRequest.Part(name: "description", value: item.description))
        }
        return Command(
            item: add(item), part: .creation, account: account,
            request: .init(
                .media, "POST", "/v1/media", body: .multipart(parts), token: accounts[account].token,
                key: "\(prefix)-picture-\(number)"))
    }

    /// Changes the description of a picture. Until the change has succeeded, no client uses the picture otherwise.
    private func describe(_ generator: inout SeededGenerator) async {
        guard let position = confirmed[.picture]?.indices.randomElement(using: &generator),
            let index = confirmed[.picture]?.remove(at: position), let id = items[index].id
        else { return }
        let number = nextNumber()
        let text = "\(prefix) description \(number)"
        let account = items[index].owner
        items[index].change = Item.Change(text)
        await send(
            Command(
                item: index, part: .change, account: account,
                request: .init(
                    .media, "PATCH", "/v1/media/\(id)", json: ["description": .string(text)],
                    token: accounts[account].token, key: "\(prefix)-description-\(number)")), &generator)
        if items[index].change == nil { confirmed[.picture, default: []].append(index) }
    }

    /// Returns a picture of an account that no post shows, for a new post. From now on, only the post is deleted.
    func takePicture(of account: Int, _ generator: inout SeededGenerator) -> (mark: String, id: String)? {
        guard let pictures = confirmed[.picture],
            let position = pictures.indices.filter({ items[pictures[$0]].owner == account })
                .randomElement(using: &generator),
            let id = items[pictures[position]].id
        else { return nil }
        confirmed[.picture]?.remove(at: position)
        return (items[pictures[position]].mark, id)
    }
}
