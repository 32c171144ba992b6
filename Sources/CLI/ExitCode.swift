import StepwellEngine
import StepwellKernel
import StepwellLog
import StepwellModel

/// How `stepwell` ends: one table for all commands. `docs/cli.md` shows it.
enum ExitCode: Int32 {
    case success = 0
    /// The task did not complete, or the command could not do its work.
    case failure = 1
    case usage = 2
    case notFound = 3
    /// Somebody else has the store, or the task is in a state that does not allow it.
    case conflict = 4
    case cancelled = 5
    case timedOut = 6
    /// The log is damaged.
    case integrity = 9
    /// A simulated life has broken an invariant.
    case violation = 10
    case interrupted = 130

    init(_ state: TaskState) {
        self =
            switch state {
            case .complete, .resolvedManually: .success
            case .cancelled: .cancelled
            default: .failure
            }
    }

    /// The code of an error, by its stable word.
    init(_ error: any StepwellError) {
        self =
            switch error.code {
            case "usage", "invalid_template", "invalid_input", "unsupported", "no_steps", "priority_out_of_range",
                "invalid_key", "invalid_limit", "not_remote", "bad_server_address",
                "unknown_step", "no_handler", "nothing_to_run", "unreadable_file", "nothing_redacted", "bad_pointer",
                "not_a_bundle", "nothing_recorded", "insecure", "invalid_settings", "bad_webhook_url",
                "unknown_event_type", "bad_webhook_secret":
                .usage
            case "unknown_task", "store_not_found", "ambiguous_task", "before_submission", "no_attempt",
                "unknown_template", "unknown_token", "unknown_worker", "unknown_limit", "unknown_webhook", "no_server":
                .notFound
            case "store_locked", "duplicate_key", "duplicate_task", "task_closed", "task_paused", "not_paused",
                "nothing_to_retry",
                "step_not_failed", "step_not_resolvable", "store_format", "file_exists", "not_empty", "store_imported",
                "fork_does_not_fit", "pages_changed",
                "bundle_version", "foreign_bundle", "template_changed", "token_exists", "protocol_version",
                "too_many_limits":
                .conflict
            case "store_corrupt", "unknown_event", "illegal_event", "not_a_store", "unknown_hash", "bundle_corrupt",
                "bundle_truncated", "other_bundle":
                .integrity
            default: .failure
            }
    }
}
