# frozen_string_literal: true

require "json"

module Stepwell
  # JSON as the protocol wants it: UTF-8, no NaN, and an error that names the place of a fault.
  module Payload
    # A value that JSON cannot express; the message says which and where.
    class NotJSON < StandardError
      attr_reader :path

      def initialize(fault)
        super
        @path = []
        @fault = fault
      end

      # Words for a value that the caller knows as `place`.
      def words(place)
        "#{place}#{path.join} #{@fault}"
      end
    end

    # A number beyond the doubles, kept as it was written.
    class HugeNumber
      WITHIN = (-307..307).freeze # decimal exponents that every double has
      private_constant :WITHIN

      # The hook of the JSON parser for numbers with a point or an exponent.
      # @api private
      def self.try_convert(text)
        mantissa, exponent = text.downcase.split("e")
        digits = mantissa.delete("-").sub(/\A0+/, "")
        return text.to_f unless digits.match?(/[1-9]/)

        whole, fraction = digits.split(".")
        point = whole.to_s.empty? ? -fraction[/\A0*/].size : whole.size
        # What is beyond is kept as text; `to_f` would warn of it.
        WITHIN.cover?(point + exponent.to_i) ? text.to_f : new(text)
      end

      def initialize(text)
        @text = -text
      end

      # @return [String] the number as it was written
      def to_s
        @text
      end
      alias inspect to_s

      # @return [Float] the nearest double, which may be infinite
      def to_f
        @text.to_f
      end

      def to_json(*)
        @text
      end

      def ==(other)
        other.is_a?(HugeNumber) && other.to_s == @text
      end
      alias eql? ==

      def hash
        @text.hash
      end
    end

    LEVELS_MAX = 500 # of a value of a handler; what is nested deeper the engine could not read in a message
    private_constant :LEVELS_MAX

    # Only such text can hold a number that a double does not.
    MAYBE_HUGE = /[eE][+-]?[0-9]{3}|[0-9]{300}/.freeze
    private_constant :MAYBE_HUGE

    module_function

    # The value of JSON text. Raises `JSON::ParserError`.
    def parse(text)
      text = text.dup.force_encoding(Encoding::UTF_8) unless text.encoding == Encoding::UTF_8
      raise JSON::ParserError, "not UTF-8" unless text.valid_encoding?

      if text.match?(MAYBE_HUGE)
        JSON.parse(text, max_nesting: 0, decimal_class: HugeNumber)
      else
        JSON.parse(text, max_nesting: 0)
      end
    end

    # `value` as JSON text. `place` is what the value is called in an error, such as `result`.
    def encode(value, place)
      JSON.generate(plain(value), max_nesting: LEVELS_MAX)
    rescue NotJSON => e
      raise NotJSON, e.words(place)
    rescue JSON::NestingError
      raise NotJSON, "#{place} is nested deeper than #{LEVELS_MAX} levels"
    rescue SystemStackError
      raise NotJSON, "#{place} is nested too deeply, or contains itself"
    rescue JSON::GeneratorError => e
      raise NotJSON, "#{place} is not JSON: #{e.message}"
    end

    # For what only informs people: whatever JSON cannot express becomes words.
    def encode_leniently(value)
      encode(value, "value")
    rescue NotJSON
      JSON.generate(clean(value.inspect))
    end

    # Any text as valid UTF-8.
    def clean(text)
      text = text.to_s
      text = text.encoding == Encoding::BINARY ? text.dup.force_encoding(Encoding::UTF_8) : text
      text.encode(Encoding::UTF_8, invalid: :replace, undef: :replace).scrub
    end

    # `value` in the types that JSON has: symbols become text; structs, and what has `to_h`, objects.
    def plain(value)
      case value
      when nil, true, false, Integer, HugeNumber then value
      when String then text(value)
      when Symbol then text(value.to_s)
      when Float then value.finite? ? value : fault("is #{value}, which JSON does not have")
      when Hash then object(value)
      when Array then Array.new(value.size) { |index| at("[#{index}]", value[index]) }
      else other(value)
      end
    end

    def other(value)
      if defined?(BigDecimal) && value.is_a?(BigDecimal)
        return value.finite? ? HugeNumber.new(value.to_s("F")) : fault("is #{value}, which JSON does not have")
      end
      # `Time` and the like have no `to_h`.
      return object(value.to_h) if value.respond_to?(:to_h) && !value.is_a?(Enumerator)

      fault("is a #{value.class}, which is not a JSON value")
    end

    def object(hash)
      plain = {}
      hash.each do |key, item|
        fault("has the key #{key.inspect}; keys are strings or symbols") unless key.is_a?(String) || key.is_a?(Symbol) || key.is_a?(Integer)
        name = text(key.to_s)
        fault("has the key #{name} twice") if plain.key?(name)
        plain[name] = at(name, item)
      end
      plain
    end

    def at(name, item)
      plain(item)
    rescue NotJSON => e
      e.path.unshift(name.start_with?("[") ? name : ".#{name}")
      raise
    end

    def text(value)
      return value if value.encoding == Encoding::UTF_8 && value.valid_encoding?

      value = value.encoding == Encoding::BINARY ? value.dup.force_encoding(Encoding::UTF_8) : value.encode(Encoding::UTF_8)
      value.valid_encoding? ? value : fault("is not valid Unicode text")
    rescue EncodingError
      fault("is not valid Unicode text")
    end

    def fault(words)
      raise NotJSON, words
    end
    private_class_method :other, :object, :at, :text, :fault
  end
end
