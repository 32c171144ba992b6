# frozen_string_literal: true

require_relative "helper"

# Worker and client at a real server; STEPWELL_BIN names the binary.
class ServerTest < Minitest::Test
  include Helper

  TEMPLATE = <<~YAML
    name: sums
    namespace_name: shop
    version: 1.0.0
    steps:
      - { name: fetch, handler: { callable: fetch }, retry: { max_attempts: 2, initial_delay: 0.01 } }
      - { name: add, handler: { callable: add }, dependencies: [fetch] }
      - { name: last, handler: { callable: last }, dependencies: [add] }
  YAML

  HANDLERS = <<~RUBY
    require "stepwell"
    Stepwell.step_handler("fetch", inputs: [:n]) do |n:, context:|
      context.save_checkpoint(n)
      raise Stepwell::RetryableError.new("again", retry_after: 0) if context.attempt == 1
      puts "checkpoint \#{context.checkpoint}"
      [n, 1]
    end
    Stepwell.step_handler("add", depends_on: { numbers: "fetch" }) { |numbers:| { sum: numbers.sum } }
    Stepwell.step_handler("last") { |context:| context.get_dependency_result("fetch").size }
  RUBY

  def setup
    serve
  end

  # A server of a new store, with these options.
  def serve(*more)
    binary = ENV.fetch("STEPWELL_BIN") { flunk("STEPWELL_BIN must name the built stepwell") }
    template = file("templates/sums.yaml", TEMPLATE)
    @processes ||= []
    store = File.join(@folder, "store#{more.size}")
    _, output = start(File.expand_path(binary), "serve", "--store", store, "--templates",
                      File.dirname(template), "--listen", "127.0.0.1:0", *more)
    @url = output.each_line.find { |line| line.include?("http://") }[%r{http://\S+}]
    @socket = "unix:#{store}/api.sock"
  end

  def teardown
    @processes.each { |process| Process.kill("KILL", process.pid) if process.alive? }
    @processes.each(&:value)
    super
  end

  def start(*command, **more)
    input, output, process = Open3.popen2e(environment(**more), *command)
    input.close
    @processes << process
    [process, output]
  end

  def worker(url)
    start(*RUBY, PROGRAM, file("handlers.rb", HANDLERS), "--server", url, "--name", "rubin", "--label", "a=b")
  end

  def test_a_worker_over_each_address
    [@url, @socket].each do |url|
      process, output = worker(url)
      client = Stepwell::Client.new(url: url, initiator: "test")
      tasks = client.create_tasks(Array.new(20) { |n| { name: "sums", namespace: "shop", context: { n: n } } })
      sums = tasks.map { |task| client.wait(task.task_id, timeout: SAFETY_NET) }
      assert_equal((1..20).to_a, sums.map { |task| task.result("add")["sum"] })
      assert_equal([2, 1, 1], sums.first.steps.values.map(&:attempts))
      assert_equal(2, sums.first.result("last"))
      Process.kill("TERM", process.pid)
      assert_equal(["", 0], [output.read, process.value.exitstatus])
    end
  end

  def test_the_client
    client = Stepwell::Client.new(url: @url)
    task = client.create_task("sums", namespace: "shop", context: { n: 1 }, idempotency_key: "größe/1")
    assert_equal(task.task_id, client.create_task("sums", namespace: "shop", context: { n: 1 }, idempotency_key: "größe/1").task_id)
    assert_equal([task.task_id], client.list_tasks(namespace: "shop", limit: 5).tasks.map(&:task_id))
    assert_equal(%w[fetch add last], client.list_task_steps(task.task_id).map(&:name))
    assert_equal("add", client.get_step(task.task_id, "add").name)
    refute_empty(client.get_step_audit_history(task.task_id, "fetch"))
    assert_equal("resolved_manually", client.resolve_step(task.task_id, "fetch", result: [5], reason: "by hand").steps["fetch"].state)
    assert_equal("cancelled", client.cancel_task(task.task_id, reason: "enough").state)
    assert_equal("ready", client.health_check["status"])
    assert_equal(["sums"], client.list_templates.map(&:name))
    assert_equal("2.0.0", client.put_template(TEMPLATE.sub("1.0.0", "2.0.0")).version)
    assert_equal("unknown_task", assert_raises(Stepwell::ApiError) { client.get_task("nobody") }.code)
  end

  def test_what_an_operator_asks_and_says
    serve("--hold")
    client = Stepwell::Client.new(url: @url)
    assert_equal([true, true, false], [client.health_check["held"], client.release(reason: "sound"), client.release])
    limit = client.set_limit("handler", "a/ü", concurrency_max: 4, rate: "100/min", burst: 20, reason: "asked for")
    assert_equal([[limit], limit], [client.list_limits, client.get_limit("handler", "a/ü")])
    client.remove_limit("handler", "a/ü", reason: "no more")
    assert_equal("unknown_limit", assert_raises(Stepwell::ApiError) { client.get_limit("handler", "a/ü") }.code)

    id = client.create_webhook("http://127.0.0.1:9/x", types: ["task.blocked"], disable_after: 60).id
    assert_equal([[id], "active", id], [client.list_webhooks.map(&:id), client.get_webhook(id).state, client.enable_webhook(id).id])
    assert_equal([id, []], [client.remove_webhook(id).id, client.list_webhooks])

    assert_equal(%w[fetch add last], client.get_template("shop", "sums")["steps"].keys)
    assert_match(/^graph TD/, client.draw_template("shop", "sums", format: "mermaid"))
    assert_equal(["error", 1], client.validate_template("name: a").findings.first.to_h.values_at(:severity, :line))

    task = client.create_task("sums", namespace: "shop", context: { n: 4 }).task_id
    assert_equal(%w[add last], client.plan_task(task).later)
    client.resolve_step(task, "fetch", result: [5])
    assert_equal(["fetch"], client.plan_fork(task, from: "add", input: { n: 5 }).reused)
    fork = client.fork_task(task, from: "add", reason: "once more").task_id
    refute(client.diff_tasks(task, fork).alike?)
    assert_match(/add/, client.explain_task(task, step: "add").sentences.first)
    assert_match(/add/, client.draw_task(task))
    assert_match(task, client.export_task(task, redact: ["/n"]))
    assert_empty(client.all_log_lines(task, step: "fetch").to_a)
    page = client.list_events(task: task, limit: 1)
    assert_equal([["task.submitted", page.next_after]], page.events.map { |event| event.values_at("type", "seq") })

    assert_equal(2, client.act_on_tasks("pause", dry_run: true).tasks.size)
    assert_equal([[fork, true], [task, true]], client.act_on_tasks("cancel", namespace: "shop").tasks.map { |it| [it.task_id, it.done?] })
    assert_equal(2, client.prune_tasks("2100-01-01T00:00:00Z", dry_run: true).tasks)
    assert_equal(0, client.prune_tasks(Time.at(0)).tasks)
    assert_equal(1, client.prune_tasks("2100-01-01T00:00:00Z", tasks: [task], reason: "a test").tasks)
    assert_operator(client.statistics.events, :>, 5)
    assert_empty(client.get_state["tasks"])
    assert_match(/^stepwell_/, client.metrics)
    assert_equal(["command"], client.list_workers.map(&:kind))
    assert_equal("unknown_worker", assert_raises(Stepwell::ApiError) { client.drain_worker("nobody") }.code)
  end
end
