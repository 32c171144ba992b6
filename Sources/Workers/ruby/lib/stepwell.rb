# frozen_string_literal: true

# Stepwell's Ruby worker: write handlers, and let `stepwell-worker` run them.
module Stepwell
end

require_relative "stepwell/version"
require_relative "stepwell/errors"
require_relative "stepwell/result"
require_relative "stepwell/context"
require_relative "stepwell/handler"
require_relative "stepwell/functional"
require_relative "stepwell/client"
