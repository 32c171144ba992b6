# frozen_string_literal: true

require_relative "answers"

module Stepwell
  # What was done to one of many tasks, and its state before; when it refused, `code` and `detail` say why.
  BulkTask = Struct.new(:task_id, :state, :done, :code, :detail, keyword_init: true) do
    # Whether it was acted on.
    def done?
      done
    end
  end

  # What was done to each of many tasks, the newest first.
  Bulk = Struct.new(:action, :dry_run, :tasks, keyword_init: true) do
    # From the server's JSON.
    # @api private
    def self.read(raw)
      tasks = raw.fetch("tasks").map do |task|
        BulkTask.new(task_id: task.fetch("task_id"), state: task.fetch("state"), done: task.fetch("done"),
                     code: task["code"], detail: task["detail"])
      end
      new(action: raw.fetch("action"), dry_run: raw.fetch("dry_run"), tasks: tasks)
    end
  end

  # How much has left the store, or would.
  Pruned = Struct.new(:dry_run, :before, :tasks, :events, keyword_init: true) do
    # From the server's JSON.
    # @api private
    def self.read(raw)
      new(dry_run: raw.fetch("dry_run"), before: Stepwell.time_of(raw.fetch("before")), tasks: raw.fetch("tasks"),
          events: raw.fetch("events"))
    end
  end

  # How much a store holds; `raw` also counts by state, by day and by table.
  Statistics = Struct.new(:store_id, :events, :commits, :raw, keyword_init: true)

  # Who works for the server. Those that connect from elsewhere have a `worker_id`. `raw` is the whole answer.
  WorkerInfo = Struct.new(
    :name, :kind, :handlers, :concurrency, :running, :namespaces, :labels, :worker_id, :raw, keyword_init: true
  ) do
    # From the server's JSON.
    # @api private
    def self.read(raw)
      new(name: raw.fetch("name"), kind: raw.fetch("kind"),
          handlers: raw.fetch("handlers", []).map { |handler| handler.fetch("name") },
          concurrency: raw.fetch("concurrency"), running: raw.fetch("running"), namespaces: raw.fetch("namespaces", []),
          labels: raw.fetch("labels", {}), worker_id: raw["worker_id"], raw: raw)
    end
  end

  # What a client says as whoever runs a server.
  module OperationCalls
    # `cancel`, `retry`, `pause` or `resume` all tasks that match, the newest first, 1000 at most.
    #
    # Without a `status` the open tasks are meant. One that refuses does not hold up the others. With
    # `dry_run` nothing is changed; a task without a `code` would not refuse.
    # @return [Bulk]
    def act_on_tasks(action, namespace: nil, name: nil, status: nil, reason: nil, limit: nil, dry_run: false)
      wish = { action: action, namespace: namespace, name: name, state: status, reason: reason, limit: limit,
               dry_run: dry_run || nil }
      Bulk.read(json("POST", "/v1/tasks/bulk", wish.compact, repeatable: dry_run))
    end

    # Let tasks that ended before a time leave the store; of those only `tasks`, if ids are given.
    #
    # The time is a `Time`, or text such as `2026-11-24T00:00:00Z`. With `dry_run` nothing is changed,
    # and the answer says how much would leave.
    # @return [Pruned]
    def prune_tasks(before, tasks: nil, reason: nil, dry_run: false)
      before = before.getutc.iso8601(3) if before.is_a?(Time)
      wish = { before: before, tasks: tasks, reason: reason }.compact
      Pruned.read(json("POST", "/v1/prune#{'?dry_run=true' if dry_run}", wish, repeatable: dry_run))
    end

    # All workers, and what they hold.
    # @return [Array<WorkerInfo>]
    def list_workers
      json("GET", "/v1/workers").fetch("workers").map { |worker| WorkerInfo.read(worker) }
    end

    # Tell a worker to finish what it has and to end.
    # @return [nil]
    def drain_worker(worker_id)
      tell("POST", path("workers", worker_id, "drain"))
    end

    # End the hold that the server was started with, `stepwell serve --hold`. Whether there was one.
    # @return [Boolean]
    def release(reason: nil)
      json("POST", "/v1/release", { reason: reason }.compact).fetch("released")
    end

    # How the server is; `status` is `ready` when it takes tasks.
    # @return [Hash]
    def health_check
      json("GET", "/v1/health")
    end

    # How much the store holds. The server goes through all events for it.
    # @return [Statistics]
    def statistics
      raw = json("GET", "/v1/stats")
      Statistics.new(store_id: raw.fetch("store_id"), events: raw.fetch("events"), commits: raw.fetch("commits"), raw: raw)
    end

    # The server's figures, in the text format of Prometheus.
    # @return [String]
    def metrics
      text("/v1/metrics")
    end

    # The whole engine as it is, or was: at the number of an event, a time, or `-10m`.
    # @return [Hash]
    def get_state(at: nil)
      json("GET", "/v1/state#{query(at: at)}")
    end
  end
end
