"""The server process of the interface: uvicorn on uvloop and httptools, without an access log, since even an address may be a person's."""

import logging
import sys
from datetime import UTC, datetime

import uvicorn

from catalog.home import Home
from portal.api import create_app
from portal.faults import WithoutTraceback

SWITCH_INTERVAL_S = 0.0005
"""The desk's thread comes back from the disk while the event loop works: it must not wait 5 ms for its turn each time."""
GRACE_S = 10
KEEP_ALIVE_S = 75
"""A department's system keeps its connections open between questions; closed under it, its next question is lost. Proxies wait 60 s."""
MOST_CONNECTIONS = 1_000


def serve(home: Home, *, host: str, port: int) -> None:
    """Serve until a signal comes; what was asked until then is answered."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    logging.getLogger("uvicorn.error").addFilter(WithoutTraceback())
    uvicorn.run(
        create_app(home, lambda: datetime.now(UTC)),
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )
