"""Presence (到场): how who asks has shown who he is, and what that allows beyond the account's own roles.

An account alone says who somebody claims to be. A person at the portal has a session, a system an API key. Whoever uses the
server's own command line was asked by its operating system.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from access.accounts import Account
from access.questions import KeyScope


class Means(StrEnum):
    """By what somebody is known."""

    COMMAND_LINE = "command_line"
    SESSION = "session"
    API_KEY = "api_key"


@dataclass(frozen=True, kw_only=True)
class Presence:
    """Who is at the door. `number` is that of the session or key; `proven_until`: how long a second proof holds."""

    account: Account
    means: Means
    number: int | None = None
    scope: KeyScope | None = None
    proven_until: datetime | None = None

    def proven(self, now: datetime) -> bool:
        """Good for plaintext: a person has just proved again who he is; a system was given its key for that."""
        if self.means is Means.COMMAND_LINE:
            return True
        if self.means is Means.API_KEY:
            return self.scope is not None and self.scope.plaintext
        return self.proven_until is not None and now < self.proven_until
