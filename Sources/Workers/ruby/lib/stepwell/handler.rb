# frozen_string_literal: true

module Stepwell
  # Where handlers begin: `Base` for classes, `Functional` for blocks.
  module StepHandler
    # Subclass it, name it, and write `call`.
    #
    #   class AddUp < Stepwell::StepHandler::Base
    #     handler_name "shop.add_up"
    #
    #     def call(context)
    #       success(result: { sum: context.get_dependency_result("fetch")["prices"].sum })
    #     end
    #   end
    #
    # A new object is made for each attempt, so instance variables are never shared. Other public
    # methods that take a context can be named by `handler.method` in the template.
    class Base
      @handlers = []

      class << self
        # The name that templates call the handler by; without one, the name of the class.
        def handler_name(name = nil)
          @handler_name = name.to_s if name
          @handler_name || self.name
        end

        # The version that `hello` tells the engine.
        def handler_version(version = nil)
          @handler_version = version.to_s if version
          @handler_version || "1.0.0"
        end

        # `file:line` of `call`, for messages.
        def place
          @place || instance_method(:call).source_location&.join(":") || "?"
        end

        # All classes that have a `call` of their own, in the order in which Ruby met them.
        # @api private
        def all_handlers
          Base.handlers.select { |it| it.handler_name && it.method_for("call") }
        end

        # The method that templates call so; nil when the subclass has none: neither `success` nor
        # `instance_eval` is one.
        # @api private
        def method_for(name)
          return nil if !public_method_defined?(name) || (name != "call" && Base.method_defined?(name))

          method = public_instance_method(name)
          method.owner == Base ? nil : method
        end

        protected

        attr_reader :handlers

        private

        def inherited(subclass)
          super
          Base.handlers << subclass
        end
      end

      # Do the step's work and say how it ended.
      def call(_context)
        raise NotImplementedError, "#{self.class} has no method `call`"
      end

      # The step is done; `result` is any JSON value.
      def success(value = nil, result: value, metadata: {})
        StepHandlerResult.success(result: result, metadata: metadata)
      end

      # The attempt failed; `retry_after` is in seconds.
      def failure(text = nil, message: text, error_type: ErrorType::HANDLER_ERROR, error_code: nil,
                  retryable: true, retry_after: nil, metadata: {})
        StepHandlerResult.failure(message: message, error_type: error_type, error_code: error_code,
                                  retryable: retryable, retry_after: retry_after, metadata: metadata)
      end

      # Run one attempt of this class. Raises whatever the handler raises.
      # @api private
      def self.run(context, method)
        unless method_for(method)
          raise PermanentError, "handler #{handler_name} has no method #{method.inspect}"
        end

        value = new.public_send(method, context)
        value.is_a?(StepHandlerResult) ? value : StepHandlerResult.success(result: value)
      end
    end
  end
end
