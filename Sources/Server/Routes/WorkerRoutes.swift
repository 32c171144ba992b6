import Stepwell
import StepwellEngine
import StepwellKernel
import StepwellModel

extension Routes {
    /// A delivery may hold the largest message that the protocol has, and what surrounds it.
    private static let deliveryBytesMax = 65 << 20

    static let workers: [Route] = [
        Route(
            "POST", "/v1/workers", .work,
            Operation(
                id: "registerWorker", tag: "Workers",
                summary: "Begin a session of a worker: `hello` of the worker protocol.",
                body: .json(
                    "Hello",
                    example: ["type": "hello", "protocol": 1, "handlers": [["name": "etl.load"]], "concurrency": 4]),
                answers: [(201, "The session: `welcome`.", .json("Welcome"))], problems: [409]),
            .direct { call, answer in
                let allowed: [String]? =
                    if case .only(let names) = call.identity.namespaces { names } else { nil }
                call.service.workers.register(call.request.body, owner: call.identity.token, allowed: allowed) {
                    answer(HTTPResponse(201, $0))
                }
            }),
        Route(
            "POST", "/v1/workers/{worker}/poll", .work,
            Operation(
                id: "pollAttempts", tag: "Workers", summary: "Wait for attempts and news.",
                body: .json("Poll", example: ["after": 0, "wait_ms": 5000, "attempts_max": 4]),
                answers: [(200, "Messages from the engine.", .json("Messages"))], problems: [404]),
            .waiting { call, answer in
                call.service.workers.poll(call["worker"], owner: call.identity.token, call.request.body) {
                    answer(HTTPResponse(200, $0))
                }
            }),
        Route(
            "POST", "/v1/workers/{worker}/messages", .work,
            Operation(
                id: "deliverMessages", tag: "Workers",
                summary: "Deliver results, heartbeats, checkpoints; answered when they are on disk.",
                body: .json(
                    "Delivery",
                    example: ["number": 1, "messages": [["type": "result", "lease": 17, "result": ["rows": 3]]]]),
                answers: [(200, "Messages from the engine.", .json("Messages"))], problems: [404]),
            bodyBytesMax: deliveryBytesMax,
            .direct { call, answer in
                call.service.workers.deliver(call["worker"], owner: call.identity.token, call.request.body) {
                    answer(HTTPResponse(200, $0))
                }
            }),
        Route(
            "GET", "/v1/workers", .view,
            Operation(
                id: "listWorkers", tag: "Workers", summary: "List all workers and what they hold.",
                answers: [(200, "The workers.", .json("WorkerList"))]),
            .later { call in
                try call.needAllNamespaces("the workers are")
                let sessions = await withCheckedContinuation { continuation in
                    call.service.workers.list { continuation.resume(returning: $0) }
                }
                let joined = try await call.service.engine.core.answer { state in
                    state.workerIDs.compactMap { state.worker($0) }.map { join in
                        (join, state.runningAttempts.count { $0.worker == join.worker })
                    }
                }
                return HTTPResponse(
                    json: [
                        "workers": .array(
                            joined.map { join, held in
                                join.json(held, session: sessions.first { $0.worker == join.worker })
                            })
                    ])
            }),
        Route(
            "POST", "/v1/workers/{worker}/drain", .administer,
            Operation(
                id: "drainWorker", tag: "Workers", summary: "Tell a worker to finish what it has and to end.",
                answers: [(202, "It was told.", nil)], problems: [404]),
            .later { call in
                try call.needAllNamespaces("the workers are")
                let isKnown = await withCheckedContinuation { continuation in
                    call.service.workers.drain(call["worker"]) { continuation.resume(returning: $0) }
                }
                guard isKnown else { throw RemoteError.unknownWorker(call["worker"]) }
                return HTTPResponse(202, contentType: "", body: [])
            }),
    ]
}

extension HTTPResponse {
    fileprivate init(_ status: Int, _ result: Result<[UInt8], RemoteError>) {
        switch result {
        case .success(let body): self.init(status, contentType: "application/json", body: body)
        case .failure(let error): self = Problem(error).response
        }
    }
}

extension WorkerJoin {
    fileprivate func json(_ held: Int, session: RemoteWorkerReport?) -> JSON {
        var members = json(running: held).members ?? []
        if let session {
            members += [
                .init("worker_id", .string(session.id)),
                .init("sdk", session.sdk.map(JSON.string) ?? .null),
                .init("silent_ms", .number(String(session.silence.rawValue))),
            ]
        }
        return .object(members)
    }
}
