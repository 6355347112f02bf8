"""A seeded world with planted truth: powers the demo, the tests and the measurements.

It owns the generation of posts, what is planted among them, and the two recorded-post forms. It knows nothing
of the pipeline that reads them, never asks the wall clock, and keeps its truth off the wire.
"""

from groundswell.simulator.identities import CANARY_CLASSES
from groundswell.simulator.settings import (
    Silence,
    WorldSettings,
    event_free,
    many_voices,
    scoring_world,
    simulated_hour,
)
from groundswell.simulator.truth import (
    Planted,
    PlantedCampaign,
    PlantedDecoy,
    PlantedEvent,
    PlantedNarrative,
    PlantedOutage,
    PlantedPileOn,
)
from groundswell.simulator.world import Form, World

__all__ = [
    "CANARY_CLASSES",
    "Form",
    "Planted",
    "PlantedCampaign",
    "PlantedDecoy",
    "PlantedEvent",
    "PlantedNarrative",
    "PlantedOutage",
    "PlantedPileOn",
    "Silence",
    "World",
    "WorldSettings",
    "event_free",
    "many_voices",
    "scoring_world",
    "simulated_hour",
]
