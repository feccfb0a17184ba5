"""What is done in the thread that reads a file: its preview, and its import."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from domain.database import Database
from domain.errors import FileRefused
from domain.files.import_writing import Changes
from domain.files.importing import ImportResult, take
from domain.files.reading.invoice_file import InvoiceFile
from domain.imports import claiming
from domain.imports.claiming import Claim
from domain.imports.previewing import compare, compare_chunk
from domain.imports.reading import RefusedFile, answered, opened, question_about
from domain.imports.summaries import ImportAnswers, ImportPreview, ImportQuestion
from domain.imports.transactions import Kept, find_known, list_currencies
from domain.imports.work import Previewed, Stopping, Work
from domain.states import ImportState, Source


def preview(kept: Kept, run: Callable[..., Any]) -> Previewed | ImportQuestion:
    """What importing the file would do, or what must be said first. Raises FileRefused, Stopping."""
    own = kept.organisation.id
    with opened(kept.name, kept.content, kept.reading, partial(run, find_known, own)) as file:
        if isinstance(file, InvoiceFile):
            question = question_about(kept.import_id, file)
            return replace(question, currencies=run(list_currencies, own))
        found = compare(file.items(), partial(run, compare_chunk, own))
        preview = ImportPreview(
            import_id=kept.import_id,
            name=file.file.name,
            layout=file.layout,
            columns=file.columns,
            counts=found.counts,
            changes=found.changes,
            refused=tuple(found.first_refused),
            totals=found.totals,
        )
        return Previewed(preview, file.choices)


def question(kept: Kept, run: Callable[..., Any]) -> ImportQuestion:
    """Which column is what, as if nobody had said it before. Raises FileRefused."""
    with opened(kept.name, kept.content, "") as file:
        asked = question_about(kept.import_id, file if isinstance(file, InvoiceFile) else file.file)
        return replace(asked, asks_columns=True, currencies=run(list_currencies, kept.organisation.id))


def answer(kept: Kept, answers: ImportAnswers, run: Callable[..., Any]) -> tuple[str, str]:
    """How the file is read from now on, and its heading's digest. Raises FileRefused."""
    remembered = partial(run, find_known, kept.organisation.id)
    return answered(kept.name, kept.content, kept.reading, answers, remembered)


def import_claimed(db: Database, claim: Claim, work: Work) -> None:
    """Raises FileRefused, ClaimLost, Stopping, DatabaseUnavailable."""
    with opened(claim.name, claim.content, claim.reading) as file:
        if isinstance(file, InvoiceFile):
            raise FileRefused("nothing says how it is read")
        refused = RefusedFile(file.file)
        take(
            db,
            claim.organisation,
            file.items(),
            now=work.clock(),
            actor=claim.user_id,
            source=Source.BUTTON,
            on_bad=refused.add,
            progress=_Noted(claim, refused, work),
            run=work.run,
        )


class _Noted:
    """Where a claimed import stands, in the database."""

    def __init__(self, claim: Claim, refused: RefusedFile, work: Work) -> None:
        self._claim = claim
        self._refused = refused
        self._work = work
        self.batch = claim.batch
        self.done = claim.done
        counts = claim.counts
        self.counted = ImportResult(counts.new, counts.changed, counts.unchanged, counts.refused)

    def record(self, session: Session, records: int, changes: Changes, bad: int, left_out: int) -> None:
        """Raises ClaimLost, Stopping."""
        if self._work.ending():
            raise Stopping
        claiming.note_progress(session, self._claim, self.done, records, changes, bad, left_out)

    def finish(self, session: Session) -> None:
        """Raises ClaimLost."""
        claiming.end(
            session,
            self._claim,
            ImportState.FINISHED,
            self.done,
            refused=self._refused.content(),
            now=self._work.clock(),
        )
