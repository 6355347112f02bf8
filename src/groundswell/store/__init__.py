"""What was published, in one DuckDB file: everything in it is safe to read, query and hand on."""

from groundswell.store.export import ExportFormat, export
from groundswell.store.schema import EXPORT_SCHEMA, TABLES
from groundswell.store.store import Checkpoint, Commit, Store, StoreSettings

__all__ = [
    "EXPORT_SCHEMA",
    "TABLES",
    "Checkpoint",
    "Commit",
    "ExportFormat",
    "Store",
    "StoreSettings",
    "export",
]
