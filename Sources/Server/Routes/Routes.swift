/// All that the server can be asked.
enum Routes {
    static let all: [Route] =
        tasks + steps + bulk + events + templates + history + prune + limits + workers + webhooks + health + metrics
}
