# frozen_string_literal: true

require_relative "helper"
require_relative "table_server"

# What an operator asks and says with the client, with a small server that answers as it is told.
class OperationsTest < Minitest::Test
  include TableServer

  TASK = { task_id: "id", namespace: "n", name: "a", version: "1", state: "pending", input: {}, steps: {} }.freeze
  LIMIT = {
    scope: "handler", name: "a/ü", concurrency_max: 4, rate: "100/min", burst: 20, running: 1, waiting: 2, due_at: nil,
    set_at: "2026-11-24T21:44:25.791Z", set_by: "ann", reason: nil
  }.freeze
  WEBHOOK = {
    id: "ced9", url: "u", types: ["task.completed"], namespaces: [], tasks: [], secret: nil, created_at: "2026-11-24T21:44:25Z",
    state: "failing", after: 7, lag: 3, sent: 2, failed: 1, last_error: "no", next_try_at: nil, disabled_at: nil
  }.freeze
  PLAN = { reused: ["a"], replaced: [], next: ["b"], later: ["c"], held: [] }.freeze
  BULK = { action: "retry", dry_run: false, tasks: [
    { task_id: "t", state: "blocked_by_failures", done: true },
    { task_id: "u", state: "pending", done: false, code: "nothing_to_retry", detail: "there is none" }
  ] }.freeze
  PRUNED = { dry_run: true, before: "2026-11-24T00:00:00.000Z", tasks: 3, events: 30 }.freeze
  LINE = { time: "2026-11-24T21:44:25.791Z", step: "add", attempt: 2, lease: 7, level: "info", text: "hello" }.freeze

  # What the block makes of the answer, when it has asked what is wanted.
  def asks(wanted, sent = nil, with: nil, status: 200)
    answer(status, with || "")
    found = yield(client)
    method, path, _, body = @requests.pop
    body = body.empty? ? nil : JSON.parse(body) unless sent.is_a?(String)
    assert_equal([wanted, sent], ["#{method} #{path.delete_prefix('/base/v1')}", body])
    found
  end

  def test_limits
    place = "/limits/handler/a%2F%C3%BC"
    sent = { "concurrency_max" => 4, "rate" => "100/min", "burst" => 20, "reason" => "why" }
    limit = asks("PUT #{place}", sent, with: LIMIT) do |it|
      it.set_limit("handler", "a/ü", concurrency_max: 4, rate: "100/min", burst: 20, reason: "why")
    end
    assert_equal(["handler", "a/ü", 4, "100/min", 20, 1, 2, nil], limit.to_a.first(8))
    assert_equal([Time.utc(2026, 11, 24, 21, 44, 25.791r), "ann", "ann"], [limit.set_at, limit.set_by, limit.raw["set_by"]])
    assert_equal([limit], asks("GET /limits", with: { limits: [LIMIT] }, &:list_limits))
    assert_equal(limit, asks("GET #{place}", with: LIMIT) { |it| it.get_limit("handler", "a/ü") })
    asks("PUT /limits/namespace/n", { "concurrency_max" => 0 }, with: LIMIT) { |it| it.set_limit(:namespace, "n", concurrency_max: 0) }
    assert_nil(asks("DELETE #{place}?reason=not+now", status: 204) { |it| it.remove_limit("handler", "a/ü", reason: "not now") })
  end

  def test_webhooks
    sent = { "url" => "u", "types" => ["task.completed"], "namespaces" => ["n"], "tasks" => ["t"], "secret" => "secret:k",
             "after" => 0, "disable_after_s" => 60 }
    webhook = asks("POST /webhooks", sent, with: WEBHOOK, status: 201) do |it|
      it.create_webhook("u", types: ["task.completed"], namespaces: ["n"], tasks: ["t"], secret: "secret:k", after: 0, disable_after: 60)
    end
    assert_equal(["ced9", "u", ["task.completed"], "failing", 7, 3, 2, 1, "no"],
                 webhook.to_h.values_at(:id, :url, :types, :state, :after, :lag, :sent, :failed, :last_error))
    assert_equal([Time.utc(2026, 11, 24, 21, 44, 25), nil], [webhook.created_at, webhook.disabled_at])
    asks("POST /webhooks", { "url" => "u" }, with: WEBHOOK) { |it| it.create_webhook("u") }
    assert_equal([webhook], asks("GET /webhooks", with: { webhooks: [WEBHOOK] }, &:list_webhooks))
    assert_equal(webhook, asks("GET /webhooks/a%2Fb", with: WEBHOOK) { |it| it.get_webhook("a/b") })
    asks("POST /webhooks/w/enable", {}, with: WEBHOOK) { |it| it.enable_webhook("w") }
    asks("POST /webhooks/w/enable", { "after" => 0 }, with: WEBHOOK) { |it| it.enable_webhook("w", after: 0) }
    assert_equal(webhook, asks("DELETE /webhooks/w", with: WEBHOOK) { |it| it.remove_webhook("w") })
  end

  def test_templates
    name = { namespace: "n", name: "a", version: "1", digest: "d" }
    asks("PUT /templates?environment=fast", "name: a", with: name) { |it| it.put_template("name: a", environment: "fast") }
    asks("GET /templates/n/a%2Fb", with: {}) { |it| it.get_template("n", "a/b") }
    asks("GET /templates/n/a?version=1", with: {}) { |it| it.get_template("n", "a", version: "1") }
    drawing = asks("GET /templates/n/a/graph?format=text", with: "a\n└─ b\n") { |it| it.draw_template("n", "a") }
    assert_equal("a\n└─ b\n", drawing)
    finding = { severity: "error", code: "missing_key", message: "no", cure: nil, line: 1, column: 2 }
    found = asks("POST /templates/validate", "name: a", with: { valid: false, findings: [finding] }) { |it| it.validate_template("name: a") }
    assert_equal([false, ["error", "missing_key", "no", nil, 1, 2]], [found.valid?, found.findings.first.to_a])
  end

  def test_the_past
    page = asks("GET /tasks/t/events?after=2&limit=1", with: { events: [{ seq: 3 }], next_after: 3 }) { |it| it.list_events(task: "t", after: 2, limit: 1) }
    assert_equal([[{ "seq" => 3 }], 3], page.to_a)
    asks("GET /events?after=0", with: { events: [], next_after: 0 }, &:list_events)
    story = { task_id: "t", state: "pending", sentences: [{ text: "it waits", events: [7] }], actions: [{ command: "stepwell cancel" }], waits: {} }
    explanation = asks("GET /tasks/t/explain?step=add", with: story) { |it| it.explain_task("t", step: "add") }
    assert_equal([["it waits"], ["stepwell cancel"], {}], [explanation.sentences, explanation.actions, explanation.raw["waits"]])
    assert_equal("graph TD\n", asks("GET /tasks/t/graph?format=mermaid", with: "graph TD\n") { |it| it.draw_task("t", format: "mermaid") })
    assert(asks("GET /tasks/t/diff/u%2Fv", with: { alike: true }) { |it| it.diff_tasks("t", "u/v") }.alike?)
    bundle = asks("GET /tasks/t/export?redact=%2Fa&redact=%2Fb", with: "{}\n") { |it| it.export_task("t", redact: ["/a", "/b"]) }
    assert_equal("{}\n", bundle)
  end

  def test_log_lines_page_after_page
    answer(200, { lines: [LINE, LINE], next: "7-2" })
    answer(200, { lines: [LINE], next: nil })
    lines = client.all_log_lines("t", step: "add").to_a
    assert_equal([["add", 2, "info", "hello"]] * 3, lines.map { |line| [line.step, line.attempt, line.level, line.text] })
    assert_equal(["/base/v1/tasks/t/logs?step=add", "/base/v1/tasks/t/logs?step=add&cursor=7-2"], Array.new(2) { @requests.pop[1] })
  end

  def test_plans_and_forks
    plan = asks("GET /tasks/t/plan", with: PLAN) { |it| it.plan_task("t") }
    assert_equal([["a"], [], ["b"], ["c"], [], []], plan.to_a.first(6))
    sent = { "from" => "b", "input" => { "a" => 1 }, "results" => { "a" => nil }, "version" => "2" }
    wish = { from: "b", input: { a: 1 }, results: { a: nil }, version: "2" }
    plan = asks("POST /tasks/t/fork?dry_run=true", sent, with: { **PLAN, warnings: ["look"] }) { |it| it.plan_fork("t", **wish) }
    assert_equal(["look"], plan.warnings)
    task = asks("POST /tasks/t/fork", { **sent, "reason" => "mended" }, with: TASK) { |it| it.fork_task("t", **wish, reason: "mended") }
    assert_equal("id", task.task_id)
  end

  def test_many_tasks_at_once
    sent = { "action" => "retry", "namespace" => "n", "name" => "a", "state" => "blocked_by_failures", "reason" => "why", "limit" => 5 }
    done = asks("POST /tasks/bulk", sent, with: BULK) do |it|
      it.act_on_tasks("retry", namespace: "n", name: "a", status: "blocked_by_failures", reason: "why", limit: 5)
    end
    assert_equal([["t", true, nil], ["u", false, "nothing_to_retry"]], done.tasks.map { |task| [task.task_id, task.done?, task.code] })
    asks("POST /tasks/bulk", { "action" => "pause", "dry_run" => true }, with: BULK) { |it| it.act_on_tasks("pause", dry_run: true) }
  end

  def test_pruning
    sent = { "before" => "2026-11-24T12:00:00.000Z", "tasks" => ["t"], "reason" => "old" }
    pruned = asks("POST /prune?dry_run=true", sent, with: PRUNED) do |it|
      it.prune_tasks(Time.new(2026, 11, 24, 13, 0, 0, "+01:00"), tasks: ["t"], reason: "old", dry_run: true)
    end
    assert_equal([true, Time.utc(2026, 11, 24), 3, 30], pruned.to_a)
    asks("POST /prune", { "before" => "2026-11-24T00:00:00Z" }, with: PRUNED) { |it| it.prune_tasks("2026-11-24T00:00:00Z") }
  end

  def test_the_server_and_its_workers
    worker = { name: "box#1", kind: "remote", handlers: [{ name: "add", version: "1" }], concurrency: 8, running: 2, namespaces: [],
               labels: { a: "b" }, worker_id: "w", silent_ms: 3 }
    found = asks("GET /workers", with: { workers: [worker] }, &:list_workers).first
    assert_equal(["box#1", "remote", ["add"], 8, 2, [], { "a" => "b" }, "w"], found.to_a.first(8))
    assert_nil(asks("POST /workers/w/drain", status: 202) { |it| it.drain_worker("w") })
    assert(asks("POST /release", { "reason" => "sound" }, with: { released: true, held: false }) { |it| it.release(reason: "sound") })
    counts = asks("GET /stats", with: { store_id: "s", events: 7, commits: 6, head: 7 }, &:statistics)
    assert_equal(["s", 7, 6, 7], [counts.store_id, counts.events, counts.commits, counts.raw["head"]])
    assert_equal("a 1\n", asks("GET /metrics", with: "a 1\n", &:metrics))
    assert_equal({ "seq" => 3 }, asks("GET /state?at=-10m", with: { seq: 3 }) { |it| it.get_state(at: "-10m") })
  end

  def test_a_refusal_of_an_answer_without_json_is_one_too
    [->(it) { it.remove_limit("handler", "x") }, ->(it) { it.draw_task("t") }, lambda(&:metrics)].each do |call|
      answer(404, { code: "unknown_limit", detail: "there is none" })
      assert_equal("unknown_limit", assert_raises(Stepwell::ApiError) { call.call(client) }.code)
    end
  end

  def test_what_changes_something_is_sent_once
    [->(it) { it.remove_limit("handler", "x") }, ->(it) { it.act_on_tasks("retry") }, ->(it) { it.fork_task("t", from: "b") }].each do |call|
      @answers << [:hang_up]
      assert_raises(Stepwell::Unreachable) { call.call(client) }
    end
    assert_equal(3, @requests.size)
    [[LIMIT, ->(it) { it.set_limit("handler", "x", concurrency_max: 1) }], [BULK, ->(it) { it.act_on_tasks("retry", dry_run: true) }]].each do |document, call|
      @answers << [:hang_up]
      answer(200, document)
      call.call(client)
    end
    assert_equal(7, @requests.size)
  end
end
