import StepwellModel

/// Results of earlier steps that an attempt asks for.
extension RemoteWorker {
    /// A result that an attempt has asked for.
    struct Fetch {
        var lease: Lease
        var id: Int64
        var step: String
    }

    struct Fetches {
        /// With the present delivery.
        var asked: [Fetch] = []
        var late: [Fetch] = []
        var isReading = false

        static let lateMax = 1000
    }

    func fetch(_ lease: Lease, _ id: Int64, _ step: String) {
        delivery.pending += 1
        fetches.asked.append(Fetch(lease: lease, id: id, step: step))
        fetchNext()
    }

    /// Reads the next result that was asked for. One at a time, and no more than an answer holds: a thousand large ones fit in no memory.
    func fetchNext() {
        guard !fetches.isReading else { return }
        if delivery.fetchedBytes >= Self.answerBytesMax { putOff() }
        if !fetches.asked.isEmpty {
            read(fetches.asked.removeFirst()) { message in
                self.delivery.replies.append(message)
                self.delivery.fetchedBytes += message.count
                self.confirmed()
            }
        } else if poll != nil, news.isEmpty, !fetches.late.isEmpty {
            read(fetches.late.removeFirst()) { self.tell($0) }
        }
    }

    private func read(_ fetch: Fetch, _ done: @escaping @Sendable ([UInt8]) -> Void) {
        let reactor = registry.reactor
        fetches.isReading = true
        let end = { @Sendable (message: [UInt8]) in
            reactor.perform {
                self.fetches.isReading = false
                done(message)
                self.fetchNext()
            }
        }
        guard case .running(let run) = leases[fetch.lease] else {
            return end(EngineMessage.fetched(fetch.lease, id: fetch.id, error: "the attempt has ended"))
        }
        registry.host.result(of: fetch.step, for: run.assignment) { result in
            end(EngineMessage.fetched(fetch.lease, id: fetch.id, result))
        }
    }

    /// What does not fit into the answer to its delivery comes with the answers to polls.
    private func putOff() {
        let rest = fetches.asked
        fetches.asked = []
        for fetch in rest {
            if fetches.late.count < Fetches.lateMax {
                fetches.late.append(fetch)
            } else {
                let error = "\(Fetches.lateMax) large results are waited for already"
                delivery.replies.append(EngineMessage.fetched(fetch.lease, id: fetch.id, error: error))
            }
            confirmed()
        }
    }
}
