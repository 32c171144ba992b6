# frozen_string_literal: true

require_relative "answers"

module Stepwell
  # An address that gets events, and how it fares. `state` is `active`, `failing` or `disabled`; `after` is the number of
  # the last event that it has, `lag` how many it is behind. `raw` is the whole answer as it came.
  Webhook = Struct.new(
    :id, :url, :types, :namespaces, :tasks, :secret, :state, :after, :lag, :sent, :failed, :last_error, :created_at,
    :next_try_at, :disabled_at, :raw, keyword_init: true
  ) do
    # From the server's JSON.
    # @api private
    def self.read(raw)
      new(id: raw.fetch("id"), url: raw.fetch("url"), types: raw["types"] || [], namespaces: raw["namespaces"] || [],
          tasks: raw["tasks"] || [], secret: raw["secret"], state: raw.fetch("state"), after: raw.fetch("after"),
          lag: raw.fetch("lag"), sent: raw.fetch("sent", 0), failed: raw.fetch("failed", 0), last_error: raw["last_error"],
          created_at: Stepwell.time_of(raw["created_at"]), next_try_at: Stepwell.time_of(raw["next_try_at"]),
          disabled_at: Stepwell.time_of(raw["disabled_at"]), raw: raw)
    end
  end

  # What a client says about webhooks: addresses that a server sends its events to.
  module WebhookCalls
    # Have events sent to an address, each at least once and in order: all, or those that are named.
    #
    # `secret` is the name of the server's secret that signs them, such as `secret:hook-key`. Without
    # `after`, the number of an event, they are those from now on. An address that fails for
    # `disable_after` seconds is given up.
    # @return [Webhook]
    def create_webhook(url, types: nil, namespaces: nil, tasks: nil, secret: nil, after: nil, disable_after: nil)
      wish = { url: url, types: types, namespaces: namespaces, tasks: tasks, secret: secret, after: after,
               disable_after_s: disable_after }
      Webhook.read(json("POST", "/v1/webhooks", wish.compact))
    end

    # All webhooks, and how they fare.
    # @return [Array<Webhook>]
    def list_webhooks
      json("GET", "/v1/webhooks").fetch("webhooks").map { |webhook| Webhook.read(webhook) }
    end

    # A webhook by its id: how far it is behind, and its last error.
    # @return [Webhook]
    def get_webhook(webhook)
      Webhook.read(json("GET", path("webhooks", webhook)))
    end

    # Have a webhook that was given up, or that waits, try again at once; from another event, if one is given.
    # @return [Webhook]
    def enable_webhook(webhook, after: nil)
      Webhook.read(json("POST", path("webhooks", webhook, "enable"), { after: after }.compact))
    end

    # Send a webhook nothing more. Returns it as it was.
    # @return [Webhook]
    def remove_webhook(webhook)
      Webhook.read(json("DELETE", path("webhooks", webhook)))
    end
  end
end
