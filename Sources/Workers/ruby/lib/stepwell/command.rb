# frozen_string_literal: true

require "optparse"
require_relative "discovery"
require_relative "remote"
require_relative "worker"

module Stepwell
  # The command line of `stepwell-worker`.
  # @api private
  class Command
    CONCURRENCY = 8
    private_constant :CONCURRENCY

    # A command line that makes no sense, or a setting; the message says why.
    class Misuse < StandardError; end

    # Run the command and return its exit status: 2 when it cannot do its work.
    def self.run(arguments)
      new(CONCURRENCY).run(arguments)
    end

    # The worker of handlers that are known already; `arguments` are those of `stepwell-worker`, without files.
    def self.serve(arguments, concurrency: CONCURRENCY)
      new(concurrency, needs_targets: false).run(arguments)
    end

    def initialize(concurrency, needs_targets: true)
      @concurrency = concurrency
      @needs_targets = needs_targets
      @namespaces = []
      @labels = {}
    end

    def run(arguments)
      targets = parser.parse(arguments)
      raise Misuse, "which handlers? name files or folders; see --help" if targets.empty? && @needs_targets && !@is_done
      return 0 if @is_done

      @lists ? list(targets) : work(targets)
      0
    rescue Misuse, BadAddress, Discovery::Fault, OptionParser::ParseError => e
      $stderr.write("stepwell: #{e.message}\n")
      2
    end

    private

    def work(targets)
      carrier, about = carrier_and_about # before the handlers are loaded: they may print
      Worker.new(handlers(targets), @concurrency, carrier, about).serve
    end

    # The way to the engine: of the engine that has started the process, else to a server.
    def carrier_and_about
      url = @server || ENV["STEPWELL_URL"].to_s
      if ENV["STEPWELL_WORKER"] == "1" || url.empty?
        if $stdin.tty?
          raise Misuse, "a worker is started by the engine and talks with it on standard input, or needs --server URL; see --help"
        end
        return [Channel.claim_standard_streams, {}]
      end

      about = { name: @name, namespaces: @namespaces, labels: @labels }.reject { |_, value| value.nil? || value.empty? }
      [Remote.new(Address.new(url), ENV.fetch("STEPWELL_TOKEN", nil), @concurrency), about]
    end

    def handlers(targets)
      return Discovery.handlers_of(targets) if @needs_targets

      Discovery.table(StepHandler::Base.all_handlers)
    end

    def list(targets)
      found = handlers(targets).sort
      width = found.map { |name, _| name.size }.max
      found.each { |name, handler| puts format("%-#{width}s  %-8s  %s", name, handler.handler_version, handler.place) }
    end

    def parser
      OptionParser.new do |options|
        options.banner = "Runs step handlers written in Ruby for the Stepwell engine.\n\n" \
                         "Usage: stepwell-worker HANDLERS... [OPTIONS]\n\n" \
                         "HANDLERS are files, or folders searched all the way down. Without --server the worker is\n" \
                         "started by the engine, and talks with it on standard input and output.\n\nOptions:"
        options.on("--concurrency N", OptionParser::DecimalInteger, "attempts at the same time, each in a thread, 1 to 1000 (#{@concurrency})") do |number|
          raise Misuse, "--concurrency #{number} is not from 1 to 1000" unless number.between?(1, 1000)

          @concurrency = number
        end
        options.on("--server URL", "work for this server: http://HOST:PORT, https://HOST:PORT or unix:PATH",
                   "(STEPWELL_URL); its token is read from STEPWELL_TOKEN") { |url| @server = url }
        options.on("--name NAME", "what the server's log calls the worker") { |name| @name = name }
        options.on("--namespace NS", "run steps of this namespace's templates only; may be repeated") { |name| @namespaces << name }
        options.on("--label KEY=VALUE", "shown with the worker; may be repeated") do |label|
          key, separator, value = label.partition("=")
          raise Misuse, "--label #{label} is not KEY=VALUE" if separator.empty? || key.empty?

          @labels[key] = value
        end
        options.on("--list", "show the handlers and where they are, and stop") { @lists = true }
        options.on("--version", "show the version of this SDK") { answer("stepwell-ruby #{VERSION}") }
        options.on("--help", "show this help") { answer(options.help) }
        options.separator("\nExamples:\n  stepwell run shop.yaml --worker 'stepwell-worker handlers.rb'\n" \
                          "  stepwell-worker handlers.rb --server http://127.0.0.1:7420 --concurrency 20")
      end
    end

    def answer(text)
      $stdout.puts text
      @is_done = true
    end
  end
end
