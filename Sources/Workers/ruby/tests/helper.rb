# frozen_string_literal: true

$LOAD_PATH.unshift(File.expand_path("../lib", __dir__))
require "minitest/autorun"
require "json"
require "open3"
require "rbconfig"
require "tmpdir"
require "stepwell"
require "stepwell/testing"

# What several of the tests need.
module Helper
  RUBY = [RbConfig.ruby, "-w"].freeze
  PROGRAM = File.expand_path("../exe/stepwell-worker", __dir__)
  SAFETY_NET = 30 # seconds; no test waits for it unless something is broken

  # The environment without what would choose a carrier, which `more` may add.
  def environment(**more)
    ENV.keys.select { |name| name.start_with?("STEPWELL_") }.to_h { |name| [name, nil] }.merge(more.transform_keys(&:to_s))
  end

  # Runs `stepwell-worker` to its end: what it printed, its errors, its status.
  def command(*arguments, **more)
    Open3.capture3(environment(**more), *RUBY, PROGRAM, *arguments, stdin_data: "")
  end

  # The path of a file with this content, in a folder that ends with the test.
  def file(name, content)
    @folder ||= Dir.mktmpdir
    path = File.join(@folder, name)
    FileUtils.mkdir_p(File.dirname(path))
    File.write(path, content)
    path
  end

  def teardown
    FileUtils.remove_entry(@folder) if @folder
    super
  end
end
