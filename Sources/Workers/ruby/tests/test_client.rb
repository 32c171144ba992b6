# frozen_string_literal: true

require_relative "helper"
require_relative "table_server"

# The client, with a small server that answers as it is told.
class ClientTest < Minitest::Test
  include TableServer

  TASK = {
    task_id: "id", namespace: "shop", name: "prices", version: "1.0.0", state: "complete", input: {}, key: "k",
    submitted_at: "2026-11-24T22:00:00.123Z",
    steps: { add: { state: "complete", attempts: 1, max_attempts: 3, result: { sum: 7 } },
             bad: { state: "error", attempts: 3, max_attempts: 3, error: { message: "no", retryable: false } } }
  }.freeze

  def test_create_task
    answer(201, TASK)
    task = client(token: "secret", initiator: "me").create_task("prices", namespace: "shop", context: { n: 1.0 }, tags: ["a"])
    method, path, headers, body = @requests.pop
    assert_equal(["POST", "/base/v1/tasks", "Bearer secret"], [method, path, headers["authorization"]])
    assert_equal('{"initiator":"me","name":"prices","namespace":"shop","context":{"n":1.0},"tags":["a"]}', body)
    assert_equal([true, true, "id", { "sum" => 7 }], [task.settled?, task.complete?, task.task_uuid, task.result(:add)])
    assert_equal([Time.utc(2026, 11, 24, 22, 0, 0.123r), "no", false], [task.submitted_at, task.steps["bad"].error.message, task.steps["bad"].error.retryable?])
  end

  def test_names_are_escaped
    answer(200, { name: "a/ b", state: "pending", attempts: 0, max_attempts: 1 })
    client.get_step("größe", "a/ b")
    assert_equal("/base/v1/tasks/gr%C3%B6%C3%9Fe/steps/a%2F%20b", @requests.pop[1])
  end

  def test_every_other_wish_has_its_address
    summary = { namespace: "n", name: "a", version: "1", digest: "d" }
    {
      "POST /base/v1/tasks/t/pause" => [{ "reason" => "why" }, TASK, ->(it) { it.pause_task("t", reason: "why") }],
      "POST /base/v1/tasks/t/resume" => [{}, TASK, ->(it) { it.resume_task("t") }],
      "POST /base/v1/tasks/t/steps/s/resolve" => [{ "result" => { "n" => 1 } }, TASK, ->(it) { it.resolve_step("t", "s", result: { n: 1 }) }],
      "PUT /base/v1/templates" => ["name: a", summary, ->(it) { it.put_template("name: a") }]
    }.each do |wanted, (sent, document, call)|
      answer(200, document)
      call.call(client)
      method, path, _, body = @requests.pop
      assert_equal([wanted, sent], ["#{method} #{path}", sent.is_a?(Hash) ? JSON.parse(body) : body])
    end
  end

  def test_errors
    answer(404, { code: "unknown_task", detail: "there is no task 'x'", cure: "look" })
    error = assert_raises(Stepwell::ApiError) { client.get_task("x") }
    assert_equal([404, "unknown_task", "there is no task 'x'", "look"], [error.status, error.code, error.detail, error.cure])
    assert_equal("there is no task 'x' [unknown_task]; look", error.message)
    answer(502, "<html>")
    assert_equal("http_502", assert_raises(Stepwell::ApiError) { client.get_task("x") }.code)
    answer(200, "<html>")
    assert_equal("not_json", assert_raises(Stepwell::ApiError) { client.get_task("x") }.code)
  end

  def test_a_busy_server_is_asked_again
    answer(503, {}, "Retry-After: 0\r\n")
    answer(200, { status: "ready" })
    assert_equal("ready", client.health_check["status"])
    assert_equal(2, @requests.size)
  end

  def test_what_can_be_repeated_is
    2.times { @answers << [:hang_up] }
    answer(201, TASK)
    client.create_task("prices", idempotency_key: "k")
    assert_equal(3, @requests.size)
    assert_equal(1, Array.new(3) { @requests.pop.last }.uniq.size)
  end

  def test_what_cannot_be_repeated_is_not
    @answers << [:hang_up]
    error = assert_raises(Stepwell::Unreachable) { client.create_task("prices") }
    assert_equal(["unreachable", 1], [error.code, @requests.size])
  end

  def test_the_connection_is_kept
    asked = client
    2.times { answer(200, {}) }
    2.times { asked.health_check }
    assert_equal(0, @answers.size)
  end

  def test_pages
    summary = { task_id: "1", namespace: "n", name: "a", version: "1", state: "pending" }
    answer(200, { tasks: [summary], next: "c&d" })
    answer(200, { tasks: [{ **summary, task_id: "2" }], next: nil })
    assert_equal(%w[1 2], client.all_tasks(status: "pending").map(&:task_id))
    assert_equal(["/base/v1/tasks?state=pending", "/base/v1/tasks?cursor=c%26d&state=pending"], Array.new(2) { @requests.pop[1] })
  end

  def test_wait
    answer(200, { **TASK, state: "pending" })
    error = assert_raises(Stepwell::NotSettled) { client.wait("id", timeout: 0) }
    assert_equal("pending", error.task.status)
    answer(200, { **TASK, state: "pending" })
    answer(200, TASK)
    assert(client.wait("id", timeout: 60).complete?)
  end

  def test_wait_outlives_a_server_that_is_away
    # More in a row than one question survives, and each kind of absence.
    5.times { @answers << [:hang_up] }
    [503, 502, 504].each { |status| answer(status, "<html>", "Retry-After: 0\r\n") }
    answer(200, { **TASK, state: "pending" })
    answer(502, "")
    answer(200, TASK)
    assert(client.wait("id").complete?)
    assert_equal(11, @requests.size)
  end

  def test_wait_ends_with_what_does_not_pass
    answer(404, { code: "unknown_task" })
    refute(assert_raises(Stepwell::ApiError) { client.wait("id") }.may_pass?)
    refute(Stepwell::Unreachable.new("https://h", OpenSSL::SSL::SSLError.new("certificate verify failed (self-signed)")).may_pass?)
  end

  def test_wait_ends_in_time_while_the_server_is_away
    4.times { answer(503, {}, "Retry-After: 0\r\n") }
    assert(assert_raises(Stepwell::ApiError) { client.wait("id", timeout: 0) }.may_pass?)
  end

  def test_addresses
    ["ftp://x", "http://", "unix:", "127.0.0.1:7420", "http://u:p@h", "http://h/?q", "unix://host/x"].each do |url|
      assert_raises(Stepwell::BadAddress, url) { Stepwell::Client.new(url: url) }
    end
    address = Stepwell::Address.new("http://[::1]:80/a/")
    assert_equal(["::1", 80, "/a", false], [address.host, address.port, address.prefix, !!address.tls?])
    assert_equal("/run/x", Stepwell::Address.new("unix:///run/x").path)
  end
end
