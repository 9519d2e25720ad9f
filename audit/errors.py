"""What can go wrong with the log. `access` and `cli` translate these into the platform's own tree.

LogError
├── RecordRefused    the record itself cannot be written: too long, not canonical, or it names a person in clear (never retried)
├── RecordDestroyed  the record was destroyed after the years it had to be kept; its hash still stands in the tree
├── RetentionRefused the years that records have to be kept are not over; nothing was destroyed
├── FolderNotEmpty   an export or a backup goes to a folder of its own; nothing was written
├── LogUnavailable   the record could not be made durable: disk full, database gone (retry once it is back); no answer may leave
├── KeyProblem       a key file is missing, replaced or readable by others
├── ProofInvalid     a proof does not lead to the root it claims
└── LogBroken        the stored log is not what was signed; `first_bad` is the first index that cannot be trusted
"""


class LogError(Exception):
    """Root of the tree; raise one of the subclasses."""


class RecordRefused(LogError):
    pass


class RecordDestroyed(LogError):
    pass


class RetentionRefused(LogError):
    pass


class FolderNotEmpty(LogError):
    pass


class LogUnavailable(LogError):
    pass


class KeyProblem(LogError):
    pass


class ProofInvalid(LogError):
    pass


class LogBroken(LogError):
    def __init__(self, first_bad: int, reason: str) -> None:
        super().__init__(f"{reason} (first bad index {first_bad})")
        self.first_bad = first_bad
        self.reason = reason
