"""What a post says: language, terms, places, categories, possible private names.

Takes POST batches, gives ENRICHED ones. Knows nothing of other posts, of rates or of crowds.
"""

from __future__ import annotations

from groundswell.enrich.enricher import Enricher, EnrichSettings, PlaceFinder
from groundswell.enrich.language import Languages, bcp47, identify_text
from groundswell.enrich.terms import Terms, extract
from groundswell.enrich.topics import CATEGORIES

__all__ = [
    "CATEGORIES",
    "EnrichSettings",
    "Enricher",
    "Languages",
    "PlaceFinder",
    "Terms",
    "bcp47",
    "extract",
    "identify_text",
]
