import StepwellEngine
import StepwellModel

/// Finds the route of a request, lets the client in or not, and makes an answer of whatever comes of it.
package final class Router: Sendable {
    private struct Entry {
        let parts: [String]
        let route: Route
    }

    private let entries: [Entry]
    private let service: Service

    package init(_ service: Service) {
        self.service = service
        entries = Routes.all.map { route in
            Entry(parts: route.path.split(separator: "/").map(String.init), route: route)
        }
    }

    /// Answers a request; `isLocal` when it came over the socket in the store's directory.
    /// - Returns: what ends the work at the answer, where that can be ended.
    package func handle(
        _ request: HTTPRequest, isLocal: Bool, _ answer: @escaping HTTPServer.Answer
    ) -> HTTPServer.Abandon? {
        let begun = monotonicNanoseconds()
        let found = Result { () throws(Problem) in try route(of: request) }
        let path = (try? found.get())?.route.path ?? ""
        let identified = found.flatMap { found in
            Result { () throws(Problem) in
                try service.access.identify(request, isLocal: isLocal, for: found.route.permission)
            }
        }
        let actor = (try? identified.get())?.name ?? ""
        let answer: HTTPServer.Answer = { [metrics = service.metrics, refusals = service.refusals] response in
            metrics.answered(
                request.method, path, status: response.status, nanoseconds: monotonicNanoseconds() - begun)
            if response.status == 401 || response.status == 403, let problem = response.problem {
                refusals.add(problem.code, problem.message, request)
            }
            var response = response
            response.actor = actor
            answer(response)
        }
        do {
            let ((route, parameters), identity) = (try found.get(), try identified.get())
            if request.body.isEmpty, route.operation.body?.isRequired == true {
                throw Problem.malformed("the request has no body", cure: "'GET /v1/openapi.json' describes it")
            }
            return perform(
                route, Call(service: service, request: request, parameters: parameters, identity: identity), answer)
        } catch { answer(Problem(error).response) }
        return nil
    }

    /// How large a body the route of a request takes.
    package func bodyLimit(_ request: HTTPRequest, _ standard: Int) -> Int {
        (try? route(of: request).route.bodyBytesMax) ?? standard
    }

    private func perform(
        _ route: Route, _ call: Call, _ answer: @escaping HTTPServer.Answer
    ) -> HTTPServer.Abandon? {
        do {
            switch route.action {
            case .now(let action): answer(try action(call))
            case .direct(let action): try action(call, answer)
            case .waiting(let action): return action(call, answer)
            case .slow(let action):
                try service.slow.run {
                    do { answer(try action(call)) } catch { answer(Problem(error).response) }
                }
            case .later(let action):
                let task = Task {
                    do { answer(try await action(call)) } catch { answer(Problem(error).response) }
                }
                return { task.cancel() }
            }
        } catch { answer(Problem(error).response) }
        return nil
    }

    private func route(of request: HTTPRequest) throws(Problem) -> (route: Route, parameters: [String: String]) {
        // Of several patterns that fit, the one with the fewest open parts is meant: /v1/tasks/batch is no task.
        var matches: [(route: Route, parameters: [String: String])] = []
        for entry in entries where entry.parts.count == request.path.count {
            guard let parameters = Self.match(entry.parts, request.path) else { continue }
            if let first = matches.first, first.parameters.count < parameters.count { continue }
            if let first = matches.first, first.parameters.count > parameters.count { matches = [] }
            matches.append((entry.route, parameters))
        }
        let method = request.method == "HEAD" ? "GET" : request.method
        if let found = matches.first(where: { $0.route.method == method }) { return found }
        let others = matches.map(\.route.method)
        let path = "/" + request.path.joined(separator: "/")
        guard others.isEmpty else {
            var problem = Problem(
                405, "method_not_allowed", "\(request.method) is not possible at \(path)",
                cure: "possible are: " + others.joined(separator: ", "))
            problem.allowed = others
            throw problem
        }
        throw Problem(
            404, "unknown_address", "there is nothing at \(path)", cure: "'GET /v1/openapi.json' lists all addresses")
    }

    private static func match(_ pattern: [String], _ path: [String]) -> [String: String]? {
        var parameters: [String: String] = [:]
        for (part, given) in zip(pattern, path) {
            if part.hasPrefix("{") {
                parameters[String(part.dropFirst().dropLast())] = given
            } else if part != given {
                return nil
            }
        }
        return parameters
    }
}
