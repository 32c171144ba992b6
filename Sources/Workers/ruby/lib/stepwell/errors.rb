# frozen_string_literal: true

module Stepwell
  # What a handler raises when it cannot do its work.
  #
  # Every class says whether another attempt can help (`retryable?`) and which `error_type` the
  # failure gets. An exception of any other class counts as retryable.
  module Errors
    # Base of all errors that a handler raises on purpose.
    class Error < StandardError
      class << self
        # @return [Boolean] whether another attempt can help, unless the object says otherwise
        attr_accessor :retryable
        # @return [String] the failure's `error_type`
        attr_accessor :error_type

        def inherited(subclass)
          super
          subclass.retryable = retryable
          subclass.error_type = error_type
        end
      end
      self.retryable = true
      self.error_type = "handler_error"

      # @return [Hash] what else is known about the failure
      attr_reader :metadata
      # @return [String, nil] the handler's own code
      attr_reader :error_code
      # @return [Numeric, nil] seconds to wait before the next attempt
      attr_reader :retry_after
      # @return [String] for programs, such as `validation_error`
      attr_accessor :error_type

      # `retry_after` is in seconds; `context` is further metadata.
      def initialize(message = nil, retryable: nil, metadata: nil, error_code: nil, retry_after: nil, context: nil)
        super(message)
        @retryable = retryable.nil? ? self.class.retryable : retryable
        @metadata = { **(metadata || {}), **(context || {}) }
        @error_code = error_code
        @retry_after = retry_after
        @error_type = self.class.error_type
      end

      # Whether another attempt can help.
      def retryable?
        @retryable
      end
    end

    # It may work next time; `retry_after` asks for a wait of so many seconds before.
    class RetryableError < Error
      self.error_type = "retryable_error"
    end

    # Something that the handler waited for took too long.
    class TimeoutError < RetryableError
      self.error_type = "timeout"
    end

    # A connection could not be made, or broke.
    class NetworkError < RetryableError
      # `status_code` is noted in the metadata.
      def initialize(message = nil, status_code: nil, metadata: nil, **others)
        super(message, metadata: { **(metadata || {}), **(status_code ? { status_code: status_code } : {}) }, **others)
      end
    end

    # A service asks for fewer requests.
    class RateLimitError < RetryableError; end

    # A service is down or overloaded.
    class ServiceUnavailableError < RetryableError; end

    # Somebody else holds a lock or a row that the handler needs.
    class ResourceContentionError < RetryableError; end

    # No further attempt can help.
    class PermanentError < Error
      self.retryable = false
      self.error_type = "permanent_error"
    end

    # The input, or an earlier result, is not what the handler needs.
    class ValidationError < PermanentError
      self.error_type = "validation_error"

      # `field` is noted in the metadata.
      def initialize(message = nil, field: nil, metadata: nil, **others)
        super(message, metadata: { **(metadata || {}), **(field ? { field: field } : {}) }, **others)
      end
    end

    # Something that must be there is not.
    class NotFoundError < PermanentError; end

    # A service does not believe who the handler is.
    class AuthenticationError < PermanentError; end

    # A service does not let the handler do this.
    class AuthorizationError < PermanentError; end

    # The handler is set up wrongly.
    class ConfigurationError < PermanentError; end

    # A rule of the business forbids it.
    class BusinessLogicError < PermanentError; end

    # Raised in a handler, wherever it is, when its attempt is cancelled or out of time.
    #
    # It is no StandardError, so that `rescue => e` lets it through; clean up with `ensure`.
    class Cancelled < Exception # rubocop:disable Lint/InheritException
      # `reason` is `timeout`, `cancelled`, `shutdown` or `lost`.
      attr_reader :reason

      def initialize(reason = "cancelled")
        super("the attempt was stopped: #{reason}")
        @reason = reason
      end
    end
  end

  Error = Errors::Error
  RetryableError = Errors::RetryableError
  TimeoutError = Errors::TimeoutError
  NetworkError = Errors::NetworkError
  RateLimitError = Errors::RateLimitError
  ServiceUnavailableError = Errors::ServiceUnavailableError
  ResourceContentionError = Errors::ResourceContentionError
  PermanentError = Errors::PermanentError
  ValidationError = Errors::ValidationError
  NotFoundError = Errors::NotFoundError
  AuthenticationError = Errors::AuthenticationError
  AuthorizationError = Errors::AuthorizationError
  ConfigurationError = Errors::ConfigurationError
  BusinessLogicError = Errors::BusinessLogicError
  Cancelled = Errors::Cancelled

  # Whether an attempt that ended with this exception may be tried again.
  def self.retryable?(error)
    error.is_a?(Errors::Error) ? error.retryable? : true
  end
end
