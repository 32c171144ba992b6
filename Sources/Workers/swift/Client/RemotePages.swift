/// All elements of a list that comes in pages, each page when it is asked for.
public struct RemotePages<Element: Sendable>: AsyncSequence, Sendable {
    typealias Page = @Sendable (_ cursor: String?) async throws -> (elements: [Element], next: String?)

    let page: Page

    public struct AsyncIterator: AsyncIteratorProtocol {
        let page: Page
        private var elements = [Element]().makeIterator()
        private var cursor: String?
        private var isLast = false

        init(page: @escaping Page) { self.page = page }

        public mutating func next() async throws -> Element? {
            while true {
                if let element = elements.next() { return element }
                if isLast { return nil }
                let found = try await page(cursor)
                (elements, cursor, isLast) = (found.elements.makeIterator(), found.next, found.next == nil)
            }
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(page: page) }
}

/// All tasks that match, as ``Client/allTasks(namespace:name:state:)`` finds them.
public typealias RemoteTasks = RemotePages<RemoteTaskSummary>

/// All lines that handlers have written, as ``Client/allLogLines(_:step:)`` finds them.
public typealias RemoteLogLines = RemotePages<RemoteLogLine>
