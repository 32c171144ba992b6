# frozen_string_literal: true

module Stepwell
  module StepHandler
    # Handlers as blocks that are given what they ask for. Include it where such handlers are written:
    #
    #   include Stepwell::StepHandler::Functional
    #
    #   step_handler "shop.invoice", depends_on: { cart: "validate_cart" }, inputs: [:currency] do |cart:, currency:, context:|
    #     { "total" => cart["total"], "currency" => currency }
    #   end
    module Functional
      # Make a handler of the block. What it returns is the step's result, unless it is a
      # `StepHandlerResult`; `success`, `failure` and `return` work in it as in a method.
      #
      # `depends_on` passes results of earlier steps: `cart: "validate_cart"`, or
      # `cart: ["validate_cart", Cart]` to have it as a `Cart`. `inputs` passes members of the task's
      # input by name, or the whole input as an object of a class, named `inputs`. What is absent
      # arrives as nil, or as the keyword's default. Raises `ArgumentError` when they and the block
      # disagree.
      # @return [Class<Base>]
      def step_handler(name, depends_on: {}, inputs: [], version: "1.0.0", &block)
        raise ArgumentError, "handler #{name} has no block" unless block

        wishes = Wishes.new(name, depends_on, inputs, block)
        Class.new(Base) do
          handler_name name
          handler_version version
          @place = block.source_location.join(":")
          define_method(:run_block, &block)
          private :run_block
          define_method(:call) { |context| run_block(*wishes.positional(context), **wishes.keywords(context)) }
        end
      end
    end

    # What a block wants, and where it comes from.
    # @api private
    class Wishes
      def initialize(name, depends_on, inputs, block)
        @name = name
        @steps = depends_on.to_h { |keyword, (step, model)| [keyword.to_sym, [step.to_s, model]] }
        @model = inputs.is_a?(Class) ? inputs : nil
        @keys = @model ? [] : Array(inputs).map(&:to_sym)
        read(block.parameters)
      end

      def positional(context)
        @takes_positional ? [context] : []
      end

      def keywords(context)
        given = {}
        @steps.each { |keyword, (step, model)| give(given, keyword, fit(context.get_dependency_result(step), model, "the result of step #{step}")) }
        @keys.each { |key| give(given, key, context.get_input(key)) }
        given[:inputs] = fit(context.input_data, @model, "the task's input") if @model
        given[:context] = context if @wants_context
        given
      end

      private

      def read(parameters)
        provided = @steps.keys + @keys + (@model ? [:inputs] : [])
        named = parameters.select { |kind, _| %i[key keyreq].include?(kind) }
        @optional = named.filter_map { |kind, keyword| keyword if kind == :key }
        positional = parameters.count { |kind, _| %i[req opt].include?(kind) }
        refuse("its block takes #{positional} arguments without a name; only the context comes so") if positional > 1
        @takes_positional = positional == 1
        is_open = parameters.any? { |kind, _| kind == :keyrest }
        names = named.map(&:last)
        @wants_context = names.include?(:context) || is_open
        missing = names - provided - @optional - [:context]
        refuse("nothing provides its keyword #{missing.first}; name it in depends_on or inputs") if missing.any?
        surplus = provided - names
        refuse("its block has no keyword #{surplus.first}") if surplus.any? && !is_open
      end

      def refuse(words)
        raise ArgumentError, "handler #{@name}: #{words}"
      end

      def give(given, keyword, value)
        given[keyword] = value unless value.nil? && @optional.include?(keyword)
      end

      # `value` as a `model`: a keyword struct, a plain struct, or any class that takes the members as
      # keywords. A struct takes the members that it has, so that an earlier step may say more.
      def fit(value, model, what)
        return value if model.nil? || value.nil?

        members = value.is_a?(Hash) ? value.transform_keys(&:to_sym) : (return model.new(value))
        return model.new(**members) unless model.respond_to?(:members)

        members = members.slice(*model.members)
        # `Data` and keyword structs take keywords, other structs their members in order.
        is_ordered = model < Struct && !keyword_struct?(model)
        is_ordered ? model.new(*model.members.map { |name| members[name] }) : model.new(**members)
      rescue ArgumentError, TypeError, NoMethodError => e
        raise ValidationError, "#{what} does not fit #{model}: #{e.message}"
      end

      # Ruby 3.0 shows it, later ones tell.
      def keyword_struct?(model)
        model.respond_to?(:keyword_init?) ? model.keyword_init? : model.inspect.end_with?("(keyword_init: true)")
      end
    end
    private_constant :Wishes
  end

  extend StepHandler::Functional
end
