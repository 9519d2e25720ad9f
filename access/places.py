"""Places (名额) of a grant that is limited to so many extracts: taken before one starts, so that two at once cannot share the last."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.receipts import receipts_under
from access.terms import Grant, Quota
from catalog.schema import ExtractPlaceRow
from catalog.store import Store, serialise
from rules.errors import Denied

TAKING = "extract places"


def places_taken(session: Session, grant: int) -> int:
    """Extracts that were handed over under a grant, and those under way."""
    under_way = session.scalar(sa.select(sa.func.count(ExtractPlaceRow.id)).where(ExtractPlaceRow.grant_id == grant)) or 0
    return receipts_under(session, grant) + under_way


@contextmanager
def taken_place(store: Store, grant: Grant | None, holder: str, now: datetime) -> Iterator[int | None]:
    """Take one for the length of the block; None where extracts are not limited. Denied DOOR-PLACES if the last one is taken.

    Within the block it may become a receipt, by `give_back` in the transaction that enters the receipt.
    """
    most = grant.quotas.get(Quota.EXTRACTS) if grant else None
    if grant is None or most is None:
        yield None
        return
    place = _take(store, grant.id, most, holder, now)
    try:
        yield place
    finally:
        with store.session() as session, session.begin():
            give_back(session, place)


def give_back(session: Session, place: int | None) -> None:
    """The place is free, or a receipt stands for it from now on. Whoever opened the session commits it."""
    if place is not None:
        session.execute(sa.delete(ExtractPlaceRow).where(ExtractPlaceRow.id == place))


def free_places(store: Store, is_dead: Callable[[str], bool]) -> None:
    """Give back what doors had taken that have died since."""
    with store.session() as session:
        dead = [holder for holder in session.scalars(sa.select(ExtractPlaceRow.holder).distinct()) if is_dead(holder)]
    if dead:
        with store.session() as session, session.begin():
            session.execute(sa.delete(ExtractPlaceRow).where(ExtractPlaceRow.holder.in_(dead)))


def _take(store: Store, grant: int, most: int, holder: str, now: datetime) -> int:
    with store.session() as session, session.begin():
        serialise(session, TAKING)
        if places_taken(session, grant) >= most:
            raise Denied("DOOR-PLACES", where=str(grant), what=str(most))
        row = ExtractPlaceRow(grant_id=grant, holder=holder, taken_at=now)
        session.add(row)
        session.flush()
        return row.id
