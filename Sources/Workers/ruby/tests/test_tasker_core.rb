# frozen_string_literal: true

$LOAD_PATH.unshift(File.expand_path("../tasker", __dir__))
require_relative "helper"
require "tasker_core"

# Handlers in Tasker's shape.
class TaskerCoreTest < Minitest::Test
  class Charge < TaskerCore::StepHandler::Base
    def call(context)
      raise TaskerCore::Errors::RetryableError.new("later", retry_after: 5, context: { try: 1 }) if context.is_retry?
      return failure(message: "no order") unless context.get_dependency_result("validate")

      success(result: { charged: context.get_dependency_field("validate", "total") }, metadata: { gw: "x" })
    end
  end

  def test_a_handler
    run = ->(**context) { Stepwell::Testing.run_handler(Charge, **context) }
    assert_equal({ "charged" => 3 }, run.call(dependencies: { validate: { total: 3 } }).result)
    assert_equal(["no order", false, "UnexpectedError"], run.call.to_h.values_at(:message, :retryable, :error_type))
    assert_equal([5, true], run.call(attempt: 2).to_h.values_at(:retry_after, :retryable))
    assert_equal("permanent_error", run.call(method: "failure").error_type)
  end

  def test_only_handlers_are_found
    found = Stepwell::StepHandler::Base.all_handlers
    assert_includes(found, Charge)
    refute_includes(found, TaskerCore::StepHandler::Base)
  end

  def test_the_client_is_functions
    assert_same(TaskerCore::Client.client, TaskerCore::Client.client)
    assert_respond_to(TaskerCore::Client, :create_task)
  end
end
