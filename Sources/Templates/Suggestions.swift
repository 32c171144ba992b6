/// Finds the word that somebody may have meant.
struct Suggestions {
    /// Comparisons of two letters that one file may cost: a file of a hundred thousand misspelt names must not take an hour.
    private var budget = 5_000_000

    /// The candidate nearest to the word, if one is near enough: equal but for case, `_` and `-`; or a third of its letters
    /// away at most; or one begins with the other.
    mutating func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
        let letters = normalized(word)
        guard !letters.isEmpty, letters.count <= 64 else { return nil }
        let reach = max(1, letters.count / 3)
        var best: (distance: Int, word: String)?
        for candidate in candidates {
            guard budget > 0 else { return nil }
            budget -= 8
            guard let distance = distance(from: letters, to: candidate, reach: reach), distance < best?.distance ?? .max
            else { continue }
            best = (distance, candidate)
        }
        return best?.word
    }

    private mutating func distance(from letters: [UInt8], to candidate: String, reach: Int) -> Int? {
        let size = candidate.utf8.count
        guard size <= 128 else { return nil }
        let others = normalized(candidate)
        let isPrefix =
            min(letters.count, others.count) >= 4 && (letters.starts(with: others) || others.starts(with: letters))
        guard isPrefix || abs(letters.count - others.count) <= reach else { return nil }
        budget -= letters.count * others.count
        let distance = editDistance(letters, others)
        if distance <= reach { return distance }
        return isPrefix ? 1000 + distance : nil
    }
}

private func normalized(_ word: String) -> [UInt8] {
    word.utf8.compactMap { byte in
        switch byte {
        case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: " "): nil
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
        default: byte
        }
    }
}

/// How many letters must be inserted, removed, replaced or swapped with their neighbour.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for row in 0..<left.count {
        var current = [row + 1]
        current.reserveCapacity(right.count + 1)
        for column in 0..<right.count {
            var cost = min(last[column + 1], current[column]) + 1
            cost = min(cost, last[column] + (left[row] == right[column] ? 0 : 1))
            if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                cost = min(cost, beforeLast[column - 1] + 1)
            }
            current.append(cost)
        }
        beforeLast = last
        last = current
    }
    return last[right.count]
}
