"""The home of one installation: where database, lake, keys, exports and Dagster's state stand on disk."""

from dataclasses import dataclass
from pathlib import Path

PRIVATE = 0o700
OWN_FILES = ("store.db", "audit.db", "finding.db")
"""With what SQLite lays beside them."""

OWN_FOLDERS = frozenset({"lake", "keys", "dagster", "serving", "populations", "clients", "witness", "district", "door_checks"})


@dataclass(frozen=True)
class Home:
    """The folders under `TONGCHOU_HOME`, and the database the bookkeeping is in (None: SQLite files in the home itself)."""

    root: Path
    database_url: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", Path(self.root).absolute())

    @property
    def store_url(self) -> str:
        """SQLAlchemy URL of the bookkeeping (`open_store`)."""
        return self.database_url or f"sqlite:///{self.store_path}"

    @property
    def audit_url(self) -> str:
        """SQLAlchemy URL of the log: a file of its own on SQLite, so that its writer never waits for the store's."""
        return self.database_url or f"sqlite:///{self.audit_path}"

    @property
    def store_path(self) -> Path:
        return self.root / "store.db"

    @property
    def audit_path(self) -> Path:
        return self.root / "audit.db"

    @property
    def lake_root(self) -> Path:
        return self.root / "lake"

    @property
    def keys(self) -> Path:
        """Signing and masking keys; outside the database on purpose."""
        return self.root / "keys"

    @property
    def dagster(self) -> Path:
        return self.root / "dagster"

    @property
    def exports(self) -> Path:
        """Where answers are staged and handed over when no other path is named."""
        return self.root / "exports"

    @property
    def populations(self) -> Path:
        """The residents of each bulk answer, as bitmaps named by their digests."""
        return self.root / "populations"

    @property
    def finding_path(self) -> Path:
        """The index that auditors search the log by; made from the log, and made anew where it is gone."""
        return self.root / "finding.db"

    @property
    def clients(self) -> Path:
        """Lists of departments' own clients, as keyed hashes, named by their digests."""
        return self.root / "clients"

    @property
    def serving_dir(self) -> Path:
        """The versioned `serving-N.db` files."""
        return self.root / "serving"

    def keeps(self, place: Path) -> bool:
        """Whether a path, links and dots followed, is where the platform keeps what is its own: not `exports`, nor what others put here."""
        inside = place.resolve()
        if not inside.is_relative_to(self.root.resolve()):
            return False
        first = inside.relative_to(self.root.resolve()).parts[:1]
        return not first or first[0].startswith(".") or first[0].startswith(OWN_FILES) or first[0] in OWN_FOLDERS

    def exists(self) -> bool:
        """Whether `create` has been here."""
        return self.keys.is_dir() and (self.database_url is not None or self.store_path.is_file())

    def create(self) -> None:
        """Make the folders and bring the database to the newest schema. Safe to repeat, at any time."""
        from catalog.store import migrate  # SQLAlchemy and Alembic take 0.5 s to load; a Home is often only a set of paths

        for folder in (self.root, self.lake_root, self.dagster, self.exports, self.serving_dir, self.keys, self.populations):
            folder.mkdir(parents=True, exist_ok=True)
        for private in (self.keys, self.exports, self.populations):
            private.chmod(PRIVATE)
        migrate(self.store_url)
