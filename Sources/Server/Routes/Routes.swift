/// All that the server can be asked.
enum Routes {
    static let all: [Route] = tasks + steps + bulk + events + templates + history + limits + workers + health + metrics
}
