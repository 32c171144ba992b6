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
    binary = ENV.fetch("STEPWELL_BIN") { flunk("STEPWELL_BIN must name the built stepwell") }
    template = file("templates/sums.yaml", TEMPLATE)
    @processes = []
    _, output = start(File.expand_path(binary), "serve", "--store", File.join(@folder, "store"), "--templates",
                      File.dirname(template), "--listen", "127.0.0.1:0")
    @url = output.each_line.find { |line| line.include?("http://") }[%r{http://\S+}]
    @socket = "unix:#{@folder}/store/api.sock"
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
end
