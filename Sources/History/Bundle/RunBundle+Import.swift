package import StepwellLog
import StepwellModel

/// Tasks from files, on their way into a store.
package struct BundleImport {
    private let bundles: [(bundle: RunBundle, summary: TaskSummary, unproven: Int)]

    /// What came of one bundle.
    package struct Outcome: Sendable {
        package var bundle: RunBundle
        /// Commits whose hash could not be checked.
        package var unproven: Int
        /// Whether the store had the task already.
        package var wasThere: Bool
    }

    /// Reads and checks the bundles of a file.
    ///
    /// - Parameters:
    ///   - bytes: what the file says.
    ///   - file: its bytes as they were sent, if they are others: an archive is compressed.
    ///   - noted: the SHA-256 that these must have.
    /// - Throws: ``BundleError``
    package init(_ bytes: [UInt8], file: [UInt8]? = nil, against noted: [UInt8]? = nil) throws {
        let digest = noted == nil ? nil : SHA256.hash(file ?? bytes)
        if let noted, let digest, digest != noted {
            let task = (try? RunBundle.read(bytes))?.first { $0.stateHash == noted }?.task
            throw task.map(BundleError.stateHash) ?? .other(found: digest, noted: noted)
        }
        bundles = try RunBundle.read(bytes).map { bundle in
            let (summary, unproven) = try bundle.check()
            return (bundle, summary, unproven)
        }
    }

    /// Makes a store that holds the tasks and nothing else.
    package func make(_ target: NewStore) throws -> [Outcome] {
        let first = bundles[0].bundle
        if let other = bundles.first(where: { $0.bundle.storeID != first.storeID }) {
            throw BundleError.foreign(
                path: target.path, "task \(other.bundle.task) is from another store than the first")
        }
        var outcomes: [Outcome] = []
        _ = try target.make { path in
            let editor = try StoreEditor(path: path)
            try editor.setOrigin(
                StoreOrigin(kind: .imported, storeID: first.storeID, head: first.head, hash: first.headHash))
            outcomes = try add(to: editor, path: target.path)
        }
        return outcomes
    }

    /// Adds the tasks to a store that holds tasks of the same one, or to that one itself if it has lost them. Tasks that are there
    /// stay as they are.
    package func add(to editor: StoreEditor, path: String) throws -> [Outcome] {
        let origin = try editor.origin()
        let isImported = origin?.kind == .imported
        let storeID = isImported ? origin?.storeID : try editor.storeID()
        var outcomes: [Outcome] = []
        for (bundle, _, unproven) in bundles {
            guard bundle.storeID == storeID else {
                throw BundleError.foreign(path: path, "task \(bundle.task) is from another store")
            }
            let wasThere = try editor.view { view in
                try bundle.isThere(view, isImported: isImported, path: path)
            }
            outcomes.append(Outcome(bundle: bundle, unproven: unproven, wasThere: wasThere))
        }
        for ((bundle, summary, _), outcome) in zip(bundles, outcomes) where !outcome.wasThere {
            try editor.take(
                ImportedTask(
                    summary: summary, events: bundle.events.map { ($0.record.number, $0.bytes) },
                    commits: bundle.commits, template: (bundle.templateDigest, bundle.templateBytes),
                    logLines: bundle.logLines))
        }
        return outcomes
    }
}

extension RunBundle {
    /// Whether the store has the task already, at least as far as the bundle.
    /// - Throws: ``BundleError/foreign(path:_:)`` when its commits are not the store's.
    fileprivate func isThere(_ view: borrowing StoreView, isImported: Bool, path: String) throws -> Bool {
        for commit in commits {
            let found = try view.commit(holding: commit.first)
            let isSame = found?.first == commit.first && found?.last == commit.last && found?.hash == commit.hash
            let hasRoom = isImported && (found.map { $0.first > commit.last } ?? true)
            guard isSame || hasRoom else {
                throw BundleError.foreign(
                    path: path, "its log has other events in the place of \(commit.first) to \(commit.last)")
            }
        }
        guard let known = try view.task(task) else { return false }
        return known.last >= events[events.count - 1].record.number || !isImported
    }
}
