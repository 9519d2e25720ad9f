"""The log's own errors as the platform's: in each of these cases no answer leaves."""

from collections.abc import Iterator
from contextlib import contextmanager

from audit.errors import (
    FolderNotEmpty,
    KeyProblem,
    LogBroken,
    LogUnavailable,
    ProofInvalid,
    RecordDestroyed,
    RecordRefused,
    RetentionRefused,
)
from rules.errors import IntegrityBroken, NotFound, PlatformFault, Refused


@contextmanager
def log_faults_translated() -> Iterator[None]:
    try:
        yield
    except LogUnavailable as fault:
        raise PlatformFault("AUD-UNAVAILABLE", what=str(fault)) from fault
    except LogBroken as fault:
        raise IntegrityBroken("AUD-BROKEN", where=str(fault.first_bad), what=fault.reason) from fault
    except KeyProblem as fault:
        raise IntegrityBroken("AUD-KEY", what=str(fault)) from fault
    except RecordRefused as fault:
        raise Refused("AUD-RECORD", what=str(fault)) from fault
    except RecordDestroyed as fault:
        raise NotFound("AUD-DESTROYED", what=str(fault)) from fault
    except RetentionRefused as fault:
        raise Refused("AUD-RETENTION", what=str(fault)) from fault
    except FolderNotEmpty as fault:
        raise Refused("AUD-FOLDER", what=str(fault)) from fault
    except ProofInvalid as fault:
        raise Refused("AUD-PROOF", what=str(fault)) from fault
