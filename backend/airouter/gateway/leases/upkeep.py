"""Looking after the journal of a book that is in use."""

import contextlib

from airouter.gateway.leases.book import Book
from airouter.gateway.leases.journal import Journal, JournalFailed
from airouter.gateway.leases.settings import CreditSettings


def look_after(book: Book, settings: CreditSettings) -> None:
    """A journal that failed is tried again, old segments go, and a backlog that is full bars the book."""
    journal = book.journal
    if journal is None:
        return
    if journal.failure is not None and journal.probe():
        _catch_up(book, journal)
    with contextlib.suppress(OSError):
        journal.trim()
    is_full = (
        len(book.pending) >= settings.backlog_records_max or journal.unconfirmed_bytes >= settings.backlog_bytes_max
    )
    book.is_barred = is_full or journal.failure is not None


def _catch_up(book: Book, journal: Journal) -> None:
    """The disk takes records again: first those that it had refused."""
    with contextlib.suppress(JournalFailed):
        for hold in book.pending:
            if hold.segment is None and hold.record is not None:
                hold.segment = journal.append(hold.record)
