# frozen_string_literal: true

require "stepwell"

# Tasker's names for what Stepwell has, so that handlers written for Tasker run as they are.
module TaskerCore
  Errors = Stepwell::Errors

  # See Stepwell::StepHandler.
  module StepHandler
    Functional = Stepwell::StepHandler::Functional

    # As in Tasker a failure is final unless it says otherwise.
    class Base < Stepwell::StepHandler::Base
      def failure(text = nil, message: text, error_type: "UnexpectedError", retryable: false, **others)
        super(message: message, error_type: error_type, retryable: retryable, **others)
      end
    end
  end

  # The client as functions, of the server that STEPWELL_URL names.
  module Client
    LOCK = Mutex.new
    private_constant :LOCK

    # The client that all functions share.
    # @return [Stepwell::Client]
    def self.client
      LOCK.synchronize { @client ||= Stepwell::Client.new }
    end

    %i[
      create_task get_task list_tasks cancel_task list_task_steps get_step get_step_audit_history health_check
    ].each do |name|
      define_singleton_method(name) { |*arguments, **keywords| client.public_send(name, *arguments, **keywords) }
    end
  end
end
