# frozen_string_literal: true

require "rbs"
require_relative "helper"

# The signatures speak of what is there, and of all that is there.
class SignaturesTest < Minitest::Test
  FILES = Dir[File.expand_path("../sig/*.rbs", __dir__)].sort.freeze

  # The declarations by their full names.
  def walk(declarations, scope = [], &block)
    declarations.each do |declaration|
      next yield(scope, declaration) unless declaration.respond_to?(:members)

      inner = scope + [declaration.name.name.to_s]
      yield(scope, declaration)
      walk(declaration.members, inner, &block)
    end
  end

  def signatures
    FILES.flat_map do |file|
      parsed = RBS::Parser.parse_signature(RBS::Buffer.new(name: file, content: File.read(file)))
      parsed.is_a?(Array) && parsed[2].is_a?(Array) ? parsed[2] : parsed
    end
  end

  def test_what_is_said_is_there
    seen = 0
    walk(signatures) do |scope, member|
      owner = scope.empty? ? Object : Object.const_get(scope.join("::"))
      case member
      when RBS::AST::Members::MethodDefinition
        is_there = member.kind == :singleton ? owner.respond_to?(member.name, true) : owner.method_defined?(member.name) || owner.private_method_defined?(member.name)
        assert(is_there, "#{owner} has no method #{member.name}")
      when RBS::AST::Members::AttrReader, RBS::AST::Members::AttrAccessor
        assert(owner.method_defined?(member.name), "#{owner} has no attribute #{member.name}")
      when RBS::AST::Declarations::Constant, RBS::AST::Declarations::Class, RBS::AST::Declarations::Module
        assert(owner.const_defined?(member.name.name, owner == Object), "#{owner} has no #{member.name}")
      else next
      end
      seen += 1
    end
    assert_operator(seen, :>, 150)
  end

  def test_all_that_users_call_is_said
    said = Hash.new { |hash, key| hash[key] = [] }
    walk(signatures) { |scope, member| said[scope.join("::")] << member.name if member.respond_to?(:name) && member.name.is_a?(Symbol) }
    [Stepwell::StepContext, Stepwell::Client, Stepwell::Errors::Error].each do |owner|
      # Also what comes from the modules of this library.
      methods = owner.public_instance_methods.select { |name| owner.instance_method(name).owner.name.to_s.start_with?("Stepwell") }
      missing = methods - said[owner.name] - %i[retry? last_retry? checkpoint? error_type=]
      assert_empty(missing, owner.name)
    end
  end
end
