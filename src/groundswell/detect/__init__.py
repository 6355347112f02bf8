"""`detect` finds crowds: rates, bursts, clusters and chains over enriched posts.

It owns every window that is open and every rate that is remembered, and forgets both in a fixed time. It
publishes nothing: what it finds are candidates, with exact counts, for `release` to judge.
"""

from groundswell.detect.coverage import Watch
from groundswell.detect.detector import TICK_US, Detector, DetectSettings, Observer

__all__ = ["TICK_US", "DetectSettings", "Detector", "Observer", "Watch"]
