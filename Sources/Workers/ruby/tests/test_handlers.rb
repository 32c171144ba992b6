# frozen_string_literal: true

require "bigdecimal"
require_relative "helper"

# Handlers, contexts and results, run by the test kit.
class HandlersTest < Minitest::Test
  include Stepwell::StepHandler::Functional

  Cart = Struct.new(:total, :currency)
  Order = Struct.new(:id, keyword_init: true)

  class Pair < Stepwell::StepHandler::Base
    handler_version "3.0.0"

    def call(context)
      success(result: { sum: context.get_input("a") + context.get_input("b") }, metadata: { by: "pair" })
    end

    def difference(context)
      context.get_input("a") - context.get_input("b")
    end

    def refuse(_context)
      failure(message: "no", error_type: "own", error_code: "X", retryable: false, retry_after: 3)
    end

    private

    def hidden(_context); end
  end

  # Without a `call` of its own it is no handler.
  class Abstract < Stepwell::StepHandler::Base; end

  def run_it(handler, **context)
    Stepwell::Testing.run_handler(handler, **context)
  end

  def test_a_class
    assert_equal(["HandlersTest::Pair", "3.0.0"], [Pair.handler_name, Pair.handler_version])
    result = run_it(Pair, input: { a: 1, b: 2 })
    assert_equal([{ "sum" => 3 }, { "by" => "pair" }], [result.result, result.metadata])
    assert_equal(-1, run_it(Pair, method: "difference", input: { a: 1, b: 2 }).result)
    refused = run_it(Pair, method: "refuse")
    assert_equal(["no", "own", "X", false, 3], refused.to_h.values_at(:message, :error_type, :error_code, :retryable, :retry_after))
  end

  def test_only_what_the_class_wrote_is_a_method
    %w[success failure hidden instance_eval initialize nothing send].each do |name|
      result = run_it(Pair, method: name)
      assert_equal([false, "permanent_error"], [result.success?, result.error_type], name)
    end
    refute_includes(Stepwell::StepHandler::Base.all_handlers, Abstract)
  end

  def test_a_block_gets_what_it_asks_for
    handler = step_handler("t.block", depends_on: { cart: "validate" }, inputs: [:rate]) do |cart:, rate:, context:, note: "none"|
      next success(result: "free") if cart.nil?
      return failure("too much") if rate > 1 # `return` works, as in a method

      [cart["total"] * rate, context.step_name, note]
    end
    assert_equal([5.0, "t.block", "none"], run_it(handler, dependencies: { validate: { total: 10 } }, input: { rate: 0.5 }).result)
    assert_equal("free", run_it(handler, input: { rate: 1 }).result)
    assert_equal("too much", run_it(handler, dependencies: { validate: {} }, input: { rate: 2 }).message)
  end

  def test_a_block_may_take_the_context_alone
    assert_equal(2, run_it(step_handler("t.alone") { |context| context.attempt }, attempt: 2).result)
  end

  def test_a_block_gets_objects
    handler = step_handler("t.objects", depends_on: { cart: ["validate", Cart] }, inputs: Order) { |cart:, inputs:| [cart.total, inputs.id] }
    assert_equal([7, "o"], run_it(handler, dependencies: { validate: { total: 7, more: 1 } }, input: { id: "o", other: 2 }).result)
    keyworded = step_handler("t.keyworded", depends_on: { order: ["place", Order] }) { |order:| order.id }
    assert_equal(4, run_it(keyworded, dependencies: { place: { id: 4, more: 1 } }).result)
    strict = Class.new { def initialize(total:) = @total = total }
    misfit = step_handler("t.misfit", depends_on: { cart: ["validate", strict] }) { |cart:| cart }
    result = run_it(misfit, dependencies: { validate: { sum: 1 } })
    assert_equal(["validation_error", false], [result.error_type, result.retryable])
    assert_match(/the result of step validate does not fit/, result.message)
  end

  def test_a_block_that_disagrees_is_refused
    assert_match(/nothing provides its keyword a/, assert_raises(ArgumentError) { step_handler("t.x") { |a:| a } }.message)
    assert_match(/no keyword b/, assert_raises(ArgumentError) { step_handler("t.y", inputs: [:b]) { 1 } }.message)
    assert_match(/2 arguments/, assert_raises(ArgumentError) { step_handler("t.z") { |a, b| [a, b] } }.message)
    assert_raises(ArgumentError) { step_handler("t.none") }
  end

  def test_context
    engine = Stepwell::Testing::FakeEngine.new(fetchable: { "far" => { "deep" => [{ "x" => 1 }] } })
    context = Stepwell::Testing.make_context(
      input: { a: nil, b: false }, config: { size: 3 }, dependencies: { "near_1" => 1, "near_2" => nil }, attempt: 3,
      deadline: 1_234, engine: engine
    )
    assert_equal([nil, false, 9, false, 9], [context.get_input(:a), context.get_input("b"), context.get_input_or("a", 9), context.get_input_or("b", 9), context.get_input_or("c", 9)])
    assert_equal([3, 4], [context.get_config(:size), context.get_config("no", 4)])
    assert_equal(1, context.get_dependency_field("far", "deep", 0, "x"))
    assert_nil(context.get_dependency_field("far", "deep", "x", "y"))
    assert_equal(%w[near_1 near_2 far], context.get_dependency_result_keys)
    assert_equal([1], context.get_all_dependency_results("near"))
    assert_nil(context.get_dependency_result("unknown"))
    assert_equal(["far"], engine.fetched)
    assert_equal([2, 3, true, true], [context.retry_count, context.max_retries, context.is_retry?, context.is_last_retry?])
    assert_equal(Time.at(1, 234, :millisecond), context.deadline)
  end

  def test_checkpoints
    engine = Stepwell::Testing::FakeEngine.new
    context = Stepwell::Testing.make_context(engine: engine)
    assert_equal([false, nil, 0], [context.has_checkpoint?, context.checkpoint_cursor, context.checkpoint_items_processed])
    context.save_cursor(5, items_processed: 2, accumulated_results: { sum: 1 })
    assert_equal([5, 2, { "sum" => 1 }], [context.checkpoint_cursor, context.checkpoint_items_processed, context.accumulated_results])
    assert_equal(1, engine.checkpoints.size)
  end

  def test_errors
    assert_equal([true, false, true], [Stepwell.retryable?(Stepwell::TimeoutError.new), Stepwell.retryable?(Stepwell::NotFoundError.new), Stepwell.retryable?(KeyError.new)])
    error = Stepwell::Errors::ValidationError.new("bad", field: "age", retryable: true)
    assert_equal(["validation_error", true, { field: "age" }], [error.error_type, error.retryable?, error.metadata])
    assert_equal("timeout", Stepwell::TimeoutError.new.error_type)
  end

  def test_what_json_cannot_hold
    loop_of_itself = []
    loop_of_itself << loop_of_itself
    {
      { rows: [{ price: Float::NAN }] } => "result.rows[0].price is NaN, which JSON does not have",
      { at: Time.at(0) } => "result.at is a Time, which is not a JSON value",
      ["\xff"] => "result[0] is not valid Unicode text",
      { nil => 1 } => "result has the key nil; keys are strings or symbols",
      { :a => 1, "a" => 2 } => "result has the key a twice",
      loop_of_itself => "result is nested too deeply, or contains itself"
    }.each do |value, words|
      failed = run_it(step_handler("t.#{words}") { value })
      assert_equal([words, "result_not_json", false], [failed.message, failed.error_type, failed.retryable])
    end
  end

  def test_what_becomes_json
    value = { symbol: :ok, struct: Cart.new(1, "EUR"), exact: BigDecimal("12345678901234567.89"), binary: "é".b, latin: "é".encode("ISO-8859-1") }
    text = Stepwell::Payload.encode(value, "value")
    assert_equal('{"symbol":"ok","struct":{"total":1,"currency":"EUR"},"exact":12345678901234567.89,"binary":"é","latin":"é"}', text)
    assert_equal("[1e400,-1.5E-400,1.0,0.0e999]".sub("0.0e999", "0.0"), Stepwell::Payload.encode(Stepwell::Payload.parse("[1e400,-1.5E-400,1.0,0.0e999]"), "x"))
  end
end

# Whole templates, run by the test kit.
class TemplateTest < Minitest::Test
  include Stepwell::StepHandler::Functional
  include Helper

  def test_in_the_order_of_dependencies_with_retries_and_checkpoints
    numbers = step_handler("numbers") do |context:|
      context.save_checkpoint(context.attempt)
      raise "not yet" if context.attempt < 3

      [context.checkpoint, context.get_input("n")]
    end
    sum = step_handler("sum", depends_on: { all: "first" }) { |all:| all.sum }
    far = step_handler("far") { |context:| [context.get_dependency_result("first"), context.get_config("k")] }
    yaml = file("t.yaml", <<~YAML)
      name: t
      steps:
        - { name: third, handler: { callable: far, initialization: { k: v } }, dependencies: [second] }
        - { name: second, handler: { callable: sum }, dependencies: [first] }
        - { name: first, handler: { callable: numbers } }
    YAML
    run = Stepwell::Testing.run_template(yaml, input: { n: 4 }, handlers: [numbers, sum, far])
    assert(run.complete?)
    assert_equal({ "first" => [3, 4], "second" => 7, "third" => [[3, 4], "v"] }, run.results)
    assert_equal({ "first" => 3, "second" => 1, "third" => 1 }, run.attempts)
  end

  def test_a_failure_holds_up_its_own_branch_only
    no = step_handler("no") { raise Stepwell::PermanentError, "never" }
    yes = step_handler("yes") { 1 }
    steps = [{ name: "a", callable: "no" }, { name: "b", callable: "yes", dependencies: ["a"] }, { name: "c", callable: "yes" }]
    run = Stepwell::Testing.run_template(steps, handlers: [no, yes])
    refute(run.complete?)
    assert_equal([%w[a c], 1, "never", 1], [run.outcomes.keys.sort, run.attempts["a"], run.outcomes["a"].message, run.result("c")])
  end

  def test_given_results_stand_for_steps
    add = step_handler("add_one", depends_on: { n: "a" }) { |n:| n["n"] + 1 }
    steps = [{ name: "a", handler: { command: ["false"] } }, { name: "b", callable: "add_one", dependencies: ["a"] }]
    run = Stepwell::Testing.run_template(steps, handlers: [add], results: { a: { n: 1 } })
    assert_equal([{ "a" => { "n" => 1 }, "b" => 2 }, 0], [run.results, run.attempts["a"]])
    assert_raises(ArgumentError) { Stepwell::Testing.run_template(steps, handlers: [add]) }
    assert_match(/no steps: z/, assert_raises(ArgumentError) { Stepwell::Testing.run_template(steps, handlers: [add], results: { z: 1 }) }.message)
  end

  def test_templates_without_sense
    yes = step_handler("sense") { 1 }
    circle = [{ name: "a", callable: "sense", dependencies: ["b"] }, { name: "b", callable: "sense", dependencies: ["a"] }]
    assert_match(/never start: a, b/, assert_raises(ArgumentError) { Stepwell::Testing.run_template(circle, handlers: [yes]) }.message)
    assert_match(/no handler "x"/, assert_raises(ArgumentError) { Stepwell::Testing.run_template([{ name: "a", callable: "x" }], handlers: [yes]) }.message)
  end
end
