# frozen_string_literal: true

module Stepwell
  # From files and folders to the table of handlers.
  # @api private
  module Discovery
    # What is wrong with the files; the message says where.
    class Fault < StandardError; end

    LEFT_OUT_FOLDERS = %w[test tests spec].freeze
    LEFT_OUT_FILES = /\A(test_.*|.*_test|.*_spec|spec_helper|test_helper)\.rb\z/.freeze
    private_constant :LEFT_OUT_FOLDERS, :LEFT_OUT_FILES

    module_function

    # The handlers, by name, of these files and folders. Raises `Fault`.
    def handlers_of(targets)
      targets.flat_map { |target| files_of(target) }.each { |file| read(file) }
      found = table(StepHandler::Base.all_handlers)
      raise Fault, "no handlers in #{targets.join(', ')}" if found.empty?

      found
    end

    # Handler classes by their names; two of one name are a `Fault`.
    def table(classes)
      classes.each_with_object({}) do |handler, found|
        name = handler.handler_name
        other = found[name]
        raise Fault, "two handlers have the name #{name}: #{other.place} and #{handler.place}" if other

        found[name] = handler
      end
    end

    def files_of(target)
      path = File.expand_path(target)
      return [path] if File.file?(path)
      raise Fault, "no such file or folder: #{target}" unless File.directory?(path)

      files = Dir.glob("**/*.rb", base: path).sort.reject do |file|
        folders = file.split("/")
        LEFT_OUT_FILES.match?(folders.pop) || (folders & LEFT_OUT_FOLDERS).any?
      end
      raise Fault, "no Ruby files in #{target}" if files.empty?

      files.map { |file| File.join(path, file) }
    end

    def read(file)
      require file
    rescue Exception => e # rubocop:disable Lint/RescueException
      raise if e.is_a?(Interrupt)

      # A file may even call `exit`.
      place = e.is_a?(SyntaxError) ? nil : e.backtrace&.find { |line| !line.start_with?(__dir__) && !line.include?("<internal:") }
      raise Fault, "cannot load #{file}\n#{"#{place}: " if place}#{e.class}: #{Stepwell.message_of(e)}"
    end
    private_class_method :files_of, :read
  end
end
