# frozen_string_literal: true

module Stepwell
  # The version of this SDK.
  VERSION = "0.1.0"
end
