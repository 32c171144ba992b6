# frozen_string_literal: true

require_relative "answers"

module Stepwell
  # What is wrong with a template, and where.
  Finding = Struct.new(:severity, :code, :message, :cure, :line, :column, keyword_init: true) do
    # From the server's JSON.
    # @api private
    def self.read(raw)
      new(severity: raw.fetch("severity"), code: raw.fetch("code"), message: raw.fetch("message"), cure: raw["cure"],
          line: raw.fetch("line"), column: raw.fetch("column"))
    end
  end

  # Whether a template is valid, and all that was found; a valid one may have warnings.
  Validation = Struct.new(:valid, :findings, keyword_init: true) do
    # Whether it is valid.
    def valid?
      valid
    end
  end

  # What a client says about templates.
  module TemplateCalls
    # Make a template known, from its YAML. A known version must have the same text. `environment` names the overrides
    # under `environments` that are applied.
    # @return [Template]
    def put_template(text, environment: nil)
      Template.read(yaml("PUT", "/v1/templates", text, environment))
    end

    # All templates that the server knows.
    # @return [Array<Template>]
    def list_templates
      json("GET", "/v1/templates").fetch("templates").map { |template| Template.read(template) }
    end

    # What a template says; the newest version without one.
    # @return [Hash]
    def get_template(namespace, name, version: nil)
      json("GET", path("templates", namespace, name) + query(version: version))
    end

    # A drawing of a template's steps: as `text`, `mermaid`, `dot` or `json`.
    # @return [String]
    def draw_template(namespace, name, version: nil, format: "text")
      text(path("templates", namespace, name, "graph") + query(version: version, format: format))
    end

    # What is wrong with a template's YAML; the server does not keep it.
    # @return [Validation]
    def validate_template(text, environment: nil)
      answer = yaml("POST", "/v1/templates/validate", text, environment)
      Validation.new(valid: answer.fetch("valid"), findings: answer.fetch("findings").map { |finding| Finding.read(finding) })
    end

    private

    def yaml(method, path, text, environment)
      read(request(method, path + query(environment: environment), text, repeatable: true, type: "application/yaml"))
    end
  end
end
