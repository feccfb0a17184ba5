"""How far a file has come that somebody brought in, and what became of its records."""

from dataclasses import dataclass

from domain.states import ImportState


@dataclass(frozen=True)
class ImportCounts:
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    left_out: int = 0

    @property
    def taken(self) -> int:
        return self.new + self.changed + self.unchanged

    @property
    def total(self) -> int:
        return self.taken + self.refused + self.left_out


@dataclass(frozen=True)
class ImportStanding:
    """How far an import has come."""

    import_id: int
    name: str
    state: ImportState
    counts: ImportCounts
    previewed: ImportCounts
    waits: bool = False
    """Another import of the organisation is under way: this one is dealt with when that has ended. Told by a look."""

    @property
    def final(self) -> bool:
        return self.state in (ImportState.FINISHED, ImportState.FAILED)

    @property
    def as_previewed(self) -> bool:
        return self.counts == self.previewed
