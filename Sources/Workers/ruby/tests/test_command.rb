# frozen_string_literal: true

require_relative "helper"

# The command line and what it finds.
class CommandTest < Minitest::Test
  include Helper

  HANDLERS = <<~RUBY
    require "stepwell"
    class Shop; class Pay < Stepwell::StepHandler::Base; def call(_); end; end; end
    Stepwell.step_handler("shop.add", version: "2.0.0") { 1 }
  RUBY

  def refused(*arguments, **more)
    _, errors, status = command(*arguments, **more)
    assert_equal(2, status.exitstatus, errors)
    errors
  end

  def test_list
    path = file("a/b/handlers.rb", HANDLERS)
    file("tests/test_it.rb", "raise 'not to be loaded'")
    output, errors, = command("--list", @folder)
    assert_empty(errors)
    assert_equal(["Shop::Pay  1.0.0     #{path}:2", "shop.add   2.0.0     #{path}:3"], output.lines.map(&:chomp))
  end

  def test_help_and_version
    output, errors, status = command("--help")
    assert_equal(["", 0], [errors, status.exitstatus])
    %w[--concurrency --server --name --namespace --label --list].each { |option| assert_includes(output, option) }
    assert_equal("stepwell-ruby #{Stepwell::VERSION}\n", command("--version").first)
  end

  def test_misuse
    path = file("handlers.rb", HANDLERS)
    assert_match(/which handlers/, refused)
    assert_match(/no such file or folder: nowhere/, refused("nowhere", STEPWELL_WORKER: "1"))
    assert_match(/no handlers in/, refused(file("empty.rb", ""), STEPWELL_WORKER: "1"))
    assert_match(/0 is not from 1 to 1000/, refused(path, "--concurrency", "0"))
    assert_match(/KEY=VALUE/, refused(path, "--label", "x"))
    assert_match(/invalid option: --colour/, refused(path, "--colour"))
    assert_match(/is no address/, refused(path, "--server", "ftp://x"))
  end

  def test_files_at_fault
    broken = refused(file("broken.rb", "\nraise 'oh'"), STEPWELL_WORKER: "1")
    assert_match(/cannot load .*broken\.rb\n.*broken\.rb:2:.*RuntimeError: oh/, broken)
    assert_match(/SyntaxError/, refused(file("syntax.rb", "def"), STEPWELL_WORKER: "1"))
    assert_match(/SystemExit/, refused(file("leaves.rb", "exit"), STEPWELL_WORKER: "1"))
    twice = refused(file("twice.rb", "#{HANDLERS}Stepwell.step_handler('shop.add') { 2 }"), STEPWELL_WORKER: "1")
    assert_match(/two handlers have the name shop\.add: .*twice\.rb:3 and .*twice\.rb:4/, twice)
  end
end
