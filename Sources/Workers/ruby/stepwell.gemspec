# frozen_string_literal: true

require_relative "lib/stepwell/version"

Gem::Specification.new do |gem|
  gem.name = "stepwell"
  gem.version = Stepwell::VERSION
  gem.summary = "Write the steps of Stepwell workflows in Ruby"
  gem.description = "Worker, client and test kit for the Stepwell workflow engine. Standard library only."
  gem.authors = ["The Stepwell developers"]
  gem.license = "Apache-2.0"
  gem.required_ruby_version = ">= 3.0"
  gem.files = Dir.chdir(__dir__) { Dir["lib/**/*.rb", "tasker/**/*.rb", "sig/**/*.rbs", "exe/*", "README.md"] }
  gem.bindir = "exe"
  gem.executables = ["stepwell-worker"]
  gem.require_paths = %w[lib tasker]
end
