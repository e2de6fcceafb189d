import Foundation
import ImageHeaders
import TestSupport
import Testing

@Suite("Pictures in a browser")
struct BrowserTests {
    @Test("Chromium shows each file that is taken with the same size as ImageHeaders, and no file that is refused")
    func sizes() async throws {
        let cases = PictureCase.all
        let files = cases.map(\.file) + cases.map { (try? ImageFile($0.file))?.stored(keepingMetadata: false) ?? [] }
        let shown = try await Browser.show(files)
        for (index, picture) in cases.enumerated() {
            let (original, stored) = (shown[index], shown[index + cases.count])
            guard let size = picture.size else {
                #expect(original.isBlank == (picture.browser == .agrees), "Chromium shows \(picture.name)")
                continue
            }
            #expect((stored.width, stored.height) == size, "the stored file of \(picture.name)")
            #expect(!stored.isBlank, "the stored file of \(picture.name)")
            guard picture.browser == .agrees else { continue }
            #expect((original.width, original.height) == size, "\(picture.name)")
            #expect(original.pixels == stored.pixels, "the pixels of \(picture.name)")
        }
    }
}

/// Shows pictures in headless Chromium.
enum Browser {
    struct Shown: Decodable {
        /// The displayed width; 0 if the browser cannot show the file.
        let width: Int
        let height: Int
        /// The pixels as a `data:` URL of a PNG.
        let pixels: String
        /// Whether all pixels are transparent, or the browser cannot show the file.
        let isBlank: Bool
    }

    private struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    /// Measures each image of the page and writes the results into it as JSON.
    private static let script = """
        onload = () => {
          const results = [...document.images].map(image => {
            const canvas = document.createElement("canvas")
            canvas.width = image.naturalWidth || 1
            canvas.height = image.naturalHeight || 1
            const context = canvas.getContext("2d", {willReadFrequently: true})
            try { context.drawImage(image, 0, 0) } catch {}
            const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data
            return {
              width: image.naturalWidth, height: image.naturalHeight, pixels: canvas.toDataURL(),
              isBlank: pixels.every((value, index) => index % 4 < 3 || value === 0),
            }
          })
          document.body.textContent = "BEGIN" + JSON.stringify(results) + "END"
        }
        """

    /// Returns what the browser shows of each file, as the content of an `img` element.
    static func show(_ files: [[UInt8]]) async throws -> [Shown] {
        let images = files.map { "<img src=\"data:image/png;base64,\(Data($0).base64EncodedString())\">" }
        let page = "<!doctype html><body>\(images.joined(separator: "\n"))<script>\(script)</script>"
        return try await onThreads { try run(page) }
    }

    private static func run(_ page: String) throws -> [Shown] {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try folder.write(page, to: "page.html")
        try folder.write("", to: "output")
        let browser = Process()
        browser.executableURL = URL(filePath: "/usr/bin/env")
        browser.arguments = [
            try program(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--user-data-dir=\(folder.path("profile"))", "--dump-dom", "file://\(folder.path("page.html"))",
        ]
        browser.standardOutput = try FileHandle(forWritingTo: URL(filePath: folder.path("output")))
        browser.standardError = FileHandle.nullDevice
        try browser.run()
        browser.waitUntilExit()
        let output = try folder.text("output")
        guard let begin = output.firstRange(of: "BEGIN["), let end = output.firstRange(of: "]END") else {
            throw Failed(description: "the browser did not show the page; its status is \(browser.terminationStatus)")
        }
        let json = output[output.index(before: begin.upperBound)..<output.index(after: end.lowerBound)]
        return try JSONDecoder().decode([Shown].self, from: Data(json.utf8))
    }

    private static func program() throws -> String {
        let folders = ProcessInfo.processInfo.environment["PATH", default: ""].split(separator: ":")
        for name in ["chromium", "google-chrome"] {
            for folder in folders where FileManager.default.isExecutableFile(atPath: "\(folder)/\(name)") {
                return name
            }
        }
        throw Failed(description: "no browser found: install chromium (Debian) or google-chrome")
    }
}
